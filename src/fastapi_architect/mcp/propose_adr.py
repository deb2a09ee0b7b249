"""The tool `propose_adr`."""

# No `from __future__ import annotations`: the SDK reads signatures at run time.

from dataclasses import asdict
from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import Field

from fastapi_architect.mcp.arguments import MAX_ENTRIES, MAX_NAME, Folder, Text
from fastapi_architect.mcp.asked import Asking
from fastapi_architect.mcp.served import Served
from fastapi_architect.mcp.tool import ADDS, READS, Structured, tool
from fastapi_architect.workbench.propose_adr import DecisionOption, DecisionRecord

_Texts = Annotated[tuple[Text, ...], Field(max_length=MAX_ENTRIES)]


async def propose_adr(
    asked: Asking,
    title: Annotated[str, Field(description="the decision in a few words", max_length=MAX_NAME)],
    options: Annotated[
        tuple[DecisionOption, ...],
        Field(description="two or three ways that could be gone, with their trade-offs", max_length=5),
    ],
    path: Folder = ".",
    context: Annotated[Text, Field(description="what makes a decision necessary")] = "",
    drivers: Annotated[_Texts, Field(description="what the options are judged by")] = (),
    chosen: Annotated[Text, Field(description="the option that is taken, and why")] = "",
    consequences: Annotated[_Texts, Field(description="what follows from it, good and bad")] = (),
    consent: Annotated[
        bool, Field(description="the user has seen it and agreed to have it written; without, nothing is")
    ] = False,
) -> Annotated[CallToolResult, Structured[DecisionRecord]]:
    """An architectural decision record with options and trade-offs. Shown; written only with the user's `consent`."""
    return await asked.answer(
        "propose_adr",
        title=title,
        options=[asdict(each) for each in options],
        path=path,
        context=context,
        drivers=drivers,
        chosen=chosen,
        consequences=consequences,
        consent=consent,
    )


def offered(served: Served) -> Tool:
    """The tool."""
    return tool(propose_adr, ADDS if served.writes else READS)
