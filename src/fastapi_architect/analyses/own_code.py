"""The reader's own definitions and route registrations, as code for a suggestion that changes only what it is about.

What a suggestion shows is copied: a path with the router's prefix in it, or a handler without its parameters, would break
the file it is copied into. Everything here is made of the text that stands in the file.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.background import Task
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Longer lines are broken at their commas.
_WIDTH = 100
#: A longer argument of a registration that nobody asked about reads `name=...`.
_LONG = 80

_SECRET = lazy_pattern(r"pass(word|wd|phrase)|secret|token|api_?key|credential", re.IGNORECASE)

#: Annotation and default of a parameter, as text; "" where there is none.
ParameterText = tuple[str, str]


def written(graph: AppGraph, scope: Scope, expr: ir.Expr | None) -> str:
    """An expression as it stands in its file, on one line where that is possible; "" for None."""
    if expr is None:
        return ""
    text = text_at(graph, scope.location(expr))
    # A comment or a string of several lines would change its meaning when lines are joined.
    return text if any(each in text for each in ("#", '"""', "'''", "\\\n")) else _on_one_line(text)


def definition(
    graph: AppGraph,
    function: Function,
    body: str = "...",
    *,
    name: str = "",
    is_async: bool | None = None,
    parameters: Mapping[str, ParameterText] | None = None,
    returns: str | None = None,
) -> str:
    """A function with its own parameters, and a body.

    Args:
        graph: where the texts are.
        function: whose first lines are wanted.
        body: its statements, not indented.
        name: another name than its own.
        is_async: `async def` or `def`; None as it stands.
        parameters: those that are to read differently, by name; one that it does not have is added.
        returns: the return annotation; None as it stands.
    """
    declared = _parameters(graph, function, dict(parameters or {}))
    answer = written(graph, function, function.node.returns) if returns is None else returns
    keyword = "async def" if (function.is_async if is_async is None else is_async) else "def"
    arrow = f" -> {answer}" if answer else ""
    head = _call(f"{keyword} {name or function.name}", declared, f"{arrow}:")
    return f"{head} ..." if body == "..." else f"{head}\n{textwrap.indent(body, '    ')}"


def registered(
    graph: AppGraph,
    operation: PathOperation,
    body: str = "...",
    *,
    method: str = "",
    path: str = "",
    keywords: Mapping[str, str] | None = None,
    parameters: Mapping[str, ParameterText] | None = None,
    returns: str | None = None,
) -> str:
    """An operation's decorator and handler as they stand, but for what is given.

    Args:
        graph: where the texts are.
        operation: the operation; one that `add_api_route` registers is shown by that call.
        body: the handler's statements, not indented.
        method: another method than its own, in lower case.
        path: another path, as Python text with its quotes.
        keywords: arguments of the registration that are to read differently; a list is joined to the one that is there.
        parameters: as for `definition`.
        returns: as for `definition`.
    """
    call = operation.registration[0]
    handler = operation.handler
    text = _registration(graph, operation, method, {**({"path": path} if path else {}), **(keywords or {})})
    if handler is None:
        return text
    if any(each.span == call.span for each in handler.node.decorators):
        return f"@{text}\n{definition(graph, handler, body, parameters=parameters, returns=returns)}"
    if not parameters and returns is None and body == "...":
        return text
    return f"{definition(graph, handler, body, parameters=parameters, returns=returns)}\n\n\n{text}"


def registered_path(graph: AppGraph, operation: PathOperation) -> str:
    """The path as the registration writes it, quotes included: without the prefixes of routers and includes."""
    call, scope = operation.registration
    path = argument(call, 0, "path")
    return written(graph, scope, path) or f'"{operation.path}"'


def _on_one_line(text: str) -> str:
    first, *others = [line.strip() for line in text.split("\n")]
    joined = first
    for line in others:
        closes = joined[-1:] in "([{" or line[:1] in tuple(")]}")
        joined += line if closes else f" {line}"
    return joined


