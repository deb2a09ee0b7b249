"""The lock file holds Pydantic 1 and an old Starlette: all of this is as it should be there."""

from datetime import datetime

from fastapi import FastAPI, Query, Request, status
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field, validator
from starlette.responses import HTMLResponse

app = FastAPI()
templates = Jinja2Templates("templates")


class Book(BaseModel):
    title: str = Field(regex="^[A-Z]")

    class Config:
        orm_mode = True

    @validator("title")
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip()


@app.post("/books", status_code=status.HTTP_422_UNPROCESSABLE_ENTITY)
def add(book: Book, lang: str = Query("", regex="^[a-z]*$")) -> dict[str, object]:
    return {**book.dict(), "at": datetime.utcnow(), "lang": lang}  # silent: no Python version is named


@app.get("/")
def page(request: Request) -> HTMLResponse:
    return templates.TemplateResponse("page.html", {"request": request})
