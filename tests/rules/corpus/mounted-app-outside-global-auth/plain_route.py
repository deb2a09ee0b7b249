"""A Starlette route beside FastAPI's: the application's dependencies are not for it."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from starlette.responses import PlainTextResponse


def require_token(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization != "Bearer t":
        raise HTTPException(401)


app = FastAPI(dependencies=[Depends(require_token)])


@app.get("/orders")
def list_orders() -> list[str]:
    return []


async def export(request: Request) -> PlainTextResponse:
    return PlainTextResponse("everything")


app.add_route("/export", export)  # finding: mounted-app-outside-global-auth
