"""The components there are, read from their `component.toml`: what each needs, provides and resolves."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import Version

from fastapi_architect.builder.errors import CatalogError, NoSuchComponent

Group = Literal["foundation", "identity", "traffic", "work", "testing"]
Server = Literal["postgresql", "redis", "worker"]
#: What a project decides by taking a component: somebody will ask why, and a decision record would say it.
Topic = Literal["framework", "authentication strategy", "database design", "API versioning"]
Identifier = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")]
Variable = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]*$")]

#: Where components lie: beside this folder, as the package data that they are.
COMPONENTS = Path(__file__).parent.parent / "components"
DESCRIPTION = "component.toml"
#: Packages that serve an application; a project that was there before is served in its own way.
OWN_SERVERS = ("uvicorn",)


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a component enters a project's list of components.

    Attributes:
        names: what the expression uses, as the component's package exports it.
        expression: the element of the list.
        position: the list is ascending in it; its order is opening order, and middleware order from the outside.
        beside: the expression for an application that has ways of its own, where this component comes only because
            another one needs it.
    """

    names: tuple[str, ...]
    expression: str
    position: int
    beside: str | None = None


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One field of a settings class, as a variable of the environment.

    Attributes:
        variable: its name there.
        example: the value for `.env.example`; empty for a secret.
        help: one sentence above the line.
        required: the service does not start without it.
        secret: it is generated, never shown.
    """

    variable: Variable
    example: str
    help: str
    required: bool = False
    secret: bool = False


class Migration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tables of a component, made by functions of its `migrations.py` that are called with Alembic's `op`."""

    slug: Identifier
    upgrade: Identifier
    downgrade: Identifier
    tables: tuple[str, ...]


class ComponentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One component.

    Attributes:
        folder: where its files lie on this machine; no key of the file.
        needs: components whose modules it imports.
        packages: requirements with floors; only what it imports itself.
        development_packages: what its tests need beyond those.
        servers: what has to run beside it.
        provides, resolves: for people, and the names of our rules that it answers.
        decides: what a project decides by taking it; tables of its migrations are database design besides.
        registry: absent when there is nothing to install.
        next_step: what is left to do in a service that has code already; `{folder}` stands for the component's.
    """

    name: Identifier
    title: str
    summary: str
    group: Group
    version: str
    needs: tuple[Identifier, ...] = ()
    packages: tuple[str, ...] = ()
    development_packages: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()
    provides: tuple[str, ...] = ()
    resolves: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    decides: tuple[Topic, ...] = ()
    registry: Registration | None = None
    next_step: str = ""
    settings: tuple[Setting, ...] = ()
    migrations: tuple[Migration, ...] = ()
    folder: Path = Path()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What a project decides by taking it."""
        brings_tables = any(each.tables for each in self.migrations)
        return tuple(dict.fromkeys((*self.decides, *(("database design",) if brings_tables else ()))))

    @property
    def order(self) -> tuple[int, str]:
        """Its place among others: what installs nothing comes first."""
        return (self.registry.position if self.registry else 0, self.name)


class Catalog(msgspec.Struct, frozen=True):
    """Every component, by name, in registry order."""

    components: Mapping[str, ComponentSpec]

    def __iter__(self) -> Iterator[ComponentSpec]:
        """The components in registry order."""
        return iter(self.components.values())

    def __getitem__(self, name: str) -> ComponentSpec:
        """The component of that name; dashes are read as underscores.

        Raises:
            NoSuchComponent: with the nearest name.
        """
        found = self.components.get(name.replace("-", "_").lower())
        if found is not None:
            return found
        near = difflib.get_close_matches(name, self.components, n=1)
        hint = f"did you mean {near[0]}?" if near else "`architect components` lists them"
        message = f"there is no component {name!r}; {hint}"
        raise NoSuchComponent(message)

    def closure(self, names: Iterable[str]) -> tuple[ComponentSpec, ...]:
        """The named components and all that they need, each once, in registry order.

        Raises:
            NoSuchComponent: one of the names is no component.
            CatalogError: a component needs one that is not there.
        """
        found: dict[str, ComponentSpec] = {}
        pending = [self[name] for name in names]
        while pending:
            spec = pending.pop()
            if spec.name not in found:
                found[spec.name] = spec
                for need in spec.needs:
                    if need not in self.components:
                        _refuse(spec, f"needs {need!r}, which is no component")
                    pending.append(self.components[need])
        return tuple(sorted(found.values(), key=lambda spec: spec.order))

    def reachable(self, name: str) -> tuple[ComponentSpec, ...]:
        """The component and what it needs, as far as it is there: others may be in the making."""
        found: dict[str, ComponentSpec] = {}
        pending = [name]
        while pending:
            spec = self.components.get(pending.pop())
            if spec is not None and spec.name not in found:
                found[spec.name] = spec
                pending += spec.needs
        return tuple(sorted(found.values(), key=lambda spec: spec.order))


