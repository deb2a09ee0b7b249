"""FastAPI makes a page of what an operation returns, where its response class says so."""

from html import escape

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse

app = FastAPI()
pages = APIRouter(default_response_class=HTMLResponse)


@app.get("/search", response_class=HTMLResponse)
def search(words: str) -> str:
    return f"<p>Nothing found for {words}.</p>"  # finding: html-response-xss


@pages.get("/list")
def listed(words: str) -> str:
    if not words:
        return "<p>Nothing was asked for.</p>"
    page = "<p>" + words + "</p>"
    return page  # finding: html-response-xss


@app.get("/escaped", response_class=HTMLResponse)
def escaped(words: str) -> str:
    return f"<p>Nothing found for {escape(words)}.</p>"


@app.get("/number", response_class=HTMLResponse)
def number(count: int) -> str:
    return f"<p>{count} found.</p>"


@app.get("/plain", response_class=PlainTextResponse)
def plain(words: str) -> str:
    return f"Nothing found for {words}."


@app.get("/json")
def as_json(words: str) -> str:
    return f"<p>{words}</p>"


@app.get("/by-hand", response_class=HTMLResponse)
def by_hand(words: str) -> PlainTextResponse:
    return PlainTextResponse(words)


app.include_router(pages)