def _registration(graph: AppGraph, operation: PathOperation, method: str, changed: dict[str, str]) -> str:
    call, scope = operation.registration
    func = written(graph, scope, call.func)
    if method and last_name(call.func) in [each.lower() for each in operation.methods]:
        func = f"{func.rpartition('.')[0]}.{method}"
    elif method:
        changed["methods"] = f'["{method.upper()}"]'
    given = [written(graph, scope, each) for each in call.args]
    if given and "path" in changed:
        given[0] = changed.pop("path")
    for each in call.keywords:
        text = written(graph, scope, each.value)
        if each.arg in changed:
            new = changed.pop(each.arg)
            text = new if each.arg == "methods" else _joined(text, new)
        elif len(text) > _LONG or "\n" in text:
            text = "..."
        given.append(f"{each.arg}={text}" if each.arg else f"**{text}")
    given += [f"{key}={text}" for key, text in changed.items()]
    return _call(func, given, "")


def _joined(old: str, new: str) -> str:
    """Two lists as one; anything else is replaced."""
    if not (old.startswith("[") and new.startswith("[")):
        return new
    inside = [each[1:-1].strip().rstrip(",") for each in (old, new)]
    return f"[{', '.join(each for each in inside if each)}]"


def _parameters(graph: AppGraph, function: Function, changed: dict[str, ParameterText]) -> list[str]:
    """The parameters, with `/` and `*` where they belong, and those without a default first."""
    lists: dict[str, list[tuple[str, bool]]] = {"posonly": [], "normal": [], "kwonly": []}
    rest: dict[str, str] = {}
    for each in function.parameters:
        own = (written(graph, function, each.annotation), _default(graph, function, each))
        annotation, default = changed.pop(each.name, own)
        if each.kind in lists:
            lists[each.kind].append((_parameter(each.name, annotation, default), bool(default)))
        else:
            rest[each.kind] = ("*" if each.kind == "vararg" else "**") + _parameter(each.name, annotation, "")
    lists["normal"] += [(_parameter(name, *text), bool(text[1])) for name, text in changed.items()]
    lists["normal"].sort(key=lambda pair: pair[1])
    texts = [text for text, _ in lists["posonly"]]
    texts += ["/"] if texts else []
    texts += [text for text, _ in lists["normal"]]
    if "vararg" in rest:
        texts.append(rest["vararg"])
    elif lists["kwonly"]:
        texts.append("*")
    texts += [text for text, _ in lists["kwonly"]]
    return [*texts, rest["kwarg"]] if "kwarg" in rest else texts


def _default(graph: AppGraph, function: Function, param: ir.Param) -> str:
    """A parameter's default; a secret that stands there is not carried further."""
    default = param.default
    if (
        isinstance(default, ir.Constant)
        and default.kind == "str"
        and default.value
        and _SECRET.search(param.name)
    ):
        return '"***"'
    return written(graph, function, default)


def _parameter(name: str, annotation: str, default: str) -> str:
    if not annotation:
        return f"{name}={default}" if default else name
    return f"{name}: {annotation}{f' = {default}' if default else ''}"


def _call(name: str, given: list[str], end: str) -> str:
    line = f"{name}({', '.join(given)}){end}"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    # `*args` and `**kwargs` take a comma behind them, too.
    inside = "".join(f"    {each},\n" for each in given)
    return f"{name}(\n{inside}){end}"


def task_registered(
    graph: AppGraph,
    task: Task,
    body: str = "...",
    *,
    keywords: Mapping[str, str] | None = None,
    name: str = "",
    is_async: bool | None = None,
    parameters: Mapping[str, ParameterText] | None = None,
) -> str:
    """A task's decorator and function as they stand, but for what is given.

    Args:
        graph: where the texts are.
        task: a task of any library; one that no decorator makes is shown without one.
        body: as for `definition`.
        keywords: arguments of the decorator that are to read differently.
        name: as for `definition`.
        is_async: as for `definition`.
        parameters: as for `definition`.
    """
    function, changed = task.function, dict(keywords or {})
    inner = definition(graph, function, body, name=name, is_async=is_async, parameters=parameters)
    for decorator in function.node.decorators:
        if function.module.location(decorator) != task.location:
            continue
        call = decorator if isinstance(decorator, ir.Call) else None
        func = written(graph, function, call.func if call is not None else decorator)
        given = [written(graph, function, each) for each in call.args] if call is not None else []
        for each in call.keywords if call is not None else ():
            text = changed.pop(each.arg or "", "") or written(graph, function, each.value)
            given.append(f"{each.arg}={text}" if each.arg else f"**{text}")
        given += [f"{key}={text}" for key, text in changed.items()]
        return f"@{_call(func, given, '') if given or call is not None else func}\n{inner}"
    return inner
