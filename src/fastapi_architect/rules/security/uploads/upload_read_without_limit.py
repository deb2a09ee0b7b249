"""An upload is read or stored whole, however large it is.

Starlette limits how many files and fields a form has, not how large a file may be. `await file.read()` takes all of it into
memory; `shutil.copyfileobj` fills the disk. A few large uploads at once stop the process, or the machine. `read(limit + 1)` and
a look at the length, `file.size` before anything is read, or a limit on bodies in front of the application end that.

Known limits: a limit that a proxy sets is not seen; name it as `gateway = {"body-size" = ["*"]}` in
`[tool.fastapi-architect.project]`. `len(content)` after everything was read is reported as tentative; where only
administrators upload it is minor. Bodies that are read with
`request.body()` are not looked at, as FastAPI reads JSON in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.per_request import PerRequest, per_request
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.upload_limits import (
    checked_after,
    checked_before,
    dependencies_of,
    limited_in_front,
)
from fastapi_architect.concepts.filesystem import FileCopy
from fastapi_architect.concepts.http import UploadRead
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
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "An upload is read or stored whole, however large it is",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        "https://fastapi.tiangolo.com/tutorial/request-files/#uploadfile",
    ),
    requires=("python-multipart",),
)


@rule.check(per=UploadRead)
def all_of_an_upload_is_read(read: UploadRead, graph: AppGraph) -> Iterator[Finding]:
    size = graph.program.constants.value(read.size, read.scope) if read.size is not None else None
    if read.upload is not None and (size is None or (size is not UNKNOWN and size == -1)):
        yield from _unlimited(read, read.upload, graph)


@rule.check(per=FileCopy)
def all_of_an_upload_is_stored(copy: FileCopy, graph: AppGraph) -> Iterator[Finding]:
    source = copy.source
    if isinstance(source, ir.Attribute) and source.attr == "file":
        found = options(graph.program.inference.type_of(source.value, copy.scope))
        if any(isinstance(o, Instance) and o.name.endswith(".UploadFile") for o in found):
            yield from _unlimited(copy, source.value, graph)


def _unlimited(fact: UploadRead | FileCopy, upload: ir.Expr, graph: AppGraph) -> Iterator[Finding]:
    function = fact.function
    if function is None or function.module.kind != "source":
        return
    found = per_request(function, graph)
    if found is None or limited_in_front(found.operations, graph):
        return
    callers = [site.scope for site in found.hops if isinstance(site.scope, Function)]
    before = {id(f): f for f in (function, found.root, *callers, *dependencies_of(found.operations))}
    if not checked_before(before.values(), graph):
        finding = _finding(fact, upload, function, found, graph)
        trusted = found.operations and all(is_for_administrators(o, graph) for o in found.operations)
        yield replace(finding, severity=Severity.MINOR) if trusted else finding


def _finding(
    fact: UploadRead | FileCopy, upload: ir.Expr, function: Function, found: PerRequest, graph: AppGraph
) -> Finding:
    name = written(graph, function, upload)
    uploading = [o for o in found.operations if any(p.kind == "file" for p in o.parameters)]
    operations = uploading or found.operations
    route = first_route(operations, function.name)
    is_read = isinstance(fact, UploadRead)
    what = "reads all of" if is_read else "stores all of"
    late = is_read and checked_after(function)
    cost = (
        "Its length is looked at when all of it is in memory."
        if late
        else "Nothing on the way looks at its size."
    )
    return rule.at(
        fact,
        f"`{function.name}` {what} `{name}` of {route}, however large it is.",
        _suggestion(name, written(graph, function, fact.node), is_async=fact.site.awaited),
        reasoning=f"A file of a form has no largest size in Starlette. {cost}",
        exploit=f"A few uploads of several gigabytes to {route} at once fill the {'memory' if is_read else 'disk'}.",
        confidence=Confidence.TENTATIVE if late else Confidence.FIRM,
        trace=steps((fact, f"all of `{name}` is {'read into memory' if is_read else 'written to the disk'}")),
        routes=routes_of(operations),
        fix=_fix(fact, function) if is_read and not late else None,
        context=Context(stops_process=True),
    )


def _suggestion(name: str, call: str, *, is_async: bool) -> str:
    awaited = "await " if is_async else ""
    reading = f"{awaited}{call.removesuffix(')')}MAX_UPLOAD + 1)" if call.endswith("read()") else ""
    return (
        "Read one byte more than you take, and refuse what reaches it:\n"
        "```python\nMAX_UPLOAD = 10 * 1024 * 1024\n\n"
        f"content = {reading or f'{awaited}{name}.read(MAX_UPLOAD + 1)'}\n"
        'if len(content) > MAX_UPLOAD:\n    raise HTTPException(413, "The file is too large.")\n```'
    )


def _fix(fact: UploadRead | FileCopy, function: Function) -> Fix | None:
    """`content = await file.read()` in a file that knows `HTTPException`: a limit, and the check behind it."""
    statement = fact.site.statement
    if not isinstance(statement, ir.Assign) or len(statement.targets) != 1 or fact.node.args:
        return None
    target = statement.targets[0]
    value = statement.value.value if isinstance(statement.value, ir.Await) else statement.value
    if not isinstance(target, ir.Name) or value is not fact.node or fact.node.keywords:
        return None
    if "HTTPException" not in function.module.facts.bindings:
        return None
    call, whole = function.location(fact.node), function.location(statement)
    end, column = call.end_line, call.end_column
    inside = type(call)(call.path, end, column - 1, end, column - 1)
    behind = type(call)(call.path, whole.end_line, whole.end_column, whole.end_line, whole.end_column)
    indent = " " * whole.column
    check = (
        f"\n{indent}if len({target.id}) > 10 * 1024 * 1024:"
        f'\n{indent}    raise HTTPException(413, "The file is too large.")'
    )
    edits = (Edit(inside, "10 * 1024 * 1024 + 1"), Edit(behind, check))
    return Fix("Read at most 10 MB and refuse what is larger", edits)


_APP = """
    from pathlib import Path

    from fastapi import FastAPI, HTTPException, UploadFile

    app = FastAPI()

    @app.post("/pictures")
    async def upload(file: UploadFile) -> dict[str, int]:
        %s
        Path("picture.png").write_bytes(content)
        return {"size": len(content)}
"""

rule.bad = _APP % "content = await file.read()  # finding: upload-read-without-limit"

rule.good = (
    _APP
    % """content = await file.read(1_000_000)
        if len(content) == 1_000_000:
            raise HTTPException(413, "The file is too large.")"""
)


@rule.exploit
def an_upload_fills_the_disk(proof: Proof) -> None:
    """A picture of twelve megabytes is taken into memory and stored."""
    proof.client.post("/pictures", files={"file": ("a.png", b"x" * 12 * 1024 * 1024)})
    stored = proof.root / "picture.png"
    assert stored.exists()
    assert stored.stat().st_size == 12 * 1024 * 1024
