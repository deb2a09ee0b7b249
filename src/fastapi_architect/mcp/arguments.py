"""Arguments that several tools take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastapi_architect.workbench.paging import MAX_LIMIT

#: Characters of a name, of a path, of a text.
MAX_NAME, MAX_PATH, MAX_TEXT = 200, 4096, 20_000
#: Entries of a list.
MAX_ENTRIES = 50

Name = Annotated[str, Field(max_length=MAX_NAME)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Folder = Annotated[
    str, Field(description="folder of the backend, relative to the served one", max_length=MAX_PATH)
]
Place = Annotated[
    str,
    Field(description="folder, or one Python file, relative to the served folder", max_length=MAX_PATH),
]
Select = Annotated[
    tuple[Name, ...],
    Field(description="only these categories, topics or rules", max_length=MAX_ENTRIES),
]
Cursor = Annotated[int, Field(ge=0, description="`next` of the page before; 0 for the first page")]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="entries of a page")]
Components = Annotated[
    tuple[Name, ...],
    Field(
        description="names of components; component://index lists them", min_length=1, max_length=MAX_ENTRIES
    ),
]
Application = Annotated[
    str | None,
    Field(description="the one to wire, where there are several: app/main.py:app", max_length=MAX_PATH),
]
Migrations = Annotated[
    str | None, Field(description="folder of the migrations, where there are several", max_length=MAX_PATH)
]
WithTests = Annotated[
    bool | None, Field(description="copy their tests, too; null: where the project has test servers of ours")
]
Beside = Annotated[bool, Field(description="although the project has something of the kind already")]
