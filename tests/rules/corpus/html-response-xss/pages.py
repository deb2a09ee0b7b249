"""Pages put together by hand."""

import html

from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup, escape
from pydantic import BaseModel
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
templates = Jinja2Templates("templates")


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(200))
    colour: Mapped[str] = mapped_column(String(20))


class NoteIn(BaseModel):
    body: str


def get_session() -> Session: ...


@app.post("/notes")
def write(note: NoteIn, session: Session = Depends(get_session)):
    session.add(Note(body=note.body, colour="red"))


@app.get("/greeting")
def greeting(name: str):
    return HTMLResponse(f"<p>Hello {name}</p>")  # finding: html-response-xss


@app.post("/picture")
def picture(label: str = Form()):
    return Response(f"<svg><text>{label}</text></svg>", media_type="image/svg+xml")  # finding: html-response-xss


@app.get("/marked")
def marked(request: Request, name: str):
    return templates.TemplateResponse(request, "page.html", {"name": Markup(name)})  # finding: html-response-xss


def page_of(note: Note) -> str:
    return f"<p>{note.body}</p>"


@app.get("/notes/{key}")
def note(key: int, session: Session = Depends(get_session)):
    found = session.get(Note, key)
    return HTMLResponse(page_of(found))  # finding: html-response-xss


@app.get("/notes/{key}/colour")
def colour(key: int, session: Session = Depends(get_session)):
    found = session.get(Note, key)
    page = "<p>" + found.colour + "</p>"
    return HTMLResponse(page)  # finding: html-response-xss - tentative: nobody sends it


@app.get("/notes/{key}/escaped")
def escaped_note(key: int, session: Session = Depends(get_session)):
    found = session.get(Note, key)
    return HTMLResponse(f"<p>{html.escape(found.body)}</p><i>{found.id}</i>")


@app.get("/escaped")
def escaped(name: str):
    return HTMLResponse(f"<p>{html.escape(name)}</p>{escape(name)}")


@app.get("/template")
def template(request: Request, name: str):
    return templates.TemplateResponse(request, "page.html", {"name": name})


@app.get("/plain")
def plain(name: str, number: int):
    if number:
        return HTMLResponse(f"<p>{number}</p>")
    if name.isalnum():
        return HTMLResponse(f"<p>{name}</p>")
    return PlainTextResponse(name)


@app.get("/json")
def json(name: str):
    return JSONResponse({"name": name})
