"""Routers for developers: left out of production when somebody has to say "local", open when nobody has to."""

import os
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    ENVIRONMENT: Literal["local", "staging", "production"]
    MODE_ENV: Literal["local", "production"] = "local"
    FEATURE: str = "off"


settings = Settings()


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


users = APIRouter(prefix="/users", dependencies=[Depends(current_user)])
private, seeds, unset, staged, flagged = APIRouter(), APIRouter(), APIRouter(), APIRouter(), APIRouter()


@users.get("")
def list_users() -> list[str]:
    return [path.name for path in Path("users").glob("*")]


@private.post("/private/users")
def make_user(name: str) -> None:  # silent: only where the required setting says local
    Path("users", name).write_text("")


@seeds.post("/seeds")
def seed(name: str) -> None:  # silent: only where the variable says so
    Path("users", name).write_text("")


@unset.post("/unset/users")
def make_user_by_default(name: str) -> None:  # finding: unauthenticated-state-changing-route: local is the default
    Path("users", name).write_text("")


@staged.post("/staged/users")
def make_staged_user(name: str) -> None:  # finding: unauthenticated-state-changing-route: others reach staging
    Path("users", name).write_text("")


@flagged.post("/flagged/users")
def make_flagged_user(name: str) -> None:  # finding: unauthenticated-state-changing-route: no environment is asked for
    Path("users", name).write_text("")


app = FastAPI()
app.include_router(users)
if settings.ENVIRONMENT == "local":
    app.include_router(private)
if os.getenv("APP_ENV", "production") in ("dev", "test"):
    app.include_router(seeds)
if settings.MODE_ENV == "local":
    app.include_router(unset)
if settings.ENVIRONMENT in ("local", "staging"):
    app.include_router(staged)
if settings.FEATURE == "dev":
    app.include_router(flagged)
