"""Nothing secret comes in a JSON body: a search, a token for the next page, and a form."""

from typing import Annotated

from fastapi import FastAPI, Form
from pydantic import BaseModel


class Search(BaseModel):
    words: str
    page_token: str | None = None


app = FastAPI()


@app.post("/search")
def search(query: Search) -> None: ...


@app.post("/login")
def login(name: Annotated[str, Form()], password: Annotated[str, Form()]) -> None: ...
