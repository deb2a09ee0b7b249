"""What was copied, from where and as what: `.architect/lock.json`, and the copies as they were in `.architect/base/`.

A later update merges three ways: what we copied then (the base), what the user made of it, what we would copy now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.placing import Place

FOLDER = ".architect"
LOCK = f"{FOLDER}/lock.json"
BASE = f"{FOLDER}/base"
_VERSION = 1


class LockedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it was copied.

    Attributes:
        id: what it is in the catalogue; it stays when the user moves the file.
        path: where it was written.
        sha256: of the bytes that were written, which is also the name of the base copy.
    """

    id: str
    path: str
    sha256: str


class LockedComponent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A component as it was copied.

    Attributes:
        name: of the component.
        version: its version then.
        files: what was copied.
        for_tests: the service itself does not use it; the fixtures of the tests do.
    """

    name: str
    version: str
    files: tuple[LockedFile, ...]
    for_tests: bool = False


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a project has of ours.

    Attributes:
        version: of this format.
        package: the folder and dotted name of the package that holds the components.
        tests: of the package that holds their tests; None where no tests are copied.
        registry: the file with the list of components.
        components: by name.
        files: copied files that are no component's, such as the skeleton's.
        grafted: the project was there before; `architect new` did not make it.
    """

    package: Place
    registry: str
    tests: Place | None = None
    components: tuple[LockedComponent, ...] = ()
    files: tuple[LockedFile, ...] = ()
    grafted: bool = False
    version: int = _VERSION

    @property
    def names(self) -> frozenset[str]:
        """The components that are there."""
        return frozenset(component.name for component in self.components)

    @property
    def serving(self) -> frozenset[str]:
        """Those that the service uses."""
        return frozenset(component.name for component in self.components if not component.for_tests)


def read_lock(root: Path) -> Lock | None:
    """The project's lock, None where it has none.

    Raises:
        BuildError: it cannot be read, or is of a later format.
    """
    try:
        data = (root / LOCK).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{LOCK} cannot be read: {(error.strerror or str(error)).lower()}; make it readable"
        raise BuildError(message) from error
    try:
        lock = msgspec.json.decode(data, type=Lock)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        message = f"{LOCK} was edited and cannot be read ({error}); restore it: git checkout -- {LOCK}"
        raise BuildError(message) from error
    if lock.version > _VERSION:
        message = f"{LOCK} was written by a later version; upgrade: pip install --upgrade fastapi-architect"
        raise BuildError(message)
    return lock


def extended(lock: Lock, components: Iterable[LockedComponent], files: Iterable[LockedFile] = ()) -> Lock:
    """The lock with more components and files; one that it has already is replaced."""
    by_name = {each.name: each for each in (*lock.components, *components)}
    by_path = {each.path: each for each in (*lock.files, *files)}
    return msgspec.structs.replace(
        lock,
        components=tuple(by_name[name] for name in sorted(by_name)),
        files=tuple(by_path[path] for path in sorted(by_path)),
    )


def locked(files: Iterable[NewFile]) -> tuple[LockedFile, ...]:
    """Copied files as the lock holds them, by path."""
    held = (LockedFile(file.id, file.path, file.sha256) for file in files if file.id)
    return tuple(sorted(held, key=lambda each: each.path))


def lock_files(lock: Lock, copied: Iterable[NewFile]) -> list[NewFile]:
    """The lock and a base copy of each copied file, as files to write; equal ones share one copy."""
    made = {
        f"{BASE}/{file.sha256[:2]}/{file.sha256}": file.data
        for file in copied
        if file.id  # what has no identity is never updated
    }
    made[LOCK] = msgspec.json.format(msgspec.json.encode(lock), indent=2) + b"\n"
    return [NewFile(path, data) for path, data in sorted(made.items())]


def edited(root: Path, component: LockedComponent) -> list[str]:
    """Paths of a component's files that are no longer what was copied, or are gone."""
    return [file.path for file in component.files if _digest(root / file.path) != file.sha256]


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
