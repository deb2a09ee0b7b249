"""Templates are rendered, and the only middleware sets a header of another kind."""

from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates

templates = Jinja2Templates(directory="templates")
app = FastAPI()  # finding: security-headers-absent


@app.middleware("http")
async def stamp(request: Request, call_next):
    response = await call_next(request)
    response.headers["X-Request-Id"] = "1"
    return response


@app.get("/")
def home(request: Request):
    return templates.TemplateResponse(request, "home.html")
