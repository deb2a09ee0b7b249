"""A subclass of StaticFiles, and a form behind a dependency."""

from typing import Annotated

from fastapi import Depends, FastAPI, Form
from fastapi.staticfiles import StaticFiles

app = FastAPI()


class CachedFiles(StaticFiles):
    """Static files that browsers keep."""


def article_of(article: Annotated[str, Form()]) -> str:
    return article


@app.post("/orders")
def place_order(article: Annotated[str, Depends(article_of)]) -> str:
    return article


app.mount("/static", CachedFiles(directory="static"))
