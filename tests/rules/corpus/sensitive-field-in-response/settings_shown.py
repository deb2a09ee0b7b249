"""Harmful: everybody is shown the settings, with the key that the application pays with. Harmless: settings without secrets, those
that print as stars, and those that only an administrator may read."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    title: str = "Shop"
    openai_api_key: str | None = None


class Limits(BaseSettings):
    page_size: int = 20
    token_lifetime: int = 600


class Mail(BaseSettings):
    smtp_password: SecretStr


class Shown(BaseModel):
    version: str
    settings: Settings


app = FastAPI()
settings = Settings()


def is_admin(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))]) -> None:
    role = token.partition(":")[0]
    if role != "admin":
        raise HTTPException(403)


@app.get("/settings")
def show() -> Shown:  # finding: sensitive-field-in-response
    return Shown(version="1", settings=settings)


@app.get("/limits")
def limits() -> Limits:
    return Limits()


@app.get("/mail")
def mail() -> Mail:
    return Mail()


@app.get("/admin/settings", dependencies=[Depends(is_admin)])
def show_administrators() -> Shown:
    return Shown(version="1", settings=settings)
