"""Programs and code started from data, and the server itself."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class CommandExecution(Concept, frozen=True, eq=False):
    """A program is started.

    Attributes:
        command: the command line or the list of arguments.
        args: every positional argument (`create_subprocess_exec` takes the command apart).
        shell: the command line goes through a shell, as far as literals show.
        is_async: to be awaited.
        remote: it runs on another machine.
    """

    command: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    shell: bool = False
    is_async: bool = False
    remote: bool = False


class CodeExecution(Concept, frozen=True, eq=False):
    """Text becomes running code; `kind` is eval, exec, compile, import, function or query."""

    code: ir.Expr | None = None
    kind: str = "eval"


class ServerRun(Concept, frozen=True, eq=False):
    """The web server is started from code.

    Attributes:
        application: the application or its name.
        options: every keyword argument (host, reload, workers ...).
    """

    application: ir.Expr | None = None
    options: tuple[ir.Keyword, ...] = ()

    def option(self, name: str) -> ir.Expr | None:
        """The keyword argument of that name, or None."""
        return next((k.value for k in self.options if k.arg == name), None)


class ProcessExit(Concept, frozen=True, eq=False):
    """The process ends."""


class DynamicAttribute(Concept, frozen=True, eq=False):
    """An attribute by a name made at run time: `kind` is get or set."""

    target: ir.Expr | None = None
    attribute: ir.Expr | None = None
    value: ir.Expr | None = None
    kind: str = "get"
