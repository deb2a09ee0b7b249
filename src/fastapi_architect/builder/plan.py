"""A plan is a value: everything that would change, and why, before anything is touched."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.lock import FOLDER
from fastapi_architect.report.wording import counted, printable

MAX_FOLLOW_UPS = 3


class FileEdit(msgspec.Struct, frozen=True):
    """An edit of a file that is the user's.

    Attributes:
        path: relative to the project, with forward slashes.
        before: what the file must hold for it to be edited.
        after: what it will hold.
        what: what is added, in a few words.
    """

    path: str
    before: bytes
    after: bytes
    what: str


class Decides(msgspec.Struct, frozen=True):
    """A decision that a plan takes, of a kind that others will ask about later.

    Attributes:
        topic: what it is about, as `catalog.Topic`.
        what: titles of the components that decide it.
    """

    topic: str
    what: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done.

    Attributes:
        title: in one line.
        context: what was found in the project.
        approach: how it is done, and why so.
        components: names of what is copied, in registry order.
        files: files to write; none of them exists.
        edits: of the user's files; each file once.
        packages: requirements that the project gets.
        settings: (variable, value for `.env.example`, help, required).
        validation: how to see that it works.
        considerations: what to know before saying yes.
        manual_steps: what has to be done by hand, in order.
        follow_ups: what to do next, at most three.
        decides: architectural decisions in it, which a decision record would explain.
    """

    title: str
    components: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    approach: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    packages: tuple[str, ...] = ()
    settings: tuple[tuple[str, str, str, bool], ...] = ()
    validation: tuple[str, ...] = ()
    considerations: tuple[str, ...] = ()
    manual_steps: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    decides: tuple[Decides, ...] = ()


def as_text(plan: Plan) -> str:
    """The plan for a person."""
    lines = [plan.title, ""]
    for heading, said in (
        ("Context", plan.context),
        ("Approach", plan.approach),
        ("Changes", tuple(_changes(plan))),
        ("Validation", plan.validation),
        ("Considerations", plan.considerations),
        ("By hand", tuple(f"{n}. {step}" for n, step in enumerate(plan.manual_steps, 1))),
        ("Follow-ups", plan.follow_ups[:MAX_FOLLOW_UPS]),
    ):
        if said:
            lines += [heading, *(f"  {line}" for each in said for line in each.split("\n")), ""]
    return printable("\n".join(lines))


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan for a program; contents of files are left out, their digests stand for them."""
    return {
        "title": plan.title,
        "components": list(plan.components),
        "context": list(plan.context),
        "approach": list(plan.approach),
        "files": [{"path": f.path, "id": f.id or None, "sha256": f.sha256} for f in plan.files],
        "edits": [{"path": e.path, "what": e.what, "diff": diff_of(e)} for e in plan.edits],
        "packages": list(plan.packages),
        "settings": [
            {"variable": variable, "example": example, "help": explanation, "required": required}
            for variable, example, explanation, required in plan.settings
        ],
        "validation": list(plan.validation),
        "considerations": list(plan.considerations),
        "manual_steps": list(plan.manual_steps),
        "follow_ups": list(plan.follow_ups[:MAX_FOLLOW_UPS]),
        "decides": [{"topic": each.topic, "what": list(each.what)} for each in plan.decides],
    }


def as_diff(plan: Plan) -> str:
    """Every change as a unified diff; the lock's own folder is left out."""
    edits = {edit.path: diff_of(edit) for edit in plan.edits}
    created = {
        file.path: diff_of(FileEdit(file.path, b"", file.data, ""), new=True)
        for file in plan.files
        if not file.path.startswith(f"{FOLDER}/")
    }
    both = edits | created
    return "".join(both[path] for path in sorted(both) if not path.startswith(f"{FOLDER}/"))


def diff_of(edit: FileEdit, *, new: bool = False) -> str:
    """The edit as a unified diff."""
    before, after = (
        data.decode("utf-8", "replace").splitlines(keepends=True) for data in (edit.before, edit.after)
    )
    # What stands around an edit of a `.env` may be a secret.
    context = 0 if PurePosixPath(edit.path).name == ".env" else 3
    made = difflib.unified_diff(
        before, after, "/dev/null" if new else f"a/{edit.path}", f"b/{edit.path}", n=context
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made
    )


def _changes(plan: Plan) -> Iterator[str]:
    for folder, count in _folders(plan.files):
        yield f"new   {folder}" + (f"  ({counted(count, 'file')})" if count > 1 else "")
    for edit in plan.edits:
        if not edit.path.startswith(f"{FOLDER}/"):
            yield f"edit  {edit.path}  {edit.what}"
    for variable, example, explanation, required in plan.settings:
        if required:
            yield f"set   {variable}={example}  {explanation}"
    optional = [variable for variable, _, _, required in plan.settings if not required]
    if optional:
        yield f"have  {counted(len(optional), 'setting')} with a default: {_families(optional)}"


def _families(variables: Iterable[str]) -> str:
    """Settings by their first word: `LOG_* (6), ENVIRONMENT`."""
    counts: dict[str, list[str]] = {}
    for variable in variables:
        counts.setdefault(variable.partition("_")[0], []).append(variable)
    return ", ".join(
        names[0] if len(names) == 1 else f"{first}_* ({len(names)})" for first, names in counts.items()
    )


def _folders(files: Iterable[NewFile]) -> list[tuple[str, int]]:
    """Components as one line each, other files by themselves, the lock's folder as one."""
    counts: dict[str, int] = {}
    for file in files:
        component, _, inside = file.id.partition("/")
        if file.path.startswith(f"{FOLDER}/"):
            shown = f"{FOLDER}/"
        elif inside and f"/{component}/" in file.path:
            shown = file.path[: file.path.index(f"/{component}/") + len(component) + 2]
        else:
            shown = file.path
        counts[shown] = counts.get(shown, 0) + 1
    return list(counts.items())
