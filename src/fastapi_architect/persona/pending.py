"""Changes that were planned and wait for a yes: nothing is written before a person confirms it on the terminal."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

import msgspec

from fastapi_architect.builder.adding import plan_addition
from fastapi_architect.builder.apply import apply as write_plan
from fastapi_architect.builder.apply import check, refuse_dirty
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.naming import project_name
from fastapi_architect.builder.new import chosen, packages_needed, project_files, write_project
from fastapi_architect.builder.presets import components_of
from fastapi_architect.builder.project import read_project
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.persona.plans import Planned, component
from fastapi_architect.review import autofix
from fastapi_architect.source.replace_files import replace_files
from fastapi_architect.workbench.workspace import Workspace


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change.

    Attributes:
        kind: fix, add or new.
        components: for add and new.
        beside: for add: although the project has something of the kind.
        path, select: for fix.
        name, preset: for new.
        breaking: clients see another interface afterwards.
        schema: the database gets another schema.
    """

    kind: str
    components: tuple[str, ...] = ()
    beside: bool = False
    path: str = "."
    select: tuple[str, ...] = ()
    name: str = ""
    preset: str = ""
    breaking: bool = False
    schema: bool = False

    @classmethod
    def of_plan(cls, planned: Planned) -> Change:
        """The addition that a plan is about."""
        names = planned.plan.components if planned.plan is not None else ()
        return cls(
            kind="add",
            components=planned.components,
            beside=planned.beside,
            schema=any(component(name).migrations for name in names),
        )

    @property
    def command(self) -> str:
        """The command that does the same."""
        words = ["architect", self.kind]
        if self.kind == "new":
            words += [self.name, "--preset", self.preset]
            words += ["--with", ",".join(self.components)] if self.components else []
        elif self.kind == "add":
            words += [*self.components, *(["--beside"] if self.beside else [])]
        else:
            words += [] if self.path == "." else [self.path]
            words += ["--allow-contract-change"] if self.breaking else []
        return shlex.join(words)

    @property
    def needs(self) -> tuple[str, ...]:
        """Options of `architect ask` that it wants besides `--yes`."""
        return tuple(
            option
            for option, wanted in (
                ("--allow-contract-change", self.breaking),
                ("--allow-schema-change", self.schema),
            )
            if wanted
        )


class Pending:
    """The changes of one conversation, each once, in the order in which they were planned."""

    def __init__(self) -> None:
        self._changes: dict[Change, None] = {}

    def add(self, change: Change) -> None:
        """Keep a change."""
        self._changes.setdefault(change)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them."""
        return tuple(self._changes)


def carry_out(workspace: Workspace, change: Change, *, allow_dirty: bool = False) -> tuple[str, ...]:
    """Make a change, all of it or nothing.

    Returns:
        the files that were written, relative to the workspace.

    Raises:
        BuildError, CannotReplace, WorkbenchError: nothing was written; the message names the next step.
    """
    if change.kind == "new":
        return _new(workspace, change)
    if not allow_dirty:
        refuse_dirty(workspace.root)
    return _add(workspace, change) if change.kind == "add" else _fix(workspace, change)


def _add(workspace: Workspace, change: Change) -> tuple[str, ...]:
    with workspace.reading():
        project = read_project(workspace.root, workspace.config(workspace.root))
        wanted = Wanted(names=change.components, now=datetime.now(UTC), beside=change.beside)
        plan = plan_addition(project, wanted, load_catalog())
    check(plan, project.root)
    write_plan(plan, project.root)
    written = (*(file.path for file in plan.files), *(edit.path for edit in plan.edits))
    return tuple(sorted(path for path in written if not path.startswith(".architect/")))


def _fix(workspace: Workspace, change: Change) -> tuple[str, ...]:
    with workspace.reading():
        request = workspace.request(workspace.path(change.path), change.select)
        fixes = autofix.fix(request, autofix.Wanted(unsafe=False, contract=change.breaking))
    replace_files(fixes.root, fixes.files)
    return tuple(sorted(fixes.files))


def _new(workspace: Workspace, change: Change) -> tuple[str, ...]:
    catalog = load_catalog()
    specs = chosen(catalog, [*components_of(change.preset, catalog), *change.components], [])
    name = project_name(change.name, packages_needed(specs))
    files = project_files(name, specs)
    write_project(workspace.root / name.distribution, files)
    return tuple(f"{name.distribution}/{file.path}" for file in files)
