"""Write down a decision, when somebody has agreed to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from fastapi_architect.records import decision
from fastapi_architect.records.place import decisions_folder
from fastapi_architect.records.writing import next_number
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.workspace import Workspace, refusing


@dataclass(frozen=True)
class DecisionOption(Answer):
    """One way that could be gone."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {**Answer.__pydantic_config__, "extra": "forbid"}

    name: str
    """in a few words"""
    advantages: tuple[str, ...] = ()
    disadvantages: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecisionRecord(Answer):
    """An architectural decision record."""

    written: bool
    """false: nothing was; show it to the user, and ask whether it should be"""
    folder: str
    """where such records lie, relative to the served folder"""
    file: str | None
    """the record in that folder; null where it was not written"""
    text: str


def propose_adr(
    workspace: Workspace,
    title: str,
    options: Sequence[DecisionOption],
    path: str = ".",
    *,
    context: str = "",
    drivers: Sequence[str] = (),
    chosen: str = "",
    consequences: Sequence[str] = (),
    consent: bool = False,
) -> DecisionRecord:
    """A decision record with options and their trade-offs, in the project's own folder and numbering.

    Args:
        workspace: where to look, and to write.
        title: the decision in a few words.
        options: two or three.
        path: folder of the project, relative to the workspace.
        context: what makes a decision necessary.
        drivers: what the options are judged by.
        chosen: the option that is taken, and why.
        consequences: what follows from it, good and bad.
        consent: the user has agreed to have it written; without, nothing is.

    Raises:
        WorkbenchError: it is no decision, or cannot be written; the message names the next step.
    """
    if consent:
        workspace.refuse_writing()
    place = workspace.path(path)
    record = decision.Decision(
        title=title.strip(),
        day=datetime.now().astimezone().date(),
        context=context,
        drivers=tuple(drivers),
        options=tuple(
            decision.Option(each.name, tuple(each.advantages), tuple(each.disadvantages)) for each in options
        ),
        chosen=chosen,
        consequences=tuple(consequences),
    )
    with refusing():
        decision.check(record)
        settings = workspace.config(place).records
        folder = decisions_folder(place, settings.decisions, within=workspace.bound(place))
        number = next_number(folder)
    file = None
    if consent:
        with workspace.writing():
            file = decision.write(folder, record)
    return DecisionRecord(
        written=file is not None,
        folder=workspace.name_of(folder.path),
        file=file.name if file is not None else None,
        text=decision.render(record, number) if file is None else file.read_text(encoding="utf-8"),
    )
