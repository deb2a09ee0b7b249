"""A function as a tool: what agents may pass, what they get, and what it may do to the user's files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import GetJsonSchemaHandler, RootModel, ValidationError

#: An `Answer`; pydantic would ask for the schema of a bound.
AnswerT = TypeVar("AnswerT")

#: Mistakes that one message names.
_SHOWN = 5

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


class _Tool(Tool):
    """A tool that says in one line what is wrong with its arguments."""

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> Any:
        """As the SDK's.

        Raises:
            ToolError: with the next step.
        """
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            cause = error.__cause__
            if not isinstance(cause, ValidationError):
                raise
            wrong = [f"{'.'.join(map(str, each['loc']))}: {_said(each)}" for each in cause.errors()]
            more = len(wrong) - _SHOWN
            listed = "; ".join([*wrong[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])
            message = f"{listed}. {self.name} takes {', '.join(self.parameters['properties'])}"
            raise ToolError(message) from cause


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such argument"
    message = str(error["msg"])
    return message[:1].lower() + message[1:]


def tool(function: Callable[..., Any], annotations: ToolAnnotations) -> Tool:
    """A tool by the function's name, signature and docstring. An argument that it does not have is refused."""
    made = _Tool.from_function(function, annotations=annotations, structured_output=True)
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"  # a misspelt one would silently be without effect
    arguments.model_rebuild(force=True)
    made.parameters = arguments.model_json_schema(by_alias=True)
    return made
