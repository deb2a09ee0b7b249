"""A project as an unpacked archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.secapi.archives.hostile import write, zipped

from fastapi_architect.secapi.archives import Unpacked, unpack

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"

#: One finding: a statement made of what the client sent.
FLAWED = """from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

app = FastAPI()


@app.get("/search")
def search(session: Session, q: str):
    return session.execute(text(f"SELECT '{q}'")).all()
"""
FLAW = "sql-injection-raw-statement"


def unpacked(folder: Path, files: Mapping[str, str | bytes]) -> Unpacked:
    """Files, sent as a zip file and taken apart in a new folder."""
    content = folder / f"content-{len(list(folder.iterdir()))}"
    content.mkdir()
    data = [(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()]
    return unpack(write(folder / "upload", zipped(data)), content)
