"""An upload is stored under the name that the client gave it.

`file.filename` arrives as it was sent: `../../app/main.py` climbs out of the folder, and `/etc/cron.d/job` replaces it,
because an absolute path discards what `Path("/srv/uploads") / name` has on its left. Whoever uploads writes any file that
the server may: code that runs at the next start, a template, somebody else's picture. The last part of the name
(`Path(name).name`, `secure_filename`) is safe, a name made by the server is better.

Known limits: keys in object storage are not followed. A name that is put behind other characters of the same part
(`f"{uuid4()}_{file.filename}"`) is reported as tentative: on Linux it climbs only where folders are created on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.file_flows import FileFlow, file_flows, joined_parts
from fastapi_architect.rules.kit import AppGraph, Context, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "An upload is stored under a name that can leave its folder",
    severity=Severity.CRITICAL,
    cwe=22,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/File_Upload_Cheat_Sheet.html",
        "https://owasp.org/www-community/attacks/Path_Traversal",
    ),
    requires=("python-multipart",),
)


@rule.check(per=AppGraph)
def an_upload_names_its_file(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for found in file_flows(graph):
        if found.uploaded_name and found.action in ("write", "move"):
            yield _finding(found, graph)


def _finding(found: FileFlow, graph: AppGraph) -> Finding:
    flow = found.flow
    return rule.at(
        found.place,
        f"`{found.function}` stores an upload of {flow.route} under `{flow.name}`, "
        "a name that the client chooses.",
        _suggestion(found, graph),
        reasoning=f"`{flow.name}` arrives as the client sent it{flow.through}. {found.why}",
        exploit=f"{flow.route} with a file named `{_payload(found)}` writes outside the folder, over code or settings.",
        confidence=found.confidence,
        trace=found.trace("it names the file that is written"),
        routes=found.routes,
        context=Context(writes=True, reads=False),
    )


def _payload(found: FileFlow) -> str:
    return "../../app/main.py" if found.climbs or not found.replaces else "/srv/app/main.py"


def _suggestion(found: FileFlow, graph: AppGraph) -> str:
    parts = joined_parts(found, graph)
    folder = parts[0] if parts is not None else "FOLDER"
    name = found.flow.name
    return (
        "Give the file a name of your own and keep of the client's only a suffix that you allow:\n"
        f'```python\nsuffix = Path({name} or "").suffix.lower()\nif suffix not in {{".png", ".jpg"}}:\n'
        '    raise HTTPException(415, "This kind of file is not taken.")\n'
        f'target = {folder} / f"{{uuid4().hex}}{{suffix}}"\n```'
    )


_MAIN = """
    from fastapi import FastAPI, UploadFile

    import store

    app = FastAPI()

    @app.post("/covers")
    def upload(file: UploadFile) -> dict[str, str]:
        return {"name": store.save(file.filename or "cover.png", file.file.read(1_000_000))}
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "store.py": """
        from pathlib import Path

        FOLDER = Path("covers")

        def save(name: str, content: bytes) -> str:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / name).write_bytes(content)  # finding: upload-filename-path-traversal
            return name
    """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "store.py": """
        from pathlib import Path
        from uuid import uuid4

        FOLDER = Path("covers")

        def save(name: str, content: bytes) -> str:
            FOLDER.mkdir(exist_ok=True)
            stored = f"{uuid4().hex}{Path(name).suffix}"
            (FOLDER / stored).write_bytes(content)
            return stored
    """,
    }
)


@rule.exploit
def an_upload_becomes_code(proof: Proof) -> None:
    """A file named `../shop.py` is written beside the program instead of among the uploads."""
    answer = proof.client.post("/covers", files={"file": ("../shop.py", b"print('mine now')")})
    assert answer.status_code == 200
    assert "shop.py" in proof.files
