"""What `architect new` wrote beside components, kept up when a component comes later.

These are compose.yaml, the README's table, and files that only projects with a component have. The rest of the skeleton is the
user's: its example stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from fastapi_architect.builder import compose_file, readme
from fastapi_architect.builder.catalog import ComponentSpec
from fastapi_architect.builder.compose_file import CannotPlace
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.new import SKELETON
from fastapi_architect.builder.plan import FileEdit
from fastapi_architect.builder.project import Project, edit_of

#: File of the skeleton to the component that it comes with, also later.
_COMES_WITH = {"app/worker.py": "celery_tasks"}


class Upkeep(msgspec.Struct, frozen=True):
    """What has to change beside the components themselves.

    Attributes:
        files: to write.
        edits: of files that are there.
        manual_steps: what could not be placed.
    """

    files: tuple[NewFile, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    manual_steps: tuple[str, ...] = ()


def upkeep(
    project: Project,
    copied: Sequence[ComponentSpec],
    served: Collection[str],
    serving: Sequence[ComponentSpec],
) -> Upkeep:
    """What a project that `architect new` made needs beside new components.

    Args:
        project: the project.
        copied: components that come.
        served: names of those that the service uses already.
        serving: those that it will use as well.
    """
    names = {spec.name for spec in serving}
    files = [
        NewFile(path, (SKELETON / path).read_bytes())
        for path, component in _COMES_WITH.items()
        if component in names and not (project.root / path).exists()
    ]
    edits, steps = _compose(project, served, {*served, *names})
    if (project.root / readme.FILE).is_file():
        listed = edit_of(
            project.root,
            readme.FILE,
            lambda text: readme.with_components(text, copied),
            "the table of components",
        )
        edits += [listed] if listed else []
    return Upkeep(tuple(files), tuple(edits), tuple(steps))


def _compose(
    project: Project, before: Collection[str], after: Collection[str]
) -> tuple[list[FileEdit], list[str]]:
    """Services and variables that came to be needed; by hand, where the file has become another one."""
    if not (project.root / compose_file.FILE).is_file():
        return [], []
    skeleton = (SKELETON / compose_file.FILE).read_text(encoding="utf-8")
    came, went = compose_file.differences(
        compose_file.compose_for(skeleton, before), compose_file.compose_for(skeleton, after)
    )
    steps: list[str] = []

    def change(text: str) -> str:
        try:
            text = compose_file.with_blocks(text, came)
        except CannotPlace as error:
            listed = "\n".join(f"  # in {'.'.join(block.path[:-1])}\n{block.text}" for block in came)
            steps.append(f"Add to {compose_file.FILE}, which is left as it is because {error}:\n{listed}")
            return text
        for block in went:
            less = compose_file.without_block(text, block)
            if less is None:
                steps.append(
                    f"Take {'.'.join(block.path)} out of {compose_file.FILE}: others do its work now"
                )
            else:
                text = less
        return text

    what = ", ".join(dict.fromkeys(block.path[-1] for block in came))
    edit = edit_of(project.root, compose_file.FILE, change, what)
    return [edit] if edit else [], steps
