"""Checks in a service; `tests/dataflow/test_guards_paths.py` has them all."""

import os
from enum import Enum
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, field_validator
from werkzeug.utils import secure_filename

app = FastAPI()
FOLDER = Path("/srv/reports").resolve()


class Kind(str, Enum):
    DAY = "day.pdf"


def inside(name: str) -> Path:
    target = (FOLDER / name).resolve()
    if not target.is_relative_to(FOLDER):
        raise HTTPException(404)
    return target


def inside_by_text(name: str) -> Path:
    target = os.path.join("/srv/reports", name)  # finding: path-traversal-read-or-delete
    if not target.startswith("/srv/reports"):
        raise HTTPException(404)
    return Path(target)


def by_prefix(name: str) -> str:
    target = os.path.realpath(os.path.join("/srv/reports", name))  # finding: path-traversal-read-or-delete
    if os.path.commonprefix([target, "/srv/reports"]) != "/srv/reports":
        raise HTTPException(404)
    return target


def sibling(name: str) -> str:
    target = os.path.realpath(os.path.join("/srv/reports", name))  # finding: path-traversal-read-or-delete - tentative
    if not target.startswith("/srv/reports"):
        raise HTTPException(404)
    return target


@app.get("/inside")
def checked(target: Path = Depends(inside)):
    return FileResponse(target)


@app.get("/text")
def checked_by_text(target: Path = Depends(inside_by_text)):
    return FileResponse(target)


@app.get("/prefix")
def checked_by_prefix(name: str):
    return FileResponse(by_prefix(name))


@app.get("/sibling")
def checked_by_the_beginning(name: str):
    return FileResponse(sibling(name))


@app.get("/asserted")
def asserted(name: str):
    target = (FOLDER / name).resolve()
    assert target.is_relative_to(FOLDER)
    return FileResponse(target)  # finding: path-traversal-read-or-delete


@app.get("/suffix")
def suffix(name: str):
    if not name.endswith(".pdf"):
        raise HTTPException(404)
    return FileResponse(FOLDER / name)  # finding: path-traversal-read-or-delete


@app.get("/secured")
def secured(name: str):
    return FileResponse(FOLDER / secure_filename(name))


@app.get("/last")
def last(name: str):
    return FileResponse(FOLDER / os.path.basename(name))


@app.get("/kind")
def kind(kind: Kind):
    return FileResponse(FOLDER / kind.value)
