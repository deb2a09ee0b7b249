"""The models of Pydantic 1 give `Optional` fields the default None."""

from typing import Optional

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Line(BaseModel):
    book: int
    note: Optional[str]


@app.post("/lines")
def create_line(line: Line) -> int:
    return line.book
