"""Components for a project that `architect new` did not make: what is found, what is refused, and the one line that is wired.

The application's own code is edited in one file: one import, one call. Everything else is new files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.builder.application_choice import Chosen, choose, shadowing
from fastapi_architect.builder.application_point import Cannot, Point, find_point
from fastapi_architect.builder.catalog import ComponentSpec, packages_of
from fastapi_architect.builder.equivalents import Equivalent, equivalents
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.foreign_import import import_of, with_import
from fastapi_architect.builder.lock import Lock
from fastapi_architect.builder.manifests import find_manifest, required_python
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.builder.project import Project, edit_of, served_otherwise
from fastapi_architect.builder.site import Site
from fastapi_architect.builder.variables import refusing_unknown
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.report.wording import counted

#: The language of components: StrEnum, Self, exception groups.
PYTHON = Version("3.11")
#: Components that a project has to be built around.
_FOUNDATIONS = frozenset({"access"})
_IMAGE = re.compile(r"^\s*FROM\s+\S*?python:?(\d+\.\d+)", re.MULTILINE | re.IGNORECASE)


def graft(
    project: Project, wanted: Wanted, requested: Sequence[ComponentSpec], closure: Sequence[ComponentSpec]
) -> Site:
    """Find the places for components in somebody's project.

    Raises:
        BuildError: something cannot be placed safely; the message says why, and what to do by hand.
    """
    chosen = choose(project, wanted.application)
    _refuse_identity(requested, closure)
    package = _package(project, chosen)
    considerations = [*_versions(project, chosen, closure)]
    considerations += _equivalents(project, chosen, requested, closure, beside=wanted.beside)
    considerations += [
        *_type_checker(project),
        *_settings(project, closure),
        *_shared_variables(project, closure),
    ]
    names = _free_names(project, package)
    registry = f"{package.folder}/{names[1]}.py".lstrip("/")
    holder = Place(f"{package.folder}/{names[0]}".lstrip("/"), f"{package.name}.{names[0]}".lstrip("."))
    tests = _tests(project, chosen, wanted)
    point, edit = _wired(project, chosen, package, holder, names[1])
    application = chosen.application
    return Site(
        package=holder,
        tests=tests,
        registry=registry,
        near=chosen.module.path,
        lock=Lock(package=holder, tests=tests, registry=registry, grafted=True),
        makes_registry=True,
        edits=(edit,),
        context=(
            _about(application, point),
            *_found(project),
        ),
        approach=(
            _where(chosen, point),
            "What others need only for its errors answers these alone; your own answers stay as they are.",
        ),
        considerations=tuple(considerations),
        validation=("Run your own tests; they have to pass as before.",),
    )


def _about(application: Application, point: Point) -> str:
    return (
        f"The application is made in {application.location} and is called `{point.variable}` there; "
        f"{counted(len(application.operations), 'operation')}, {len(application.middleware)} middleware."
    )


def _where(chosen: Chosen, point: Point) -> str:
    return (
        f"Install them at one place: after line {point.line} of {chosen.module.path} (`{point.after}`), where the "
        "application has all that is its own. Their middleware stands outside of yours."
    )


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_identity(requested: Sequence[ComponentSpec], closure: Sequence[ComponentSpec]) -> None:
    needed = [spec.name for spec in closure if spec.name in _FOUNDATIONS]
    if needed:
        message = (
            f"{requested[0].name} needs {needed[0]}, which refuses every request that no component lets in: it cannot be put "
            "under an application that has its own logins. By hand: make a project with `architect new`, "
            "and move your routers into it"
        )
        raise BuildError(message)


def _versions(project: Project, chosen: Chosen, closure: Sequence[ComponentSpec]) -> list[str]:
    """What has to be said about versions.

    Raises:
        BuildError: Python, Pydantic or a package is too old, and the project excludes the newer one.
    """
    texts = project.texts
    said = []
    manifest = find_manifest(texts, chosen.module.path)
    python = required_python(texts, manifest)
    where = manifest.path if manifest else ""
    if python is not None:
        allowed = SpecifierSet(re.sub(r"\s", "", python))
        if not any(_allows(allowed, minor) for minor in range(11, 21)):
            message = f"components need Python {PYTHON}, and {where} says {python!r}; raise it, and run the command again"
            raise BuildError(message)
        if any(_allows(allowed, minor) for minor in range(8, 11)):
            said.append(
                f"Components need Python {PYTHON} or later, and {where} says {python!r}: raise it where it runs."
            )
    for path, version in _images(texts, chosen.module.path):
        if version < PYTHON:
            message = f"components need Python {PYTHON}, and {path} runs {version}; raise it, and run the command again"
            raise BuildError(message)
    if project.graph.pydantic_major == 1:
        message = "components need Pydantic 2, and this project is written for Pydantic 1; migrate first: pip install bump-pydantic"
        raise BuildError(message)
    return [*said, *_locked(project, closure)]


def _allows(specifier: SpecifierSet, minor: int) -> bool:
    return any(specifier.contains(Version(f"3.{minor}.{patch}")) for patch in (0, 9))


def _images(texts: Mapping[str, str], near: str) -> Iterator[tuple[str, Version]]:
    """Versions of Python that images and version files next to the application name."""
    folders = {"" if str(folder) == "." else str(folder) for folder in PurePosixPath(near).parents}
    for path, text in texts.items():
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            continue
        if name.lower().endswith("dockerfile"):
            yield from ((path, Version(found)) for found in _IMAGE.findall(text))
        elif name == ".python-version" and (found := re.match(r"\s*(\d+\.\d+)", text)):
            yield path, Version(found[1])


def _locked(project: Project, closure: Sequence[ComponentSpec]) -> Iterator[str]:
    """Packages that are locked at an older version than is needed."""
    for text in packages_of(closure, without=served_otherwise(project)):
        wanted = Requirement(text)
        floors = [Version(each.version) for each in wanted.specifier if each.operator == ">="]
        there = project.graph.deployment.version_of(wanted.name)
        if floors and there is not None and there.basis == "lock" and there.version < max(floors):
            yield (
                f"{there.requirement.location.path} locks {wanted.name} {there.version}, and {max(floors)} or later is needed: "
                "lock anew, and see that your tests pass."
            )


def _equivalents(
    project: Project,
    chosen: Chosen,
    requested: Sequence[ComponentSpec],
    closure: Sequence[ComponentSpec],
    *,
    beside: bool,
) -> list[str]:
    """What is of the same kind, and does not collide.

    Raises:
        BuildError: it does collide.
    """
    said = []
    for spec in requested:
        found = equivalents(project.graph, spec.name, chosen.module)
        colliding = [each for each in found if each.collides]
        if colliding and not beside:
            listed = _listed(colliding)
            message = (
                f"this project has {spec.title.lower()} of its own ({listed}); two of a kind would do it twice. "
                f"By hand: take yours out and run the command again, or keep both: --beside"
            )
            raise BuildError(message)
        if found:
            verb = "stays beside it" if colliding else "stays"
            said.append(f"{spec.title}: {_listed(found)} {verb}.")
        if any(each.what.endswith("()") for each in found):
            said.append(
                "Who configures the loggers last decides: take your configuration out, or leave it before the component's."
            )
    names = {spec.name for spec in closure}
    clients = equivalents(project.graph, "redis_pool", chosen.module) if "redis_pool" in names else []
    if clients:
        said.append(
            f"Your own Redis client ({clients[0].location}) stays; the component's pool is a second one."
        )
    if "database" in names and project.graph.database.engines:
        engine = project.graph.database.engines[0].location
        if not beside:
            message = (
                f"this project has an engine of its own ({engine}), and the component `database` would hold a second pool. "
                "By hand: let your sessions come from one of them; to keep both: --beside"
            )
            raise BuildError(message)
        said.append(f"There are two pools of connections then: {engine} and the component's.")
    return said


def _listed(found: Sequence[Equivalent]) -> str:
    shown = ", ".join(f"{each.what} in {each.location}" for each in found[:4])
    return shown + (", ..." if found[4:] else "")


def _settings(project: Project, closure: Sequence[ComponentSpec]) -> list[str]:
    """Settings classes that refuse variables which they do not know in their `.env`."""
    if not any(spec.settings for spec in closure):
        return []
    return [
        f"`{each.name}` ({each.location}) refuses variables of {each.env_files[0]} that it does not know: "
        "say extra='ignore' there before you put the new ones in."
        for each in refusing_unknown(project)
    ]


def _type_checker(project: Project) -> Iterator[str]:
    for path, text in project.texts.items():
        if (
            path.rpartition("/")[2] == "pyproject.toml"
            and "[tool.mypy]" in text
            and "pydantic.mypy" not in text
        ):
            yield f'mypy asks for arguments that settings read from the environment: plugins = ["pydantic.mypy"] in {path}.'


def _shared_variables(project: Project, closure: Sequence[ComponentSpec]) -> Iterator[str]:
    """Variables that the project reads under the same name."""
    readers: dict[str, str] = {}
    for each in project.graph.settings.classes:
        for setting in each.settings:
            for name in setting.environment:
                readers.setdefault(name.upper(), f"{each.name} ({setting.location})")
    for variable in project.graph.settings.variables:
        if variable.name:
            readers.setdefault(variable.name, str(variable.location))
    for spec in closure:
        for wanted in spec.settings:
            if wanted.variable in readers:
                yield f"{wanted.variable} is read by {readers[wanted.variable]}, too: one value serves both."


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _package(project: Project, chosen: Chosen) -> Place:
    """The top-level package of the application; the root of imports where it is a lone module."""
    module = chosen.module
    root = module.root.replace("^", "").replace(".", "/")
    top, inside, _ = module.name.partition(".")
    if not inside and not module.is_package:
        return Place(root, "")
    folder = f"{root}/{top}".lstrip("/")
    if not (project.root / folder).is_dir():
        folder = str(PurePosixPath(module.path).parent)
        top = folder.replace("/", ".")
    return Place(folder, top)


def _free_names(project: Project, package: Place) -> tuple[str, str]:
    """Names of the package and of the registry that nobody has."""
    folder = project.root / package.folder
    for prefix in ("", "service_"):
        holder, registry = f"{prefix}components", f"{prefix}registry"
        taken = [folder / holder, folder / f"{holder}.py", folder / registry, folder / f"{registry}.py"]
        if not any(path.exists() for path in taken):
            return holder, registry
    message = f"{package.folder} has components and registries by every name that would be used here; move service_components away"
    raise BuildError(message)


def _tests(project: Project, chosen: Chosen, wanted: Wanted) -> Place | None:
    """Beside the manifest; left out unless asked for: they bring servers along."""
    if not wanted.tests:
        return None
    manifest = find_manifest(project.texts, chosen.module.path)
    folder = manifest.path.rpartition("/")[0] if manifest else ""
    return Place(f"{folder}/tests/components".lstrip("/"), "tests.components")


def _wired(
    project: Project, chosen: Chosen, package: Place, holder: Place, registry: str
) -> tuple[Point, FileEdit]:
    """The edit of the application's file.

    Raises:
        BuildError: no place is safe, with what to write by hand.
    """
    path = chosen.module.path
    points: list[Point] = []

    def change(text: str) -> str:
        point = find_point(
            text,
            chosen.place.line,
            chosen.place.column,
            shadowing(chosen.application, chosen.module, project.graph),
        )
        points.append(point)
        folder = path.rpartition("/")[0]
        imported = import_of(text, folder, package, registry)
        lines = text.split("\n")
        call = f"{point.indentation}{imported.install}({point.variable}, {imported.components}())"
        lines[point.line : point.line] = ["", call] if point.spaced else [call]
        return with_import("\n".join(lines), imported.statement, package)

    try:
        edit = edit_of(project.root, path, change, "one import, and one call that installs the components")
    except (Cannot, SyntaxError) as error:
        by_hand = (
            f"from {package.name}.{registry} import components, install"
            if package.name
            else f"from {registry} import components, install"
        )
        message = (
            f"{path}: {error}; nothing was changed. By hand: write `{by_hand}` and `install(app, components())` "
            f"behind the last line that adds to the application, with {holder.folder}/ copied from another project"
        )
        raise BuildError(message) from error
    assert edit is not None
    return points[0], edit


def _found(project: Project) -> Iterator[str]:
    graph = project.graph
    manifests = [
        path
        for path in sorted(graph.files.texts)
        if path.rpartition("/")[2] in ("pyproject.toml", "requirements.txt")
    ]
    versions = []
    for name in ("fastapi", "starlette", "pydantic", "sqlalchemy", "redis"):
        version = graph.version(name)
        if version is not None:
            versions.append(f"{name} {version}")
    if versions:
        yield f"Versions: {', '.join(versions)}" + (f" ({manifests[0]})." if manifests else ".")
    if graph.settings.classes:
        yield f"Settings: {', '.join(f'{each.name} in {each.location}' for each in graph.settings.classes[:3])}."
    for history in graph.migrations[:2]:
        yield f"Migrations: {history.folder}, head{'s' if len(history.heads) > 1 else ''} {', '.join(history.heads[:3])}."
