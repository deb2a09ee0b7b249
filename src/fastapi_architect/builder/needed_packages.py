"""What new components make a project install: edits of its manifests, or what to add by hand."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fastapi_architect.builder.adding_requirements import with_requirements
from fastapi_architect.builder.catalog import packages_of
from fastapi_architect.builder.manifests import Manifest, find_manifest
from fastapi_architect.builder.new_components import NewComponents
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.builder.project import Project, edit_of, served_otherwise
from fastapi_architect.builder.site import Site


def needed_packages(
    project: Project, site: Site, new: NewComponents
) -> tuple[list[FileEdit], list[str], tuple[str, ...]]:
    """Edits of manifests, steps by hand, and the requirements themselves."""
    edits: dict[str, FileEdit] = {}
    steps: list[str] = []
    served = [spec for spec in new.serving if spec.group != "testing"]
    fixtures = [*new.for_tests, *(spec for spec in new.serving if spec.group == "testing")]
    own = served_otherwise(project) if site.lock.grafted else ()
    needed = packages_of(served, without=own)
    tools = packages_of([*new.copied, *fixtures], development=True) + packages_of(fixtures, without=own)
    tools = tuple(text for text in dict.fromkeys(tools) if text not in needed) if site.tests else ()
    for wanted, development in ((needed, False), (tools, True)):
        if not wanted:
            continue
        manifest = find_manifest(project.texts, site.near, development=development)
        if manifest is None:
            steps.append(
                f"Add to your{' development' if development else ''} requirements: {', '.join(wanted)}"
            )
            continue
        _edit_manifest(project, manifest, wanted, edits)
    edited = [edit for edit in edits.values() if edit.after != edit.before]
    if edited:
        steps.insert(0, _install_command(project.texts, edited[0].path))
    return edited, steps, (*needed, *tools)


def _edit_manifest(
    project: Project, manifest: Manifest, wanted: tuple[str, ...], edits: dict[str, FileEdit]
) -> None:
    """Put requirements into a manifest, on top of what was put there before."""
    earlier = edits.get(manifest.path)

    def change(text: str) -> str:
        if earlier is not None:
            text = earlier.after.decode().removeprefix("\ufeff").replace("\r\n", "\n")
        return with_requirements(msgspec.structs.replace(manifest, text=text), wanted)

    edit = edit_of(project.root, manifest.path, change, "")
    if edit is not None:
        changed = ", ".join(each for each in wanted if with_requirements(manifest, [each]) != manifest.text)
        parts = [*([earlier.what] if earlier else []), f"for development {changed}" if earlier else changed]
        what = "; ".join(parts if changed else parts[:1])
        edits[manifest.path] = msgspec.structs.replace(edit, what=what)


def _install_command(texts: Mapping[str, str], manifest: str) -> str:
    folder = manifest.rpartition("/")[0]
    inside = f" (in {folder})" if folder else ""
    locks = {path.rpartition("/")[2] for path in texts if path.rpartition("/")[0] in (folder, "")}
    if "uv.lock" in locks:
        return f"Install what is new{inside}: uv sync"
    if "poetry.lock" in locks:
        return f"Install what is new{inside}: poetry lock && poetry install"
    if "pdm.lock" in locks:
        return f"Install what is new{inside}: pdm install"
    if manifest.endswith(".toml"):
        return f"Install what is new{inside}: pip install -e ."
    return f"Install what is new: pip install -r {manifest}"
