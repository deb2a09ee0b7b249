"""Copy components into a project and wire them: the plan that was shown, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi_architect.builder.apply import apply, check
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.records.comparison import Comparison, standing_of
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.records.prompt import PromptRecord, write
from fastapi_architect.review import pipeline
from fastapi_architect.review.difference import difference
from fastapi_architect.review.result import Review
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.paging import first
from fastapi_architect.workbench.plan_component import Planned, planned
from fastapi_architect.workbench.workspace import Workspace, refusing


@dataclass(frozen=True)
class Addition(Answer):
    """What was added, and what a review says of it."""

    folder: str
    """the project, relative to the served folder; files are relative to it"""
    components: tuple[str, ...]
    new_files: tuple[str, ...]
    edited_files: tuple[str, ...]
    manual_steps: tuple[str, ...]
    """what has to be done by hand now, in order"""
    score_before: int
    score_after: int
    resolved: tuple[str, ...]
    """findings that are gone"""
    new_findings: tuple[str, ...]
    """findings that came; `review` explains them"""
    record: str | None
    """the prompt record that was written, where the project wants that; relative to the project"""
    follow_ups: tuple[str, ...]


def add_component(
    workspace: Workspace,
    components: Sequence[str],
    plan: str,
    path: str = ".",
    *,
    application: str | None = None,
    migrations: str | None = None,
    with_tests: bool | None = None,
    beside: bool = False,
) -> Addition:
    """Carry out a plan that `plan_component` has shown; git must hold everything that is there.

    Args:
        workspace: where to write.
        components: as they were planned, like all that follows.
        plan: the plan's name; another plan is not carried out.
        path: folder of the project, relative to the workspace.
        application: the one to wire.
        migrations: folder of the migrations.
        with_tests: copy their tests, too.
        beside: although the project has something of the kind already.

    Raises:
        WorkbenchError: nothing was written; the message names the reason and the next step.
    """
    workspace.refuse_writing()
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
    if plan != made.name:
        message = (
            "this is not the plan of these arguments, or the project has changed since it was made; "
            "ask plan_component again, and show the user what it says"
        )
        raise WorkbenchError(message)
    root = made.project.root
    workspace.refuse_dirty(root)
    with refusing():
        check(made.plan, root)
    with workspace.reading():
        before = pipeline.review(workspace.request(root))
    with workspace.writing():
        apply(made.plan, root)
    with workspace.reading():
        after = pipeline.review(workspace.request(root))
    return _answer(workspace, made, before, after, _recorded(workspace, made, before, after))


def _recorded(workspace: Workspace, made: Planned, before: Review, after: Review) -> str | None:
    """The prompt record of what was added, where the project keeps them by itself.

    That it cannot be written undoes nothing of what was added, and is said in its place.
    """
    root, plan = made.project.root, made.plan
    settings = workspace.config(root).records
    if not settings.automatic:
        return None
    record = PromptRecord(
        asked=f"add_component {' '.join(plan.components)}",
        at=datetime.now().astimezone(),
        command="add_component",
        title=plan.title,
        done=plan.approach,
        files=_written(made),
        comparison=Comparison(standing_of(before), standing_of(after)),
    )
    try:
        with workspace.writing():
            folder = prompts_folder(root, settings.prompts, within=workspace.bound(root))
            return write(folder, record).relative_to(root).as_posix()
    except WorkbenchError as error:
        return f"none was written: {error}"


def _written(made: Planned) -> tuple[str, ...]:
    paths = (*(file.path for file in made.plan.files), *(edit.path for edit in made.plan.edits))
    return tuple(sorted(path for path in paths if not path.startswith(".architect/")))


def _answer(
    workspace: Workspace, made: Planned, before: Review, after: Review, record: str | None
) -> Addition:
    resolved, new = (
        first([f"{each.location} {each.rule.name}" for each in findings])
        for findings in difference(before, after)
    )
    plan = made.plan
    return Addition(
        folder=workspace.name_of(made.project.root),
        components=plan.components,
        new_files=tuple(file.path for file in plan.files if not file.path.startswith(".architect/")),
        edited_files=tuple(edit.path for edit in plan.edits),
        manual_steps=plan.manual_steps,
        score_before=before.score.value,
        score_after=after.score.value,
        resolved=resolved,
        new_findings=new,
        record=record,
        follow_ups=plan.follow_ups,
    )
