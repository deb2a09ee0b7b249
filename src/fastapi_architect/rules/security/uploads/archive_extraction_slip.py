"""A stranger's tar archive is unpacked, and its members choose where they are written.

A member of a tar archive may be called `../../app/main.py`, be a link that leads out of the folder, or begin with a slash.
`extractall` follows all of that unless it is told otherwise (before Python 3.14), so whoever uploads an archive writes any
file that the server may. `filter="data"` refuses such members.

Known limits: archives that are downloaded, and uploads that another function stores, are not followed. Zip archives are left
out, because `ZipFile.extract` cleans names itself. A body that asks for the members' names is trusted to look at them.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.unpacked_uploads import UnpackedUpload, unpacked_uploads
from fastapi_architect.rules.kit import AppGraph, Context, Edit, Finding, Fix, Location, Proof, Rule, Severity

rule = Rule(
    __name__,
    "The members of an uploaded archive choose where they are written",
    severity=Severity.IMPORTANT,
    cwe=22,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:H",
    references=(
        "https://docs.python.org/3/library/tarfile.html#extraction-filters",
        "https://peps.python.org/pep-0706/",
    ),
    requires=("python-multipart",),
)


@rule.check(per=AppGraph)
def an_upload_is_unpacked_as_it_is(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for found in unpacked_uploads(graph):
        yield _finding(found, graph)


def _finding(found: UnpackedUpload, graph: AppGraph) -> Finding:
    extraction = found.extraction
    scope = extraction.scope
    call = written(graph, scope, extraction.node).removesuffix(")").rstrip().rstrip(",")
    comma = "" if call.endswith("(") else ", "
    return rule.at(
        extraction,
        f"`{scope.name}` unpacks `{found.name}` of {found.route} wherever its members say.",
        f'Let `tarfile` refuse members that leave the folder:\n```python\n{call}{comma}filter="data")\n```',
        reasoning=f"`{found.name}` is made by the client. A member's name may hold `..` or begin with a slash, and a member "
        "may be a link that leads out of the folder; without a filter, all of that is followed.",
        exploit=f"{found.route} with an archive that has a member `../../app/main.py` replaces code of the server.",
        confidence=found.confidence,
        trace=found.trace,
        routes=found.routes,
        fix=_fix(found),
        context=Context(writes=True, reads=False),
    )


def _fix(found: UnpackedUpload) -> Fix | None:
    """One more argument, where there is none of that name."""
    node = found.extraction.node
    last = node.keywords[-1].value if node.keywords else node.args[-1] if node.args else None
    if found.extraction.filter is not None or last is None:
        return None
    place = found.extraction.scope.location(last)
    behind = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
    return Fix("Refuse members that leave the folder", (Edit(behind, ', filter="data"'),), safe=True)


_APP = """
    import tarfile
    from pathlib import Path

    from fastapi import FastAPI, UploadFile

    app = FastAPI()

    @app.post("/collections")
    def take(file: UploadFile) -> dict[str, str]:
        Path("collections").mkdir(exist_ok=True)
        try:
            with tarfile.open(fileobj=file.file) as archive:
                archive.extractall("collections"%s
        except tarfile.TarError:
            return {"status": "refused"}
        return {"status": "unpacked"}
"""

rule.bad = _APP % ")  # finding: archive-extraction-slip"
rule.good = _APP % ', filter="data")'


@rule.exploit
def a_member_leaves_the_folder(proof: Proof) -> None:
    """A member called `../planted.py` is written beside the folder that the archive belongs to."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("../planted.py")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"owned"))
    proof.client.post("/collections", files={"file": ("books.tar", packed.getvalue())})
    assert (proof.root / "planted.py").exists()
