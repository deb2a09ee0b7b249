"""Where in a project components go, whether `architect new` made it or not."""

from __future__ import annotations

import msgspec

from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.lock import LOCK, Lock
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.builder.project import Project


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The places.

    Attributes:
        package: holds components.
        tests: holds their tests; None leaves them out.
        registry: the file with the list of components.
        near: a file of the application; the nearest manifest upwards is the application's.
        lock: what the project has of ours so far.
        makes_registry: there is no registry yet.
        edits: that wire the application.
        files: that belong to no component.
        context, approach, considerations, manual_steps, validation: lines for the plan.
    """

    package: Place
    tests: Place | None
    registry: str
    near: str
    lock: Lock
    makes_registry: bool = False
    edits: tuple[FileEdit, ...] = ()
    files: tuple[NewFile, ...] = ()
    context: tuple[str, ...] = ()
    approach: tuple[str, ...] = ()
    considerations: tuple[str, ...] = ()
    manual_steps: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()


def known_site(project: Project, lock: Lock) -> Site:
    """The places that the lock names.

    Raises:
        BuildError: the registry is gone.
    """
    if not (project.root / lock.registry).is_file():
        message = f"{lock.registry} is gone, where {LOCK} says the list of components is; restore it: git checkout -- {lock.registry}"
        raise BuildError(message)
    for component in lock.components:
        folder = f"{lock.package.folder}/{component.name}"
        if component.files and not (project.root / folder).is_dir():
            message = (
                f"{folder} is gone, and {LOCK} lists it; restore it: git checkout -- {folder}, "
                f"or take {component.name} out of the lock"
            )
            raise BuildError(message)
    there = ", ".join(sorted(lock.names)) or "no components yet"
    return Site(
        package=lock.package,
        tests=lock.tests,
        registry=lock.registry,
        near=lock.registry,
        lock=lock,
        context=(f"{LOCK}: {there}.",),
    )
