"""Functions that are asked about the caller or the path are no switches; one that reads a setting is."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel

SKIPPED_PATHS = frozenset(["/health"])
SKIP_AUTH = os.getenv("SKIP_AUTH") == "1"


class Caller(BaseModel):
    name: str
    kind: str
    organisation: str | None = None


def bypass_tenant_filter(caller: Caller) -> bool:
    return caller.kind == "system"


def should_skip_auth(path: str) -> bool:
    return path in SKIPPED_PATHS


def skip_auth_for(request: Request) -> bool:
    return SKIP_AUTH or request.url.path == "/health"


def current_caller(authorization: Annotated[str | None, Header()] = None) -> Caller:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return Caller(name="alice", kind="user")


def member(caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
    if bypass_tenant_filter(caller):
        return caller
    if caller.organisation is None:
        raise HTTPException(403)
    return caller


def by_path(request: Request, authorization: Annotated[str | None, Header()] = None) -> str | None:
    if should_skip_auth(request.url.path):
        return None
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


def by_setting(request: Request, authorization: Annotated[str | None, Header()] = None) -> str | None:
    if skip_auth_for(request):  # finding: auth-bypass-flag
        return None
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.get("/orders")
def list_orders(caller: Annotated[Caller, Depends(member)]) -> str:
    return caller.name


@app.get("/articles")
def list_articles(name: Annotated[str | None, Depends(by_path)]) -> str | None:
    return name


@app.get("/prices")
def list_prices(name: Annotated[str | None, Depends(by_setting)]) -> str | None:
    return name
