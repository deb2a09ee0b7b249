"""Read from the query: a marked model, a model as a dependency, a marked list; the body of POST and DELETE is meant."""

from typing import Annotated

from fastapi import Body, Depends, FastAPI, Query
from pydantic import BaseModel

app = FastAPI()


class Filters(BaseModel):
    author: str = ""


@app.get("/a")
def marked(filters: Annotated[Filters, Query()]) -> str:
    return filters.author


@app.get("/b")
def injected(filters: Annotated[Filters, Depends()], ids: list[int] = Query(default=[])) -> str:
    return filters.author + str(ids)


@app.post("/c")
def search(filters: Filters) -> str:
    return filters.author


@app.delete("/d")
def delete(ids: Annotated[list[int], Body()]) -> int:
    return len(ids)


@app.api_route("/e", methods=["GET", "POST"])
def both(ids: list[int]) -> int:
    return len(ids)