@functools.cache
def load_catalog(folder: Path = COMPONENTS) -> Catalog:
    """Read every `component.toml` below `folder`.

    Raises:
        CatalogError: a file cannot be read, or says what cannot be.
    """
    files = sorted(folder.glob(f"*/{DESCRIPTION}"))
    specs = [read_spec(file) for file in files]
    specs.sort(key=lambda spec: spec.order)
    catalog = Catalog({spec.name: spec for spec in specs})
    for spec in specs:
        _check(spec, catalog)
    return catalog


def read_spec(file: Path) -> ComponentSpec:
    """One component.

    Raises:
        CatalogError: naming the file and the key.
    """
    place = f"{file.parent.name}/{file.name}"
    try:
        spec = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), ComponentSpec)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{place}: {error}"
        raise CatalogError(message) from error
    if spec.name != file.parent.name:
        message = f"{place}: the name is {spec.name!r}, its folder's name is {file.parent.name!r}"
        raise CatalogError(message)
    return msgspec.structs.replace(spec, folder=file.parent)


def packages_of(
    specs: Iterable[ComponentSpec], *, development: bool = False, without: Collection[str] = ()
) -> tuple[str, ...]:
    """The requirements of all, each package once with every floor and extra that somebody asks for.

    Args:
        specs: the components.
        development: what their tests need instead.
        without: names of packages that are left out.
    """
    merged: dict[str, Requirement] = {}
    for spec in specs:
        for text in spec.development_packages if development else spec.packages:
            wanted = Requirement(text)
            wanted.name = canonicalize_name(wanted.name)
            known = merged.setdefault(wanted.name, wanted)
            if known is not wanted:
                known.extras |= wanted.extras
                known.specifier &= wanted.specifier
    return tuple(requirement(merged[name]) for name in sorted(merged) if name not in without)


def requirement(wanted: Requirement) -> str:
    """A requirement as people write it, with the highest of its floors alone."""
    floors = sorted((part for part in wanted.specifier if part.operator == ">="), key=_version, reverse=True)
    others = sorted(str(part) for part in wanted.specifier if part.operator != ">=")
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    return f"{wanted.name}{extras}" + ",".join([*(str(floor) for floor in floors[:1]), *others])


def _version(part: Specifier) -> Version:
    return Version(part.version)


def _check(spec: ComponentSpec, catalog: Catalog) -> None:
    """Hold a file to what one file alone cannot say.

    Raises:
        CatalogError: a need is missing or circular, a requirement or position is wrong.
    """
    for need in set(spec.needs) & set(catalog.components):
        if any(other.name == spec.name for other in catalog.reachable(need)):
            _refuse(spec, f"needs {need!r}, which needs {spec.name!r}")
    for text in (*spec.packages, *spec.development_packages):
        try:
            operators = {part.operator for part in Requirement(text).specifier}
        except InvalidRequirement as error:
            _refuse(spec, f"packages: {error}")
        if operators - {">=", "!="}:
            _refuse(spec, f"packages: {text!r} has a cap; say the floor only")
    for other in catalog:
        if (
            other.name < spec.name
            and other.registry
            and spec.registry
            and other.registry.position == spec.registry.position
        ):
            _refuse(spec, f"registry.position: {other.name} stands there already")


def _refuse(spec: ComponentSpec, reason: str) -> None:
    message = f"{spec.name}/{DESCRIPTION}: {reason}"
    raise CatalogError(message)
