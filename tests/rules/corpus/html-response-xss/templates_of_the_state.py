"""A template that hangs at the state of the application writes the page, and a text is returned as one."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

app = FastAPI()


@app.get("/at-once", response_class=HTMLResponse)
def at_once(request: Request, words: str):
    return request.app.state.templates.TemplateResponse(request, "found.html", {"words": words})


@app.get("/in-a-name", response_class=HTMLResponse)
def in_a_name(request: Request, words: str):
    response = request.app.state.templates.TemplateResponse(request, "found.html", {"words": words})
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/text", response_class=HTMLResponse)
def text(request: Request, words: str):
    page = f"<p>{words}</p>"
    return page  # finding: html-response-xss
