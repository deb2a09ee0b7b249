"""The smallest application that calls other hosts: it tells the status of a page that a caller names."""

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from fastapi_architect.components.outgoing_http import OutgoingHttp, OutgoingHttpDep
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install


class Page(BaseModel):
    """A page somewhere."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=2048, examples=["https://example.org/"])]


class Visit(BaseModel):
    """What the page answered."""

    status: int
    length: int


def create_app(outgoing: OutgoingHttp) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.post("/visits")
    async def visit(page: Page, http: OutgoingHttpDep) -> Visit:
        """Visit the page."""
        answer = await http.get(page.url, redirects=3)
        return Visit(status=answer.status_code, length=len(answer.content))

    install(app, [ProblemDetails(), outgoing])
    return app
