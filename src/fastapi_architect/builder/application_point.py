"""The one place of an application where components are installed: made, and all that its own code adds to it done.

The syntax of one file decides: the statement after the last that concerns the application, in the body that creates it. It
stands before whatever takes every path (a mount at "/", a catch-all route), because what comes later would never be reached,
and before a server that does not return.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import msgspec

from fastapi_architect.builder.errors import BuildError

_Body = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.With | ast.AsyncWith
_Compound = (ast.If, ast.For, ast.With, ast.Try, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Calls that do not return while the service runs.
_SERVERS = frozenset({"uvicorn.run", "hypercorn.run", "serve", "run_forever", "asyncio.run"})
#: Methods of an application that add something to it.
REGISTERING = frozenset(
    {
        "add_middleware", "include_router", "mount", "add_exception_handler", "add_api_route", "add_route",
        "add_websocket_route", "add_api_websocket_route", "add_event_handler",
    }
)  # fmt: skip


class Point(msgspec.Struct, frozen=True):
    """Where the call goes.

    Attributes:
        line: it is inserted after this line, counted from 1.
        indentation: of the statements around it.
        variable: the application as it is called there: `app`, `self.app`.
        after: the source of the statement before it, in a few words.
        spaced: an empty line belongs before the call.
    """

    line: int
    indentation: str
    variable: str
    after: str
    spaced: bool = False


class Cannot(BuildError):
    """No place is safe; the message says why."""


def find_point(text: str, line: int, column: int, shadowing: Sequence[tuple[str, int, int]] = ()) -> Point:
    """The place in a file whose application is created by the call at a line and column.

    Args:
        text: the file.
        line: of the creating call, from 1.
        column: of it, from 0, in UTF-8 bytes.
        shadowing: what takes every path: the function in whose body it stands ("" for the module), or that leads there, and
            the lines of the statement where it is in this file (0 elsewhere).

    Raises:
        Cannot: no place is safe.
    """
    tree = ast.parse(text)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    call = next(
        (n for n in ast.walk(tree) if isinstance(n, ast.Call) and (n.lineno, n.col_offset) == (line, column)),
        None,
    )
    if call is None:
        message = f"the call in line {line} that creates the application is not found"
        raise Cannot(message)
    statement = _statement_of(call, parents)
    variable = _variable(statement, call)
    body, at = _body_of(statement, parents)
    inner = body.body
    _refuse_several_returns(body, variable)
    users = _functions_using(tree, variable) if isinstance(body, ast.Module) else frozenset()
    last = at
    for number in range(at, len(inner)):
        each = inner[number]
        if number > at and (_stops(each, variable, call) or _shadows(each, variable, shadowing)):
            break
        if number == at or _concerns(each, variable, users):
            last = number
    found = inner[last]
    if isinstance(found, ast.Return):
        message = f"line {found.lineno} returns the application where it creates it, without a name"
        raise Cannot(message)
    source = text.split("\n")
    indentation = source[inner[at].lineno - 1][: inner[at].col_offset]
    if indentation.strip():
        message = f"line {inner[at].lineno} holds several statements"
        raise Cannot(message)
    end = found.end_lineno or found.lineno
    spaced = end > found.lineno and (not indentation or isinstance(found, _Compound))
    return Point(end, indentation, variable, _short(source[found.lineno - 1]), spaced)


def registers_later(text: str, line: int, column: int) -> bool:
    """Tell whether what a call returns is named, and more is registered on it in the same body."""
    tree = ast.parse(text)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (line, column):
            statement = _statement_of(node, parents)
            try:
                variable = _variable(statement, node)
            except Cannot:
                return False
            body, at = _body_of(statement, parents)
            return any(_registers(each, variable) for each in body.body[at + 1 :])
    return False


def _statement_of(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.stmt:
    while not isinstance(node, ast.stmt):
        node = parents[node]
    return node


def _variable(statement: ast.stmt, call: ast.Call) -> str:
    """The name that the application gets.

    Raises:
        Cannot: it gets none.
    """
    target: ast.expr | None = None
    if isinstance(statement, ast.Assign) and statement.value is call:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is call:
        target = statement.target
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        message = (
            f"line {statement.lineno} keeps the application as `{ast.unparse(target)}`: which methods add to it, and when, "
            "cannot be read from the source"
        )
        raise Cannot(message)
    message = f"line {statement.lineno} does not give the application that it creates a name"
    raise Cannot(message)


def _body_of(statement: ast.stmt, parents: dict[ast.AST, ast.AST]) -> tuple[_Body, int]:
    """The body in which the application lives, and the number of the statement there that creates it."""
    node: ast.AST = statement
    while True:
        parent = parents[node]
        if (
            isinstance(parent, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.With, ast.AsyncWith))
            and node in parent.body
        ):
            return parent, parent.body.index(node)
        if isinstance(parent, ast.ClassDef):
            message = f"line {statement.lineno} creates the application in the body of a class"
            raise Cannot(message)
        node = parent


def _refuse_several_returns(body: _Body, variable: str) -> None:
    if not isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    returns = [
        node
        for node in _without_functions(body.body)
        if isinstance(node, ast.Return) and node.value is not None and _names(node.value, variable)
    ]
    if len(returns) > 1:
        lines = ", ".join(str(node.lineno) for node in returns)
        message = f"`{body.name}` returns the application in several places (lines {lines})"
        raise Cannot(message)


def _without_functions(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Nodes that run with the body; decorators of functions do, their bodies do not."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            pending += node.decorator_list
        elif not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _names(node: ast.AST, variable: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == variable for each in ast.walk(node))


def _concerns(statement: ast.stmt, variable: str, users: frozenset[str]) -> bool:
    """The statement does something with the application, by itself or by a function of the file that knows it."""
    if isinstance(statement, ast.Return):
        return False
    for node in _without_functions([statement]):
        if isinstance(node, ast.Name) and node.id == variable:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in users:
            return True
    return False


def _functions_using(tree: ast.Module, variable: str) -> frozenset[str]:
    """Functions of the module that use its application as a global."""
    return frozenset(
        each.name
        for each in tree.body
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        and variable not in {argument.arg for argument in [*each.args.args, *each.args.kwonlyargs]}
        and any(_names(inner, variable) for inner in each.body)
    )


def _stops(statement: ast.stmt, variable: str, call: ast.Call) -> bool:
    """Nothing may come after: the name means something else from here on, or a server runs, or only a script goes on."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.If) and _is_script(statement.test):
        return True
    for node in _without_functions([statement]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _SERVERS:
            return True
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        made = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        renamed = any(isinstance(target, ast.Name) and target.id == variable for target in targets)
        if renamed and made is not None and made is not call and _names(made, variable):
            return True
    return False


def _shadows(statement: ast.stmt, variable: str, shadowing: Sequence[tuple[str, int, int]]) -> bool:
    if any(_takes_every_path(node, variable) for node in _without_functions([statement])):
        return True
    for function, first, last in shadowing:
        if first and statement.lineno <= first and last <= (statement.end_lineno or 0):
            return True
        if function and any(
            isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function
            for node in _without_functions([statement])
        ):
            return True
    return False


def _takes_every_path(node: ast.AST, variable: str) -> bool:
    """`app.mount("/", ...)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"mount", "frontend"}
        and ast.unparse(node.func.value) == variable
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in {"", "/"}
    )


def _registers(statement: ast.stmt, variable: str) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == variable
        and (
            node.func.attr in REGISTERING
            or node.func.attr in {"get", "post", "put", "delete", "patch", "middleware"}
        )
        for node in _without_functions([statement])
    )


def _is_script(test: ast.expr) -> bool:
    return "__name__" in ast.unparse(test) and "__main__" in ast.unparse(test)


def _short(line: str) -> str:
    text = line.strip()
    return text if len(text) <= 60 else f"{text[:57]}..."
