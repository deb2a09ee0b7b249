"""How is what a review finds fixed, by the smallest edits?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import patch
from fastapi_architect.review import autofix, pipeline
from fastapi_architect.source.replace_files import replace_files
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.workspace import Workspace


@dataclass(frozen=True)
class Patch(Answer):
    """The fixes of some findings as one patch."""

    folder: str
    """what was read, relative to the served folder; apply the patch there"""
    applied: bool
    """true: the patch has been made, all of it; false: nothing was written"""
    patch: str
    """unified diff of the files from which it was made, for `git apply`"""
    fixed: tuple[str, ...]
    """findings that the patch silences; each was reviewed again"""
    undone: tuple[str, ...]
    """fixes that were tried and did not help, and why"""
    more: dict[str, int]
    """how many more findings have a fix with `unsafe` or `contract_change`"""
    left_out: int
    """files whose changes do not fit into `patch`; ask for one file or rule at a time"""


#: Characters of a patch that an answer carries.
_ROOM = 60_000
_OPTIONS = {"--unsafe": "unsafe", "--allow-contract-change": "contract_change"}


def fix(
    workspace: Workspace,
    path: str = ".",
    *,
    select: Sequence[str] = (),
    unsafe: bool = False,
    contract_change: bool = False,
    apply: bool = False,
) -> Patch:
    """The smallest edits that fix what `review` finds, as a patch; makes them only when that is asked for.

    Args:
        workspace: where to look.
        path: folder, or one Python file, relative to the workspace.
        select: only findings of these categories, topics or rules.
        unsafe: also fixes that want a person's eye, and those of tentative findings.
        contract_change: also fixes after which clients see another interface.
        apply: make the changes, all or none of them; git must hold everything that is there.

    Raises:
        WorkbenchError: an argument or the configuration has no meaning; the message names the next step.
    """
    place = workspace.path(path)
    if apply:
        workspace.refuse_writing()
        workspace.refuse_dirty(place)
    with workspace.reading():
        fixes = autofix.fix(
            workspace.request(place, select), autofix.Wanted(unsafe=unsafe, contract=contract_change)
        )
    if apply and fixes.files:
        with workspace.writing():
            replace_files(fixes.root, fixes.files)
    text, left_out = _fitting(fixes)
    return Patch(
        folder=workspace.name_of(pipeline.project_of(place, within=workspace.bound(place))[0]),
        applied=apply and bool(fixes.files),
        patch=text,
        fixed=tuple(f"{_named(each)}: {each.fix.title if each.fix else ''}" for each in fixes.made),
        undone=tuple(f"{_named(each.finding)}: {each.reason}" for each in fixes.undone),
        more={_OPTIONS[option]: n for option, n in fixes.lacking.items() if option in _OPTIONS},
        left_out=left_out,
    )


def _fitting(fixes: autofix.Fixes) -> tuple[str, int]:
    """The patch of as many files as fit, whole files only, and how many do not."""
    parts: list[str] = []
    for name, change in fixes.files.items():
        part = patch.render({name: change}).decode("utf-8", "replace")
        if parts and sum(map(len, parts)) + len(part) > _ROOM:
            break
        parts.append(part)
    return "".join(parts), len(fixes.files) - len(parts)


def _named(finding: Finding) -> str:
    return f"{finding.location} {finding.rule.name}"
