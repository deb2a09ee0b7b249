"""Arguments that several tools take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastapi_architect.workbench.paging import MAX_LIMIT

Folder = Annotated[str, Field(description="folder of the backend, relative to the served one")]
Place = Annotated[str, Field(description="folder, or one Python file, relative to the served folder")]
Select = Annotated[tuple[str, ...], Field(description="only these categories, topics or rules")]
Cursor = Annotated[int, Field(ge=0, description="`next` of the page before; 0 for the first page")]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="entries of a page")]
