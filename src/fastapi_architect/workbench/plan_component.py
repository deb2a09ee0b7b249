"""What would adding components to a project change?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from fastapi_architect.builder.adding import plan_addition
from fastapi_architect.builder.apply import check
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.plan import MAX_FOLLOW_UPS, Plan, as_json, diff_of
from fastapi_architect.builder.project import Project, read_project
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.records.suggestion import suggest
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import Workspace, refusing

#: File names of migrations may hold the time; the identity of a plan does not.
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
#: Characters of edits that an answer carries.
_ROOM = 40_000


@dataclass(frozen=True)
class PlannedEdit(Answer):
    """A change of a file that is the user's."""

    file: str
    what: str
    diff: str
    """unified diff; empty where it does not fit into the answer"""


@dataclass(frozen=True)
class PlannedSetting(Answer):
    """A variable of the environment that the service will read."""

    variable: str
    example: str
    help: str
    required: bool


@dataclass(frozen=True)
class ComponentPlan(Answer):
    """What would be done; nothing has been written."""

    folder: str
    """the project, relative to the served folder; files are relative to it"""
    plan: str
    """what `add_component` takes: it carries out this plan, and no other"""
    title: str
    components: tuple[str, ...]
    """all that would be copied, with what the named ones need"""
    context: tuple[str, ...]
    """what was found in the project"""
    approach: tuple[str, ...]
    new_files: tuple[str, ...]
    edits: tuple[PlannedEdit, ...]
    packages: tuple[str, ...]
    """requirements that the project gets"""
    settings: tuple[PlannedSetting, ...]
    validation: tuple[str, ...]
    """how to see that it works"""
    considerations: tuple[str, ...]
    """what to know before saying yes"""
    manual_steps: tuple[str, ...]
    """what has to be done by hand afterwards, in order"""
    follow_ups: tuple[str, ...]
    decision: str | None
    """title of the decision record that the plan deserves: ask the user, then propose_adr; null: none"""


@dataclass(frozen=True)
class Planned:
    """A plan with the project that it is for."""

    project: Project
    plan: Plan
    name: str


def plan_component(
    workspace: Workspace,
    components: Sequence[str],
    path: str = ".",
    *,
    application: str | None = None,
    migrations: str | None = None,
    with_tests: bool | None = None,
    beside: bool = False,
) -> ComponentPlan:
    """What adding components to a project would change; writes nothing.

    Args:
        workspace: where to look.
        components: their names.
        path: folder of the project, relative to the workspace.
        application: the one to wire, where there are several, such as app/main.py:app.
        migrations: folder of the migrations, where there are several.
        with_tests: copy their tests, too; None: where the project has test servers of this tool.
        beside: although the project has something of the kind already.

    Raises:
        WorkbenchError: it cannot be done here; the message names the reason and the next step.
    """
    made = planned(
        workspace,
        path,
        Wanted(
            names=tuple(components),
            application=application,
            migrations=migrations,
            tests=with_tests,
            beside=beside,
            now=datetime.now(UTC),
        ),
    )
    with refusing():
        check(made.plan, made.project.root)
    return answer(workspace, made)


def planned(workspace: Workspace, path: str, wanted: Wanted) -> Planned:
    """The plan as a value.

    Raises:
        WorkbenchError: as `plan_component`.
    """
    if not wanted.names:
        message = "components: name at least one; the resource components://index lists them"
        raise WorkbenchError(message)
    place = workspace.path(path)
    with workspace.reading():
        catalog = load_catalog()
        for name in wanted.names:
            catalog[name]  # an unknown name is said before anything is read
        project = read_project(place, workspace.config(place))
        plan = plan_addition(project, wanted, catalog)
        timeless = plan_addition(project, _at(wanted, _NO_TIME), catalog)
    return Planned(project, plan, _name(timeless, path))


def answer(workspace: Workspace, made: Planned) -> ComponentPlan:
    """The plan as an answer, in as many edits as fit."""
    plan, room = made.plan, _ROOM
    suggested = suggest(plan)
    edits = []
    for each in plan.edits:
        text = diff_of(each) if not each.path.startswith(".architect/") else ""
        room -= len(text)
        edits.append(PlannedEdit(each.path, each.what, text if room >= 0 else ""))
    return ComponentPlan(
        folder=workspace.name_of(made.project.root),
        plan=made.name,
        title=plan.title,
        components=plan.components,
        context=plan.context,
        approach=plan.approach,
        new_files=tuple(file.path for file in plan.files if not file.path.startswith(".architect/")),
        edits=tuple(edits),
        packages=plan.packages,
        settings=tuple(PlannedSetting(*each) for each in plan.settings),
        validation=plan.validation,
        considerations=plan.considerations,
        manual_steps=plan.manual_steps,
        follow_ups=plan.follow_ups[:MAX_FOLLOW_UPS],
        decision=suggested.title if suggested is not None else None,
    )


def _at(wanted: Wanted, now: datetime) -> Wanted:
    return replace(wanted, now=now)


def _name(plan: Plan, path: str) -> str:
    """What a plan is known by: another project, or another change of this one, has another name."""
    data = [path, as_json(plan), [hashlib.sha256(each.before).hexdigest() for each in plan.edits]]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
