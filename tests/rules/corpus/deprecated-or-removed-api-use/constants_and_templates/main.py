"""Names that Starlette has changed, an argument order that it no longer takes, and a clock that Python deprecates."""

from datetime import UTC, datetime

from fastapi import FastAPI, Request, status
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

app = FastAPI()
templates = Jinja2Templates("templates")


REFUSED = status.HTTP_422_UNPROCESSABLE_ENTITY  # finding: deprecated-or-removed-api-use


@app.post("/pages", status_code=REFUSED)
def refuse() -> dict[str, datetime]:
    return {"at": datetime.utcnow(), "now": datetime.now(UTC)}  # finding: deprecated-or-removed-api-use


@app.get("/old")
def old_page(request: Request) -> HTMLResponse:
    return templates.TemplateResponse("page.html", {})  # finding: deprecated-or-removed-api-use


@app.get("/new", status_code=status.HTTP_404_NOT_FOUND)
def new_page(request: Request) -> HTMLResponse:
    return templates.TemplateResponse(request, "page.html")


@app.get("/named")
def named_page(request: Request) -> HTMLResponse:
    return templates.TemplateResponse(request=request, name="page.html")
