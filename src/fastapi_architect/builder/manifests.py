"""The file where a project says what it needs: pyproject.toml (PEP 621 or Poetry) or requirements.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from fastapi_architect.builder.toml_text import read_toml


class Manifest(msgspec.Struct, frozen=True):
    """A file with requirements.

    Attributes:
        path: relative to the project, with forward slashes.
        kind: pep621, group (PEP 735), poetry or requirements.
        text: what it holds.
        group: of the dependency group, "" for what the service itself needs.
    """

    path: str
    kind: str
    text: str
    group: str = ""


def find_manifest(texts: Mapping[str, str], near: str, *, development: bool = False) -> Manifest | None:
    """The file that says what the application needs: the nearest one upwards from `near`.

    Args:
        texts: the project's manifests by path.
        near: a file of the application.
        development: where the tools of its developers stand instead.
    """
    for folder in (*PurePosixPath(near).parents,):
        place = "" if str(folder) == "." else f"{folder}/"
        found = list(_in_folder(texts, place, development=development))
        if found:
            return found[0]
    return None


def _in_folder(texts: Mapping[str, str], place: str, *, development: bool) -> Iterator[Manifest]:
    path = f"{place}pyproject.toml"
    data = read_toml(texts.get(path, ""))
    project, poetry = data.get("project") or {}, (data.get("tool") or {}).get("poetry") or {}
    if development:
        if "dev" in (data.get("dependency-groups") or {}):
            yield Manifest(path, "group", texts[path], "dev")
        elif "dev" in (poetry.get("group") or {}):
            yield Manifest(path, "poetry", texts[path], "dev")
        names: tuple[str, ...] = (
            "requirements-dev.in", "requirements/dev.in", "requirements-dev.txt", "requirements/dev.txt",
            "dev-requirements.txt", "requirements_dev.txt",
        )  # fmt: skip
    else:
        if "dependencies" in project:
            yield Manifest(path, "pep621", texts[path])
        elif "dependencies" in poetry:
            yield Manifest(path, "poetry", texts[path])
        names = (
            "requirements.in", "requirements/base.in", "requirements/main.in", "requirements/prod.in",
            "requirements.txt", "requirements/base.txt", "requirements/main.txt", "requirements/prod.txt",
            "requirements/common.txt", "requirements/requirements.txt",
        )  # fmt: skip
    yield from (
        Manifest(place + name, "requirements", texts[place + name]) for name in names if place + name in texts
    )


def required_python(texts: Mapping[str, str], manifest: Manifest | None) -> str | None:
    """The versions of Python that a project says it runs on, as a specifier."""
    if manifest is None or not manifest.path.endswith(".toml"):
        return None
    data = read_toml(texts[manifest.path])
    said = (data.get("project") or {}).get("requires-python")
    if isinstance(said, str):
        return said
    poetry = ((data.get("tool") or {}).get("poetry") or {}).get("dependencies") or {}
    python = poetry.get("python")
    if isinstance(python, str) and re.match(r"[\^~]?\d", python):
        return re.sub(r"^[\^~]?(\d[\d.]*).*", r">=\1", python)
    return python if isinstance(python, str) and python != "*" else None
