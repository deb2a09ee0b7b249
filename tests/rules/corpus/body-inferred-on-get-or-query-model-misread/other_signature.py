"""A class whose `__call__` gets its signature at run time is no sign of a body; an ordinary one is."""

from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from makefun import with_signature

app = FastAPI()


class Sorting:
    def __call__(self, sorting: list[str] | None) -> list[str]:
        return sorting or []


def sorting_by(names: list[str]) -> Sorting:
    signature = Signature(
        [
            Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
            Parameter("sorting", Parameter.POSITIONAL_OR_KEYWORD, default=Query(names), annotation=list[str]),
        ]
    )

    class Signed(Sorting):
        @with_signature(signature)
        def __call__(self, sorting: Any) -> list[str]:
            return super().__call__(sorting)

    return Signed()


@app.get("/books")
def list_books(sorting: Annotated[list[str], Depends(sorting_by(["title"]))]) -> list[str]:
    return sorting


@app.get("/authors")
def list_authors(
    names: list[str],  # finding: body-inferred-on-get-or-query-model-misread
) -> list[str]:
    return names
