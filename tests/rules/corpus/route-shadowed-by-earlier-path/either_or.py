"""Only one of the two routers is ever included, so that neither hides the other."""

import os

from fastapi import APIRouter, FastAPI

stored = APIRouter()
built_in = APIRouter()


@stored.get("/settings/{name}")
def read_setting(name: str) -> str:
    return name


@built_in.get("/settings/theme")
def read_theme() -> str:
    return "dark"


app = FastAPI()
if os.environ.get("SETTINGS") == "stored":
    app.include_router(stored)
else:
    app.include_router(built_in)
