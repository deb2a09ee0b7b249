"""A function as a tool: what agents may pass, what they get, and what it may do to the user's files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import GetJsonSchemaHandler, RootModel

#: An `Answer`; pydantic would ask for the schema of a bound.
AnswerT = TypeVar("AnswerT")

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)
#: The user's code is run: nobody knows what it does.
RUNS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)


class Structured(RootModel[AnswerT]):
    """An answer with its schema.

    The SDK makes a model of a dataclass that it is given, and forgets the descriptions of its fields; it takes this one as
    it is.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The answer's own schema, once, at the root."""
        return handler.resolve_ref_schema(handler(schema["schema"]))


def tool(function: Callable[..., Any], annotations: ToolAnnotations) -> Tool:
    """A tool by the function's name, signature and docstring. An argument that it does not have is refused."""
    made = Tool.from_function(function, annotations=annotations, structured_output=True)
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"  # a misspelt one would silently be without effect
    arguments.model_rebuild(force=True)
    made.parameters = arguments.model_json_schema(by_alias=True)
    return made
