"""Which archives that a request brings are unpacked without a look at their members' names?

Zip files are left out: `ZipFile.extract` takes `..` and leading slashes out of names itself; so does `unpack_archive` for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.request_flows import flows_to
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.filesystem import ArchiveExtraction, FileAccess
from fastapi_architect.concepts.http import UploadRead
from fastapi_architect.findings.finding import Step
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Who asks for the members may look at their names.
_LOOKING = frozenset({"getmembers", "getnames", "getmember", "next", "commonpath", "is_relative_to"})
_BODIES = frozenset({"body", "stream", "form", "receive_bytes", "iter_bytes"})


class UnpackedUpload(msgspec.Struct, frozen=True, eq=False):
    """A stranger's archive is unpacked.

    Attributes:
        extraction: the call.
        name: what brings the archive, in the reader's own terms.
        route: the operation that takes it.
        routes: all of them.
        trace: how it gets there.
        confidence: by how it was followed; tentative where the format is chosen by the file's name.
    """

    extraction: ArchiveExtraction
    name: str
    route: str
    routes: tuple[str, ...]
    trace: tuple[Step, ...]
    confidence: Confidence


@question
def unpacked_uploads(graph: AppGraph) -> tuple[UnpackedUpload, ...]:
    """One for each call, in order of files and places."""
    wanted = {id(e.node): e for e in graph.facts(ArchiveExtraction) if _is_open(e)}
    found: dict[int, UnpackedUpload] = {}
    for each in _read_from_requests(graph) if wanted else ():
        found.setdefault(id(each.extraction.node), each)
    for extraction in wanted.values():
        if id(extraction.node) not in found:
            found.update((id(extraction.node), each) for each in _stored_before(extraction, graph))
    return tuple(sorted(found.values(), key=lambda each: each.extraction.location))


def is_unfiltered(extraction: ArchiveExtraction) -> bool:
    """A tar archive, or one of any format, is unpacked as it is."""
    chosen: Any = extraction.filter
    trusted = chosen is None or (chosen.__class__ is ir.Constant and chosen.value == "fully_trusted")
    return extraction.format != "zip" and trusted


def _is_open(extraction: ArchiveExtraction) -> bool:
    """Nothing in the body looks at the members, and nobody chooses them."""
    node = extraction.node
    if not is_unfiltered(extraction) or extraction.scope.module.kind != "source":
        return False
    if extraction.format == "tar" and (
        last_name(node.func) == "extract"
        or len(node.args) > 1
        or any(k.arg == "members" for k in node.keywords)
    ):
        return False
    return not any(last_name(site.node.func) in _LOOKING for site in extraction.scope.facts.calls)


def _read_from_requests(graph: AppGraph) -> Iterator[UnpackedUpload]:
    for flow in flows_to(graph, "archive"):
        fact = flow.path.source.fact
        is_file = isinstance(fact, Parameter) and fact.kind == "file"
        if _is_open(flow.fact) and (is_file or any(step in _BODIES for step in flow.path.path)):
            yield UnpackedUpload(
                flow.fact,
                flow.path.path[0],
                flow.route,
                flow.routes,
                flow.trace("its members are written where their names say"),
                _sureness(flow.fact, flow.confidence),
            )


def _sureness(extraction: ArchiveExtraction, confidence: Confidence) -> Confidence:
    return Confidence.TENTATIVE if extraction.format == "any" else confidence


def _stored_before(extraction: ArchiveExtraction, graph: AppGraph) -> Iterator[UnpackedUpload]:
    """The upload was written to a file in the same body, and that file is what is unpacked."""
    scope = extraction.scope
    running = graph.operations_running(scope) if isinstance(scope, Function) else ()
    upload = next((p.name for o in running[:1] for p in o.parameters if p.kind == "file"), "")
    names = _names_of(extraction, scope)
    if not upload or scope is not running[0].handler or not names:
        return
    stored = [
        access
        for access in graph.facts(FileAccess)
        if access.scope is scope and access.mode == "write" and _reads(access.path, names)
    ]
    taken = [read for read in graph.facts(UploadRead) if read.scope is scope]
    copied = any(
        last_name(site.node.func) == "copyfileobj" and site.node.args and _reads(site.node.args[0], {upload})
        for site in scope.facts.calls
    )
    if stored and (taken or copied) and stored[0].node.span < extraction.node.span:
        yield UnpackedUpload(
            extraction,
            upload,
            running[0].names[0],
            tuple(sorted({name for operation in running for name in operation.names})),
            (
                Step(stored[0].location, f"the upload `{upload}` is stored"),
                Step(extraction.location, "its members are written where their names say"),
            ),
            _sureness(extraction, Confidence.FIRM),
        )


def _names_of(extraction: ArchiveExtraction, scope: Scope) -> set[str]:
    """Variables that name the file which is unpacked."""
    archive: Any = extraction.archive
    expressions = [archive]
    if archive.__class__ is ir.Name and extraction.format == "tar":
        expressions = [b.value for b in scope.facts.bindings.get(archive.id, ()) if b.value is not None]
    return {
        node.id
        for expr in expressions
        for call in walk(expr)
        if call.__class__ is ir.Call or extraction.format == "any"
        for given in (call.args if call.__class__ is ir.Call else [call])
        for node in walk(given)
        if node.__class__ is ir.Name
    }


def _reads(expr: ir.Expr | None, names: set[str]) -> bool:
    return any(node.__class__ is ir.Name and node.id in names for node in walk(expr))
