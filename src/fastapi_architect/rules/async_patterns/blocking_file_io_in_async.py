"""A coroutine reads or writes files by itself.

Files feel instant until the disk is a network share, a cold volume or a busy one. While a coroutine is in `open`,
`read_bytes` or `copyfileobj`, the event loop stands still and every other request waits. One finding for each coroutine.

Known limits: files of the project itself that are named in the code (a template, a version) are taken for small; what
synchronous helpers do with files is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import on_the_loop
from fastapi_architect.analyses.event_loop import OnLoop
from fastapi_architect.analyses.offloading import called_name, import_edits, whose_turn
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    argument,
    dotted_name,
    first_route,
    ir,
    last_name,
    names_in,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A coroutine reads or writes a file on the event loop",
    severity=Severity.MINOR,
    cwe=400,
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        "https://fastapi.tiangolo.com/tutorial/request-files/#uploadfile",
    ),
)

_PATH_METHODS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes"})
_UPLOADS = frozenset({"starlette.datastructures.UploadFile", "fastapi.UploadFile"})


@rule.check(per=AppGraph)
def files_on_the_loop(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    for blocking in graph.facts(BlockingCall):
        if blocking.kind != "file" or id(blocking.function) in seen or _is_of_the_project(blocking, graph):
            continue
        on = on_the_loop(blocking, graph)
        if on is not None and on.serves:
            seen.add(id(blocking.function))
            yield _finding(blocking.site, on, sure=blocking.sure and on.sure)
    yield from _uploads(graph, seen)


def _is_of_the_project(blocking: BlockingCall, graph: AppGraph) -> bool:
    """A file that the code names: a constant, or beside the module."""
    func = blocking.node.func
    path = (
        func.value
        if isinstance(func, ir.Attribute) and func.attr in _PATH_METHODS
        else argument(blocking.node, 0)
    )
    if path is None:
        return False
    if graph.program.constants.value(path, blocking.scope) is not UNKNOWN:
        return True
    expr, _ = graph.program.inference.expand(path, blocking.scope)
    written = set(names_in(expr))
    return "__file__" in written or (
        bool(written) and all(name.isupper() or name == "Path" for name in written)
    )


def _uploads(graph: AppGraph, seen: set[int]) -> Iterator[Finding]:
    """`upload.file.read()` in a coroutine, where `await upload.read()` would do."""
    for operation in graph.operations:
        function = operation.handler
        if function is None or not function.is_async or id(function) in seen:
            continue
        for site in function.facts.calls_named("read"):
            func = site.node.func
            inner = func.value if isinstance(func, ir.Attribute) else None
            if (
                isinstance(inner, ir.Attribute)
                and inner.attr == "file"
                and _is_upload(inner.value, function, graph)
            ):
                seen.add(id(function))
                on = OnLoop("operation", graph.operations_running(function), function, sure=True)
                yield _finding(site, on, sure=True)
                break


def _is_upload(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    found = options(graph.program.inference.type_of(expr, function))
    return any(isinstance(of, Instance) and of.name in _UPLOADS for of in found)


def _finding(site: Site, on: OnLoop, *, sure: bool) -> Finding:
    function = site.scope
    assert isinstance(function, Function)
    name = called_name(site)
    upload = _upload_of(site)
    return rule.at(
        site,
        f"`{function.name}` {whose_turn(on, function)} and is held up in `{name}` for as long as the disk takes.",
        f"Read the upload as a coroutine:\n```python\ncontent = await {upload}.read()\n```"
        if upload
        else f"Let a thread do it:\n```python\nimport asyncio\n\nresult = {_offloaded(site)}\n```",
        reasoning="Files have no asynchronous interface of their own; the call returns when the operating system has done it.",
        exploit=f"While {first_route(on.operations, function.name)} waits for a slow disk in `{name}`, no other request of this "
        "worker is served.",
        confidence=Confidence.CERTAIN if sure else Confidence.FIRM,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"), (site, f"{name} waits for the disk")
        ),
        fix=_fix(site, upload),
        routes=routes_of(on.operations),
        context=Context(stops_process=False),
        impact=float(len(on.operations)),
    )


def _upload_of(site: Site) -> str:
    """`upload` of `upload.file.read()`."""
    written = dotted_name(site.node.func)
    return written.removesuffix(".file.read") if written.endswith(".file.read") else ""


def _offloaded(site: Site) -> str:
    if last_name(site.node.func) in _PATH_METHODS and dotted_name(site.node.func):
        return f"await asyncio.to_thread({dotted_name(site.node.func)})"
    return "await asyncio.to_thread(read_file, path)  # with the file opened and closed inside"


def _fix(site: Site, upload: str) -> Fix | None:
    """One call, where one call is all of it."""
    call, scope = site.node, site.scope
    if upload and not call.args and not call.keywords:
        return Fix(
            "Read the upload as a coroutine", (Edit(scope.location(call), f"(await {upload}.read())"),)
        )
    name = dotted_name(call.func)
    imports = import_edits(scope.module, "asyncio")
    if (
        last_name(call.func) not in _PATH_METHODS
        or not name
        or imports is None
        or call.keywords
        or len(call.args) > 1
    ):
        return None
    place = scope.location(call)
    if not call.args:
        return Fix("Read the file on a thread", (*imports, Edit(place, f"(await asyncio.to_thread({name}))")))
    start, inner = scope.location(call.func), scope.location(call.args[0])
    opening = Location(place.path, start.line, start.column, inner.line, inner.column)
    end = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
    edits = (Edit(opening, f"(await asyncio.to_thread({name}, "), Edit(end, ")"))
    return Fix("Write the file on a thread", (*imports, *edits))


rule.bad = """
    from pathlib import Path

    from fastapi import FastAPI

    app = FastAPI()
    covers = Path("covers")


    @app.get("/covers/{book}")
    async def cover(book: int) -> int:
        path = covers / f"{book}.svg"
        if not path.exists():
            return 0
        return len(path.read_text())  # finding: blocking-file-io-in-async
"""

rule.good = """
    import asyncio
    from pathlib import Path

    from fastapi import FastAPI

    app = FastAPI()
    covers = Path("covers")


    @app.get("/covers/{book}")
    async def cover(book: int) -> int:
        path = covers / f"{book}.svg"
        if not path.exists():
            return 0
        return len(await asyncio.to_thread(path.read_text))
"""


@rule.symptom
def the_loop_waits_for_the_disk(proof: Proof) -> None:
    """The file is opened and read in the thread of the event loop."""
    proof.place("covers/7.svg", "<svg/>")
    assert proof.client.get("/covers/7").json() == len("<svg/>")
    assert proof.blocked
