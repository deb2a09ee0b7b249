"""Answers of the workbench as answers of a tool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import GetJsonSchemaHandler, RootModel

from fastapi_architect.workbench.errors import WorkbenchError

#: An `Answer`; pydantic would ask for the schema of a bound.
AnswerT = TypeVar("AnswerT")


class Structured(RootModel[AnswerT]):
    """An answer with its schema.

    The SDK makes a model of a dataclass that it is given, and forgets the descriptions of its fields; it takes this one as
    it is.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The answer's own schema, once, at the root."""
        return handler.resolve_ref_schema(handler(schema["schema"]))


@contextmanager
def refusing() -> Iterator[None]:
    """Say to the agent what it can mend.

    Raises:
        ToolError: with the next step.
    """
    try:
        yield
    except WorkbenchError as error:
        raise ToolError(str(error)) from error
