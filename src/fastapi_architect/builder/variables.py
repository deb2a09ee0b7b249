"""Where a project tells people of the variables that components read: `.env.example`, a committed `.env`, the README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import msgspec

from fastapi_architect.appgraph.settings import SettingsClass
from fastapi_architect.builder import readme
from fastapi_architect.builder.catalog import ComponentSpec
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.env_example import FILE as ENV_EXAMPLE
from fastapi_architect.builder.env_example import with_settings
from fastapi_architect.builder.manifests import find_manifest
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.builder.project import Project, edit_of
from fastapi_architect.builder.site import Site
from fastapi_architect.review.changes import is_tracked

_EXAMPLES = (ENV_EXAMPLE, ".env.sample", ".env.template", ".env.dist", "env.example", ".env-example")
_ENV = ".env"


def told_variables(
    project: Project, site: Site, specs: Sequence[ComponentSpec]
) -> tuple[list[NewFile], list[FileEdit]]:
    """Files and edits that tell of these components' variables."""
    if not any(spec.settings for spec in specs):
        return [], []
    files, edits = _example(project, site, specs)
    if site.lock.grafted:
        edits += [*_committed(project, site, specs), *_readme(project, site, specs)]
    return files, edits


def refusing_unknown(project: Project) -> Iterator[SettingsClass]:
    """Settings classes of the project that refuse variables of their `.env` which they do not know."""
    for each in project.graph.settings.classes:
        forbids = each.schema.config.get("extra", "forbid") == "forbid"
        if each.env_files and forbids and each.cls.module.kind == "source":
            yield each


def _example(
    project: Project, site: Site, specs: Sequence[ComponentSpec]
) -> tuple[list[NewFile], list[FileEdit]]:
    path = _nearest(project, site.near, _EXAMPLES)
    if path is None:
        new = f"{_folder_of_manifest(project, site)}/{ENV_EXAMPLE}".lstrip("/")
        return [NewFile(new, with_settings("", specs).encode())], []
    edit = edit_of(project.root, path, lambda text: with_settings(text, specs), "the new settings")
    return [], [edit] if edit else []


def _committed(project: Project, site: Site, specs: Sequence[ComponentSpec]) -> Iterator[FileEdit]:
    """A `.env` that is committed gets what the service does not start without; others are their owner's alone."""
    path = _nearest(project, site.near, (_ENV,))
    if path is None or not is_tracked(project.root, path) or any(refusing_unknown(project)):
        return
    # A last line without an end would stand in the diff, and it may be a secret.
    if not (project.root / path).read_bytes().endswith(b"\n"):
        return
    needed = [
        msgspec.structs.replace(
            spec, settings=tuple(each for each in spec.settings if each.required and not each.secret)
        )
        for spec in specs
    ]
    edit = edit_of(project.root, path, lambda text: with_settings(text, needed), "what the service needs")
    if edit:
        yield edit


def _readme(project: Project, site: Site, specs: Sequence[ComponentSpec]) -> Iterator[FileEdit]:
    path = _nearest(project, f"{_folder_of_manifest(project, site)}/x".lstrip("/"), (readme.FILE,))
    if path is not None:
        edit = edit_of(
            project.root,
            path,
            lambda text: readme.with_variables(text, specs, site.package.folder),
            "the variables that the service needs",
        )
        if edit:
            yield edit


def _folder_of_manifest(project: Project, site: Site) -> str:
    manifest = find_manifest(project.texts, site.near)
    return manifest.path.rpartition("/")[0] if manifest else ""


def _nearest(project: Project, near: str, names: Sequence[str]) -> str | None:
    """The first file of these names, upwards from another file."""
    for folder in PurePosixPath(near).parents:
        for name in names:
            path = (folder / name).as_posix()
            if (project.root / path).is_file():
                return path
    return None
