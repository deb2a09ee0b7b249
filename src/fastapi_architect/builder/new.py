"""A whole new project: the skeleton, the chosen components, and the few lists that depend on them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fastapi_architect.builder.apply import apply
from fastapi_architect.builder.catalog import Catalog, ComponentSpec, packages_of
from fastapi_architect.builder.copying import NewFile, copy_component, shared_files
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.lock import Lock, LockedComponent, lock_files, locked
from fastapi_architect.builder.naming import ProjectName
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.plan import Plan
from fastapi_architect.builder.presets import REQUIRED
from fastapi_architect.builder.revisions import Migrations, revisions_for
from fastapi_architect.builder.skeleton_lists import LISTS, REGISTRY
from fastapi_architect.builder.skeleton_parts import chosen_parts

SKELETON = Path(__file__).parent / "skeleton"
PACKAGE = Place("app/components", "app.components")
TESTS = Place("tests/components", "tests.components")
#: Revisions of components follow the skeleton's first; its domain's, which may refer to their tables, follows theirs.
_FIRST = "0001"
_MIGRATIONS = Migrations("migrations/versions", _FIRST)
_REVISION_OF_DOMAIN = "migrations/versions/0002_notes.py"
#: Alembic's file names here hold no date.
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
#: Files that only projects with that component have.
ONLY_WITH = {
    "app/worker.py": "celery_tasks",
    "tests/notes/test_repeated.py": "idempotency",
    "tests/notes/test_tenants.py": "tenancy",
    "tests/organisations.py": "tenancy",
}
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".import_linter_cache"}
#: The skeleton's own name, in its three forms.
_SKELETON_NAME = ProjectName("my-service", "my_service", "My service")


def chosen(catalog: Catalog, names: Sequence[str], without: Sequence[str] = ()) -> tuple[ComponentSpec, ...]:
    """The components of a new project: the named ones and all that they need, less what shall be left out.

    Raises:
        BuildError: a name is unknown, or something needs what shall be left out.
    """
    left_out = {catalog[name].name for name in without}
    wanted = [name for name in (*REQUIRED, *names) if catalog[name].name not in left_out]
    for name in REQUIRED:
        if name in left_out:
            message = f"{name} cannot be left out: the project itself is written with it"
            raise BuildError(message)
    specs = catalog.closure(wanted)
    for spec in specs:
        if spec.name in left_out:
            users = [other.name for other in specs if spec.name in other.needs]
            message = (
                f"{spec.name} cannot be left out, because {', '.join(users)} "
                f"{'needs' if len(users) == 1 else 'need'} it; leave out both: --without {','.join([spec.name, *users])}"
            )
            raise BuildError(message)
    return specs


def packages_needed(specs: Sequence[ComponentSpec]) -> frozenset[str]:
    """Names of the distributions that a project of these components asks for, in normal form."""
    data = tomllib.loads((SKELETON / "pyproject.toml").read_text(encoding="utf-8"))
    groups = (each for group in data["dependency-groups"].values() for each in group if isinstance(each, str))
    listed = [
        *data["project"]["dependencies"],
        *groups,
        *packages_of(specs),
        *packages_of(specs, development=True),
    ]
    return frozenset(canonicalize_name(Requirement(each).name) for each in listed)


def project_files(name: ProjectName, specs: Sequence[ComponentSpec]) -> list[NewFile]:
    """Every file of a new project, sorted by path; the same choice gives the same bytes.

    Args:
        name: the project's.
        specs: its components with all that they need, in registry order.
    """
    names = {spec.name for spec in specs}
    own = [
        _named(file, name, specs)
        for file in skeleton_files()
        if file.path not in ONLY_WITH or ONLY_WITH[file.path] in names
    ]
    copies = {spec: copy_component(spec, PACKAGE, TESTS) for spec in specs}
    shared = [file for file in shared_files(PACKAGE, TESTS) if not file.path.endswith("/conftest.py")]
    components = tuple(
        LockedComponent(spec.name, spec.version, locked(files)) for spec, files in copies.items()
    )
    copied = [file for files in copies.values() for file in files]
    lock = Lock(PACKAGE, REGISTRY, TESTS, tuple(sorted(components, key=lambda each: each.name)))
    revisions, head = revisions_for(specs, _MIGRATIONS, PACKAGE, _NO_TIME)
    own = [_after(file, head) if file.path == _REVISION_OF_DOMAIN else file for file in own]
    made = [*own, *shared, *copied, *revisions, *lock_files(lock, copied)]
    return sorted(made, key=lambda file: file.path)


def write_project(root: Path, files: Sequence[NewFile]) -> None:
    """Write a new project into a folder that is empty or not there yet: all of it, or nothing.

    Raises:
        BuildError: the folder holds something, or cannot be written.
    """
    try:
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            message = f"{root} is not empty; name another folder: --path DIR"
            raise BuildError(message)
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{root} cannot be made: {(error.strerror or str(error)).lower()}; name another folder: --path DIR"
        raise BuildError(message) from error
    apply(Plan(title=f"A new project in {root}", files=tuple(files)), root)


def skeleton_files() -> list[NewFile]:
    """The files of the skeleton as they lie here, sorted by path."""
    return [
        NewFile(file.relative_to(SKELETON).as_posix(), file.read_bytes())
        for file in sorted(SKELETON.rglob("*"))
        if file.is_file() and not _LEFT_OUT & set(file.relative_to(SKELETON).parts)
    ]


def _named(file: NewFile, name: ProjectName, specs: Sequence[ComponentSpec]) -> NewFile:
    """A file of the skeleton with the parts and, where it has one, the list of these components, under the project's name."""
    text = chosen_parts(file.data.decode(), {spec.name for spec in specs})
    if file.path in LISTS:
        text = LISTS[file.path](text, specs)
    for old, new in zip(_forms(_SKELETON_NAME), _forms(name), strict=True):
        text = text.replace(old, new)
    return NewFile(file.path, text.encode())


def _after(revision: NewFile, head: str | None) -> NewFile:
    """The domain's revision behind those of the components."""
    before, after = (f'down_revision = "{each}"'.encode() for each in (_FIRST, head))
    return NewFile(revision.path, revision.data.replace(before, after))


def _forms(name: ProjectName) -> tuple[str, str, str]:
    return (name.distribution, name.identifier, name.title)
