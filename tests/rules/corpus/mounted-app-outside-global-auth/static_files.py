"""Pictures and style sheets are for everybody, and so is a mounted health check."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.staticfiles import StaticFiles


def require_token(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization != "Bearer t":
        raise HTTPException(401)


app = FastAPI(dependencies=[Depends(require_token)])
probes = FastAPI()


@app.get("/orders")
def list_orders() -> list[str]:
    return []


@probes.get("/health")
def health() -> str:
    return "ok"


app.mount("/static", StaticFiles(directory="static"))
app.mount("/probes", probes)
