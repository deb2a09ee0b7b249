"""How the project's routes get a session: so that new code takes the same."""

from __future__ import annotations

import ast

import msgspec

from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.judged import read_file
from fastapi_architect.program.definitions import Function

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


class SessionSource(msgspec.Struct, frozen=True):
    """The dependency that gives routes their session.

    Attributes:
        module, function: where it is.
        is_async: it gives an AsyncSession.
    """

    module: str
    function: str
    is_async: bool


def session_source(hands: Hands) -> SessionSource | None:
    """What most routes get their session from; None where nothing says that it gives one."""
    names = [name for o in hands.operations for name in o["dependencies"]]
    for name in sorted(set(names), key=lambda each: (-names.count(each), each)):
        function = hands.project.graph.program.symbol(name)
        if isinstance(function, Function):
            returned = _returned(hands, function)
            if "Session" in returned:
                return SessionSource(function.module.name, function.name, "AsyncSession" in returned)
    return None


def _returned(hands: Hands, function: Function) -> str:
    text = read_file(hands.workspace.root, function.module.path)
    try:
        tree = ast.parse(text or "")
    except _UNPARSABLE:
        return ""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == function.name
            and node.returns
        ):
            return ast.unparse(node.returns)
    return ""
