"""Texts in reStructuredText that may include files, and those that may not or that stand in the program."""

from inspect import cleandoc
from pathlib import Path

from docutils.core import publish_doctree, publish_parts, publish_string
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
GUARDED = {"file_insertion_enabled": False, "raw_enabled": False}


class Note(BaseModel):
    text: str


def shown(text: str) -> str:
    parts = publish_parts(cleandoc(text), writer_name="html")  # finding: path-traversal-read-or-delete by default
    return str(parts["html_body"])


def quiet(text: str) -> bytes:
    overrides = {"report_level": 5}
    return publish_string(text, settings_overrides=overrides)  # finding: path-traversal-read-or-delete


def guarded(text: str) -> bytes:
    return publish_string(text, settings_overrides=GUARDED)  # silent: files are off


def guarded_later(text: str) -> bytes:
    overrides = {"report_level": 5}
    overrides["file_insertion_enabled"] = False
    return publish_string(text, settings_overrides=overrides)  # silent: files are off


def own(text: str) -> str:
    return str(publish_doctree(text))  # silent: every caller takes it from the program


def manual() -> str:
    text = Path("manual.rst").read_text()
    return str(publish_parts(text)["html_body"])  # silent: a file of the program


@app.post("/notes")
def note(sent: Note) -> list[str]:
    publish_doctree(sent.text)  # finding: path-traversal-read-or-delete tentative
    return [shown(sent.text), str(quiet(sent.text)), str(guarded(sent.text)), str(guarded_later(sent.text))]


@app.get("/manual")
def read_manual() -> list[str]:
    return [manual(), own("Title\n====="), own(Path("own.rst").read_text())]
