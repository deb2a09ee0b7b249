"""An upload is taken for what the client says it is.

`file.content_type` is a header of the request: whoever uploads writes it. A page of HTML that calls itself `image/png` passes,
is stored as `cover.html` because its name is the client's, too, and from then on the application hands it out as its own page:
script that acts as whoever opens the link. What a file is stands in its first bytes.

Known limits: uploads whose end of the name is compared with a list are left out, as a browser goes by the suffix that is served,
and so are those whose bytes are read by any library. Where no place is found that hands the file out, as
with a bucket, the finding is tentative.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.upload_types import StoredUpload, stored_uploads
from fastapi_architect.appgraph.router_walk import Mount
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    Step,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "An upload is taken for what the client says it is",
    severity=Severity.IMPORTANT,
    cwe=434,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/File_Upload_Cheat_Sheet.html",
        "https://owasp.org/www-community/vulnerabilities/Unrestricted_File_Upload",
    ),
    requires=("python-multipart",),
)


@rule.check(per=AppGraph)
def an_upload_is_believed(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for upload in stored_uploads(graph):
        if upload.stated is not None or upload.served is not None:
            yield _finding(upload, graph)


def _finding(upload: StoredUpload, graph: AppGraph) -> Finding:
    function = upload.stored.scope if upload.stated is None else upload.stated.scope
    name = function.name if isinstance(function, Function) else function.module.name
    route = first_route(upload.operations, name)
    return rule.at(
        _place(upload),
        _issue(upload, name, route, graph),
        _SUGGESTION,
        reasoning="The Content-Type of a part is written by the client. Nothing on the way looks at the bytes."
        if upload.stated is not None
        else "Nothing on the way looks at the bytes or at the suffix, which decides the type that the file is served with.",
        exploit=_exploit(upload, route),
        confidence=Confidence.FIRM if upload.served is not None else Confidence.TENTATIVE,
        trace=_trace(upload, route),
        routes=routes_of(upload.operations),
        symbol=function.full_name,
        context=Context(writes=True, reads=False),
    )


def _place(upload: StoredUpload) -> Location:
    if upload.stated is None:
        return upload.stored.location
    return upload.stated.scope.location(upload.stated.node.test)


def _issue(upload: StoredUpload, name: str, route: str, graph: AppGraph) -> str:
    if upload.stated is None:
        return f"`{name}` stores whatever {route} is sent under the client's suffix, and the application serves it."
    test = written(graph, upload.stated.scope, upload.stated.node.test)
    return f"`{name}` decides by `{test}` what {route} takes: the client writes that header itself."


def _exploit(upload: StoredUpload, route: str) -> str:
    stated = " as `image/png`" if upload.stated is not None else ""
    if upload.keeps_suffix:
        return f"{route} with `page.html`{stated} stores a page whose script runs on the site for whoever opens it."
    return f"{route} with any bytes{stated} stores what no reader of pictures expects."


def _trace(upload: StoredUpload, route: str) -> tuple[Step, ...]:
    found: list[tuple[Any, str]] = [(upload.stored, f"the file of {route} is stored here")]
    if upload.served is not None:
        how = "its folder is served" if isinstance(upload.served, Mount) else "files of that folder are sent"
        found.append((upload.served, f"{how}, with the type that the suffix says"))
    return steps(*found)


_SUGGESTION = """Decide by the first bytes, and give the file the suffix that they say:
```python
SIGNATURES = {b"\\x89PNG\\r\\n\\x1a\\n": ".png", b"\\xff\\xd8\\xff": ".jpg"}

suffix = next((s for signature, s in SIGNATURES.items() if content.startswith(signature)), None)
if suffix is None:
    raise HTTPException(415, "A file has to be a PNG or a JPEG.")
filename = f"{uuid4().hex}{suffix}"
```"""


_MAIN = """
    from pathlib import Path
    from uuid import uuid4

    from fastapi import FastAPI, HTTPException, UploadFile
    from fastapi.staticfiles import StaticFiles

    FOLDER = Path("covers")
    FOLDER.mkdir(exist_ok=True)
    app = FastAPI()
    app.mount("/covers", StaticFiles(directory=FOLDER))

    @app.post("/covers")
    def upload(file: UploadFile) -> dict[str, str]:
        content = file.file.read(1_000_000)
        %s
        name = f"{uuid4().hex}%s"
        (FOLDER / name).write_bytes(content)
        return {"name": name}
"""

rule.bad = _MAIN % (
    """if file.content_type not in ("image/png", "image/jpeg"):  # finding: upload-type-trusted
            raise HTTPException(415, "A cover has to be a picture.")""",
    "{Path(file.filename).suffix}",
)

rule.good = _MAIN % (
    """if not content.startswith(b"\\x89PNG"):
            raise HTTPException(415, "A cover has to be a picture.")""",
    ".png",
)


@rule.exploit
def a_page_passes_for_a_picture(proof: Proof) -> None:
    """A page of HTML that calls itself a picture is stored and served as a page."""
    page = b"<script>alert(document.domain)</script>"
    answer = proof.client.post("/covers", files={"file": ("cover.html", page, "image/png")})
    assert answer.status_code == 200
    served = proof.client.get(f"/covers/{answer.json()['name']}")
    assert served.headers["content-type"].startswith("text/html")
    assert served.content == page
