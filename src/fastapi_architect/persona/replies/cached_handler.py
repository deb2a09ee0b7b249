"""A handler whose answer is kept in the cache, as a patch."""

from __future__ import annotations

import ast
import textwrap

from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.judged import read_file
from fastapi_architect.persona.replies.handlers import Handler, diff, handler_of, with_imports


def cached(hands: Hands, operation: Document, module: str) -> str:
    """The patch; "" where the handler does not say what it returns, or is too clever to be changed by text."""
    text = read_file(hands.workspace.root, operation["file"])
    handler = handler_of(text, operation) if text is not None else None
    if text is None or handler is None:
        return ""
    returned = _returned(handler, text)
    body = _body(handler, text)
    if not returned or not body or "yield" in body:
        return ""
    name = handler.name.upper()
    key = "".join(
        f"{each['name']}, " for each in operation["parameters"] if each["kind"] in ("path", "query")
    )
    signature = _signature(handler, text)
    if not signature:
        return ""
    is_async = isinstance(handler, ast.AsyncFunctionDef)
    inner = f"async def load() -> {returned}:\n{textwrap.indent(body, '    ')}"
    imports = [f"from {module} import CacheDep, CachedValue"]
    if not is_async:
        inner = (
            f"def read() -> {returned}:\n{textwrap.indent(body, '    ')}\n\n"
            f"async def load() -> {returned}:\n    return await run_in_threadpool(read)"
        )
        imports.append("from fastapi.concurrency import run_in_threadpool")
    lines = text.split("\n")
    first = min([handler.lineno, *(d.lineno for d in handler.decorator_list)]) - 1
    made = [
        *lines[:first],
        f'{name} = CachedValue("{handler.name}", {returned}, ttl=60)',
        "",
        "",
        *lines[first : handler.lineno - 1],
        f"async def {handler.name}({signature}) -> {returned}:",
        *textwrap.indent(inner, "    ").split("\n"),
        "",
        f"    return await cache.get_or_load({name}.key({key}shared=True), load)",
        *lines[(handler.end_lineno or handler.lineno) :],
    ]
    after = "\n".join(made)
    try:
        after = with_imports(after, imports)
        ast.parse(after)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return diff(operation["file"], text, after)


def _returned(handler: Handler, text: str) -> str:
    if handler.returns is not None:
        return ast.get_source_segment(text, handler.returns) or ""
    for each in handler.decorator_list:
        for keyword in each.keywords if isinstance(each, ast.Call) else ():
            if keyword.arg == "response_model":
                return ast.get_source_segment(text, keyword.value) or ""
    return ""


def _body(handler: Handler, text: str) -> str:
    first, last = handler.body[0], handler.body[-1]
    if first.lineno <= handler.lineno or handler.col_offset:
        return ""
    return textwrap.dedent("\n".join(text.split("\n")[first.lineno - 1 : last.end_lineno]))


def _signature(handler: Handler, text: str) -> str:
    """The parameters with the cache in front: it has no default, and a parameter without one may not follow one with."""
    arguments = handler.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs or arguments.kwonlyargs:
        return ""
    positional = arguments.args
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    parts = ["cache: CacheDep"]
    for argument, default in zip(positional, defaults, strict=True):
        part = ast.get_source_segment(text, argument) or argument.arg
        if default is not None:
            part += f" = {ast.get_source_segment(text, default)}"
        parts.append(part)
    return ", ".join(parts)
