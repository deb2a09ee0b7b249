"""Plans of components for an answer: the builder's plan, or the reason why there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from fastapi_architect.builder.adding import plan_addition
from fastapi_architect.builder.catalog import ComponentSpec, load_catalog
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.plan import Plan, as_json
from fastapi_architect.builder.project import Project
from fastapi_architect.builder.wanted import Wanted

#: How a refusal says that the project has something of the kind, and that both can be kept.
_BESIDE = "--beside"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What adding components would do.

    Attributes:
        components: what was asked for and can be added together.
        plan: of these; None where none can.
        refused: component to the reason why it cannot be added, with the next step.
        resolves: names of rules that the components answer.
        beside: something of the kind is there already, and stays.
        present: components of those asked for that the project has already, to the dotted name of each.
    """

    components: tuple[str, ...]
    plan: Plan | None
    refused: dict[str, str]
    resolves: tuple[str, ...]
    beside: bool = False
    present: dict[str, str] = {}

    @property
    def paths(self) -> frozenset[str]:
        """Files that would be made or edited."""
        if self.plan is None:
            return frozenset()
        return frozenset({f.path for f in self.plan.files} | {e.path for e in self.plan.edits})

    def as_data(self) -> dict[str, Any]:
        """The plan for a program; contents of files are left out."""
        return {
            "command": self.command if self.plan is not None else None,
            "refused": dict(self.refused),
            "resolves": list(self.resolves),
            "plan": as_json(self.plan) if self.plan is not None else None,
        }

    def module_of(self, name: str) -> str:
        """The dotted name under which a component is or will be imported; "" where it is not part of the plan."""
        if name in self.present:
            return self.present[name]
        for file in self.plan.files if self.plan is not None else ():
            before, found, _ = file.path.partition(f"/{name}/")
            if (
                found
                and file.id.startswith(f"{name}/")
                and file.path.endswith("/__init__.py")
                and "/tests" not in before
            ):
                return f"{before}/{name}".removeprefix("src/").replace("/", ".")
        return ""

    @property
    def command(self) -> str:
        """What to type."""
        return f"architect add {' '.join(self.components)}{' --beside' if self.beside else ''}"


def plan(project: Project, names: tuple[str, ...]) -> Planned:
    """The plan of as many of the components as fit together, those named first preferred.

    What the project has something of the kind for already is planned beside that, and the plan says so.
    """
    present = _present(project, names)
    found = _planned(project, tuple(name for name in names if name not in present))
    return msgspec.structs.replace(found, present=present)


def _planned(project: Project, names: tuple[str, ...]) -> Planned:
    if not names:
        return _made((), None, {}, beside=False)
    whole = _plan(project, names)
    if isinstance(whole, Plan):
        return _made(names, whole, {}, beside=False)
    beside = _plan(project, names, beside=True) if _BESIDE in whole else whole
    if isinstance(beside, Plan):
        return _made(names, beside, {}, beside=True)
    refused: dict[str, str] = {}
    possible: tuple[str, ...] = ()
    found: Plan | None = None
    second = False
    for name in names:
        more = _plan(project, (*possible, name), beside=second)
        if isinstance(more, str) and _BESIDE in more:
            more = _plan(project, (*possible, name), beside=True)
            second = second or isinstance(more, Plan)
        if isinstance(more, str):
            refused[name] = more
        else:
            found, possible = more, (*possible, name)
    return _made(possible, found, refused, beside=second)


def _present(project: Project, names: tuple[str, ...]) -> dict[str, str]:
    """Component to the dotted name of its copy, of those that the project's lock knows."""
    lock = project.lock
    if lock is None:
        return {}
    return {name: f"{lock.package.name}.{name}" for name in names if name in lock.names}


def _plan(project: Project, names: tuple[str, ...], *, beside: bool = False) -> Plan | str:
    """The plan, or why there is none."""
    try:
        return plan_addition(
            project, Wanted(names=names, now=datetime.now(UTC), beside=beside), load_catalog()
        )
    except BuildError as error:
        return str(error)


def component(name: str) -> ComponentSpec:
    """What the catalogue says of a component."""
    return load_catalog()[name]


def _made(names: tuple[str, ...], found: Plan | None, refused: dict[str, str], *, beside: bool) -> Planned:
    resolves = dict.fromkeys(rule for name in names for rule in component(name).resolves)
    return Planned(
        components=names,
        plan=found if names else None,
        refused=refused,
        resolves=tuple(resolves),
        beside=beside,
    )
