"""Requirements in the tables of Poetry."""

from __future__ import annotations

import re
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fastapi_architect.appgraph.requirements import poetry_specifier
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.manifests import Manifest
from fastapi_architect.builder.requirement_merging import merge, requirement_text
from fastapi_architect.builder.toml_text import read_toml, sections


def in_table(manifest: Manifest, wanted: list[Requirement]) -> str:
    """The file with these requirements in the table of the manifest's group.

    Raises:
        BuildError: the table excludes one, or is written in a way that cannot be edited safely.
    """
    text = manifest.text
    table = (
        f"tool.poetry.group.{manifest.group}.dependencies" if manifest.group else "tool.poetry.dependencies"
    )
    for requirement in wanted:
        there = _poetry_names(text, manifest.group)
        name = canonicalize_name(requirement.name)
        if name in there:
            text = _raised(text, table, manifest.path, there[name], requirement)
            continue
        stretch = next(iter(sections(text, table)), None)
        if stretch is None:
            message = f"{manifest.path} has no table [{table}] of its own; add {requirement_text(requirement)} by hand"
            raise BuildError(message)
        end = stretch[0] + len(text[stretch[0] : stretch[1]].rstrip())
        # Comments above the next header belong to that header.
        lines = text[stretch[0] : end].split("\n")
        while lines and lines[-1].lstrip().startswith("#"):
            lines.pop()
        end = stretch[0] + len("\n".join(lines).rstrip())
        text = f"{text[:end]}\n{_poetry_line(requirement)}{text[end:]}"
    return text


def _poetry_line(requirement: Requirement) -> str:
    version = ",".join(sorted(str(each) for each in requirement.specifier)) or "*"
    if not requirement.extras:
        return f'{requirement.name} = "{version}"'
    extras = ", ".join(f'"{each}"' for each in sorted(requirement.extras))
    return f'{requirement.name} = {{ version = "{version}", extras = [{extras}] }}'


def _poetry_names(text: str, group: str) -> dict[str, Any]:
    poetry = (read_toml(text).get("tool") or {}).get("poetry") or {}
    tables = [poetry.get("dependencies") or {}]
    if group:
        tables.append(((poetry.get("group") or {}).get(group) or {}).get("dependencies") or {})
    return {canonicalize_name(name): said for table in tables for name, said in table.items()}


def _raised(text: str, table: str, path: str, said: Any, wanted: Requirement) -> str:
    """The file with a higher floor for a package that is there, where it says too little.

    Raises:
        BuildError: it excludes what is wanted, or is written in a way that cannot be edited safely.
    """
    version = said.get("version", "*") if isinstance(said, dict) else said
    specifier = poetry_specifier(version) if isinstance(version, str) else ""
    extras = set(said.get("extras") or ()) if isinstance(said, dict) else set[str]()
    there = Requirement(f"{wanted.name}{specifier}")
    there.extras = extras
    merged = merge(there, wanted, path)
    if merged is None:
        return text
    raised = ",".join(
        sorted((str(each) for each in merged.specifier), key=lambda each: (each[0] != ">", each))
    )
    line = re.compile(
        rf'^([ \t]*"?{_spelled(wanted.name)}"?[ \t]*=.*?)"{re.escape(str(version))}"',
        re.MULTILINE | re.IGNORECASE,
    )
    for begin, end in sections(text, table):
        found = line.search(text, begin, end)
        if found and merged.extras == extras:
            return f'{text[: found.start()]}{found[1]}"{raised}"{text[found.end() :]}'
    message = (
        f'{path} asks for {wanted.name} "{version}", and {requirement_text(wanted)} is needed: '
        f"poetry add '{requirement_text(wanted)}', see that your tests pass, and run the command again"
    )
    raise BuildError(message)


def _spelled(name: str) -> str:
    """A pattern for every spelling of a package's name."""
    return re.sub(r"[-_.]+", "[-_.]+", re.escape(canonicalize_name(name)).replace("\\-", "-"))
