"""The tool `fix`."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from fastapi_architect.findings.finding import Finding
from fastapi_architect.mcp.review import Select
from fastapi_architect.mcp.workspace import Workspace
from fastapi_architect.report import patch
from fastapi_architect.review import autofix, pipeline


class Patch(BaseModel):
    """The fixes of some findings as one patch; nothing has been written."""

    folder: Annotated[
        str, Field(description="what was read, relative to the served folder; apply the patch there")
    ]
    patch: Annotated[
        str, Field(description="unified diff of the files from which it was made, for `git apply`")
    ]
    fixed: Annotated[
        list[str], Field(description="findings that the patch silences; each was reviewed again")
    ]
    undone: Annotated[list[str], Field(description="fixes that were tried and did not help, and why")]
    more: Annotated[
        dict[str, int],
        Field(description="how many more findings have a fix with `unsafe` or `contract_change`"),
    ]
    left_out: Annotated[
        int, Field(description="files whose changes do not fit here; ask for one file or rule at a time")
    ]


#: Characters of a patch that an answer carries.
_ROOM = 60_000
_OPTIONS = {"--unsafe": "unsafe", "--allow-contract-change": "contract_change"}


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def fix(
        path: Annotated[
            str, Field(description="folder, or one Python file, relative to the served folder")
        ] = ".",
        select: Select = (),
        unsafe: Annotated[
            bool, Field(description="also fixes that want a person's eye, and those of tentative findings")
        ] = False,
        contract_change: Annotated[
            bool, Field(description="also fixes after which clients see another interface")
        ] = False,
    ) -> Patch:
        """The smallest edits that fix what `review` finds, as a patch; writes nothing."""
        place = workspace.path(path)
        with workspace.reading():
            fixes = autofix.fix(
                workspace.request(place, select), autofix.Wanted(unsafe=unsafe, contract=contract_change)
            )
        text, left_out = _fitting(fixes)
        return Patch(
            folder=workspace.name_of(pipeline.project_of(place, within=workspace.root)[0]),
            patch=text,
            fixed=[f"{_named(each)}: {each.fix.title if each.fix else ''}" for each in fixes.made],
            undone=[f"{_named(each.finding)}: {each.reason}" for each in fixes.undone],
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
