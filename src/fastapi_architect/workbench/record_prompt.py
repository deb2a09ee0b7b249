"""Keep what was asked, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi_architect.records import prompt
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.workspace import Workspace, refusing


@dataclass(frozen=True)
class KeptPrompt(Answer):
    """A prompt record that was written."""

    folder: str
    """where such records lie, relative to the served folder"""
    file: str
    text: str
    """as it was written: secrets are taken out"""


def record_prompt(
    workspace: Workspace,
    asked: str,
    done: Sequence[str] = (),
    path: str = ".",
    *,
    title: str = "",
    files: Sequence[str] = (),
) -> KeptPrompt:
    """Write a prompt record under the next number; no record is ever overwritten.

    Args:
        workspace: where to write.
        asked: the request, in the words of whoever asked.
        done: what was done, in sentences.
        path: folder of the project, relative to the workspace.
        title: in a few words; "" for the request's first ones.
        files: that were written, relative to the project.

    Raises:
        WorkbenchError: it says nothing, or cannot be written; the message names the next step.
    """
    workspace.refuse_writing()
    place = workspace.path(path)
    record = prompt.PromptRecord(
        asked=asked,
        at=datetime.now().astimezone(),
        command="record_prompt",
        done=tuple(done),
        title=title,
        files=tuple(files),
    )
    with refusing():
        prompt.check(record)
        settings = workspace.config(place).records
        folder = prompts_folder(place, settings.prompts, within=workspace.bound(place))
    with workspace.writing():
        file = prompt.write(folder, record)
    return KeptPrompt(
        folder=workspace.name_of(folder.path), file=file.name, text=file.read_text(encoding="utf-8")
    )
