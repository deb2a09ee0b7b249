"""What calls and attributes take out of a text: `x.replace("..", "")`, `re.sub(r"[^a-z]", "", x)`, `Path(x).name`.

Only what is exact counts. `x.replace("../", "")` is left out on purpose: `....//` becomes `../`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.derived_values import constant_text
from fastapi_architect.dataflow.guards_paths import RESOLVING
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.program.types import External, Instance, options
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.guards import Guards
    from fastapi_architect.dataflow.taint import TaintQuery
    from fastapi_architect.program.program import Program

_LAST_PARTS = frozenset({"name", "stem", "suffix"})
_PATHS = ("pathlib.", "anyio.")
_SPLITS = frozenset({"split", "rsplit", "partition", "rpartition"})
#: Parts of a parsed address that cannot name a host.
_BEHIND_HOST = frozenset({"path", "query", "fragment", "port"})


class Cleaning:
    """Bits that are clear behind a call, an attribute or an index."""

    def __init__(self, program: Program, query: TaintQuery, guards: Guards) -> None:
        self._program = program
        self._guards = guards
        self._paths = guards.paths
        self._hosts = guards.hosts
        self._html = query.bits().get("html", 0)
        self._methods: dict[str, Callable[[ir.Call, Scope], int]] = {
            "strip": self._strip,
            "lstrip": self._strip,
            "replace": self._replace,
            "split": self._split,
            "sub": self._sub,
            "quote": self._quote,
            "quote_plus": self._quote,
            "urlencode": self._encode,
        }
        self.matters = bool(self._paths.everything | self._hosts.everything | self._html)

    def of_call(self, node: ir.Call, scope: Scope) -> int:
        """What a call's result is clean for, whatever it was given."""
        func: Any = node.func
        name = last_name(func)
        method = self._methods.get(name)
        return method(node, scope) if method is not None else 0

    def resolves(self, node: ir.Call) -> bool:
        """The call takes `..` out of a path."""
        return last_name(node.func) in RESOLVING

    def of_attribute(self, node: ir.Attribute, scope: Scope) -> int:
        """What an attribute is clean for, whatever it belongs to."""
        if node.attr in _LAST_PARTS:
            of = self._program.inference.type_of(node.value, scope)
            names = [o.name for o in options(of) if isinstance(o, Instance)]
            return self._paths.everything if names and all(n.startswith(_PATHS) for n in names) else 0
        if node.attr in _BEHIND_HOST:
            of = self._program.inference.type_of(node.value, scope)
            names = [o.name for o in options(of) if isinstance(o, Instance)]
            return self._hosts.host if any(n.endswith((".URL", "ParseResult")) for n in names) else 0
        return 0

    def of_index(self, node: ir.Subscript, scope: Scope) -> int:
        """`name.rsplit("/", 1)[-1]`: the piece behind the last separator."""
        call: Any = node.value
        if call.__class__ is not ir.Call or last_name(call.func) not in _SPLITS or not call.args:
            return 0
        if constant_text(call.args[0]) != "/":
            return 0
        index = self._program.constants.value(node.slice, scope)
        last = last_name(call.func).startswith("r") and index in (-1, 1, 2)
        first = not last_name(call.func).startswith("r") and index == 0
        return self._paths.everything if last or first else 0

    # ── methods ─────────────────────────────────────────────────────────────────────────────────────────────

    def _strip(self, node: ir.Call, _scope: Scope) -> int:
        text = constant_text(node.args[0]) if node.args else None
        return self._paths.relative | self._hosts.rest if text is not None and "/" in text else 0

    def _replace(self, node: ir.Call, scope: Scope) -> int:
        if len(node.args) != 2:
            return 0
        old, new = (self._program.constants.string(each, scope) for each in node.args)
        if old is None or new is None or old in new:
            return 0
        if old == "<":
            return self._html
        if old == "/" and ".." not in new:
            return self._paths.everything
        return self._paths.without_dots if old == ".." and "." not in new else 0

    def _split(self, node: ir.Call, _scope: Scope) -> int:
        """All pieces between separators; with a limit the last one may hold more of them."""
        is_whole = len(node.args) == 1 and not node.keywords and constant_text(node.args[0]) == "/"
        return self._paths.everything if is_whole else 0

    def _sub(self, node: ir.Call, scope: Scope) -> int:
        inference, constants = self._program.inference, self._program.constants
        func: Any = node.func
        of = inference.type_of(func, scope)
        if isinstance(of, External) and of.name == "re.sub":
            pattern, new = constants.string(argument(node, 0, "pattern"), scope), argument(node, 1, "repl")
        else:
            compiled, where = inference.expand(getattr(func, "value", func), scope)
            if compiled.__class__ is not ir.Call or last_name(compiled.func) != "compile":
                return 0
            pattern, new = (
                constants.string(argument(compiled, 0, "pattern"), where),
                argument(node, 0, "repl"),
            )
        replacement = constants.value(new, scope)
        if (
            pattern is None
            or replacement is UNKNOWN
            or not isinstance(replacement, str)
            or "/" in replacement
        ):
            return 0
        return self._guards.mask_without(pattern)

    def _encode(self, _node: ir.Call, _scope: Scope) -> int:
        """`name=value&...` is no address."""
        return self._html | self._hosts.everything

    def _quote(self, node: ir.Call, scope: Scope) -> int:
        safe = argument(node, 1, "safe")
        everything = safe is not None and self._program.constants.string(safe, scope) == ""
        return self._html | (self._paths.everything if everything else 0)
