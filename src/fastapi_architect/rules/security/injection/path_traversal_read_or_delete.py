"""A request names a file, and can name one outside its folder.

`Path("/srv/covers") / name` is `/etc/passwd` when `name` is `../../etc/passwd`, and when it is `/etc/passwd`: an absolute
path replaces what stands before it. Whoever sends the name reads, overwrites or removes any file that the server may.
The value is followed from the request to where files are opened, sent, listed, moved or removed. A check counts for what
it is: `resolve()` and then `is_relative_to` (or `relative_to`, `commonpath`, `startswith` with the separator), the last part
alone (`Path(name).name`, `secure_filename`), a closed list, a pattern without slashes. `startswith` of an unresolved path,
`commonprefix`, a look at the suffix, `replace("../", "")` and `assert` do not. The names of uploaded files that are written
belong to `upload-filename-path-traversal`. A text in reStructuredText names files as well (`.. include::`), unless docutils is told
that `file_insertion_enabled` is off.

Known limits: a plain `{name}` in a route matches no slash, so that only `..` itself is left; that is reported, and never as
sure, where a whole folder is listed or removed. Names that come back from the database are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.file_flows import FileFlow, file_flows, joined_parts
from fastapi_architect.analyses.included_files import IncludingText, including_texts
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    routes_of,
)

rule = Rule(
    __name__,
    "A request chooses a file outside its folder",
    severity=Severity.CRITICAL,
    cwe=22,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    references=(
        "https://owasp.org/www-community/attacks/Path_Traversal",
        "https://docs.python.org/3/library/pathlib.html#pathlib.PurePath.is_relative_to",
    ),
)

_DONE = {
    "write": "writes to",
    "delete": "removes",
    "move": "moves",
    "run": "hands to a program",
    "send": "sends",
    "read": "reads",
    "list": "lists",
}
_GAINED = {
    "write": "overwrites that file",
    "delete": "removes what lies there",
    "move": "moves what lies there",
    "run": "has a program work on what lies there",
    "send": "answers with that file",
    "read": "reads that file",
    "list": "tells what lies there",
}


@rule.check(per=AppGraph)
def a_request_names_a_file(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for found in file_flows(graph):
        if not (found.uploaded_name and found.action in ("write", "move")):
            yield _finding(found, graph)
    for text in including_texts(graph):
        yield _including(text, graph)


def _including(text: IncludingText, graph: AppGraph) -> Finding:
    function = text.reading.function
    reader = text.reading.name.rpartition(".")[2]
    finding = rule.at(
        text.reading,
        f"`{text.name}` is read as reStructuredText that may include files of the server.",
        "Turn files and raw markup off:\n```python\n"
        f'{reader}(\n    {text.name},\n    settings_overrides={{"file_insertion_enabled": False, "raw_enabled": False}},\n)\n```',
        reasoning=f"`{reader}` of docutils follows directives that name files, and raw markup, unless its settings say otherwise; "
        "these do not.",
        exploit=f"`.. include:: /etc/passwd` in `{text.name}` puts that file into what comes out.",
        confidence=Confidence.FIRM if text.is_given else Confidence.TENTATIVE,
        routes=routes_of(graph.entries(function) if function is not None else ()),
    )
    return replace(finding, severity=Severity.IMPORTANT)


def _finding(found: FileFlow, graph: AppGraph) -> Finding:
    flow = found.flow
    finding = rule.at(
        found.place,
        _issue(found),
        _suggestion(found, graph),
        reasoning=f"`{flow.name}` is whatever the client of {flow.route} sends; it arrives{flow.through}. {found.why}",
        exploit=f"{flow.route} with `{flow.field}={found.payload}` {_GAINED[found.action]}.",
        confidence=found.confidence,
        trace=found.trace(f"it names the file that is {_PASSIVE[found.action]}"),
        routes=found.routes,
    )
    if flow.is_one_segment and found.confidence is Confidence.TENTATIVE:
        return replace(finding, severity=Severity.MINOR)
    if flow.is_one_segment or found.confidence is Confidence.TENTATIVE:
        return replace(finding, severity=Severity.IMPORTANT)
    return finding


def _issue(found: FileFlow) -> str:
    flow = found.flow
    user = flow.sink.scope.full_name.rpartition(".")[2]
    if found.join is not None:
        others = f", like {len(found.others)} more uses of that path" if found.others else ""
        return (
            f"`{found.function}` makes a path of `{flow.name}` of {flow.route} and a folder without a check that it "
            f"stays inside; `{user}` {_DONE[found.action]} that file{others}."
        )
    others = f", and uses it in {len(found.others)} more places" if found.others else ""
    return f"`{user}` {_DONE[found.action]} a file that `{flow.name}` of {flow.route} names{others}."


_PASSIVE = {
    "write": "written",
    "delete": "removed",
    "move": "moved",
    "run": "handed to a program",
    "send": "sent",
    "read": "read",
    "list": "listed",
}


def _suggestion(found: FileFlow, graph: AppGraph) -> str:
    parts = joined_parts(found, graph)
    field = found.flow.field
    folder, name = parts or ("FOLDER", field if field.isidentifier() else "name")
    return (
        "Resolve the path, then ask whether it still lies in the folder; better, look the file up by an id:\n"
        f"```python\nfolder = {folder}.resolve()\ntarget = (folder / {name}).resolve()\n"
        'if not target.is_relative_to(folder):\n    raise HTTPException(404, "There is no such file.")\n```'
    )


_MAIN = """
    from fastapi import FastAPI
    from fastapi.responses import FileResponse

    import covers

    app = FastAPI()

    @app.get("/covers/{name:path}")
    def cover(name: str) -> FileResponse:
        return FileResponse(covers.locate(name))
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "covers.py": """
        from pathlib import Path

        FOLDER = Path("covers")

        def locate(name: str) -> Path:
            return FOLDER / name  # finding: path-traversal-read-or-delete
    """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "covers.py": """
        from pathlib import Path

        from fastapi import HTTPException

        FOLDER = Path("covers").resolve()

        def locate(name: str) -> Path:
            target = (FOLDER / name).resolve()
            if not target.is_relative_to(FOLDER):
                raise HTTPException(404, "There is no such cover.")
            return target
    """,
    }
)


@rule.exploit
def a_cover_is_a_file_of_the_server(proof: Proof) -> None:
    """A name that climbs out of the folder is answered with a file that nobody meant to publish."""
    proof.place("covers/dune.png", "a picture")
    secret = proof.plant("server.key", "PRIVATE KEY")
    assert proof.client.get("/covers/dune.png").text == "a picture"
    climbing = proof.client.get("/covers/..%2F..%2Fserver.key").text
    absolute = proof.client.get(f"/covers/{str(secret).replace('/', '%2F')}").text
    assert "PRIVATE KEY" in (climbing, absolute)
