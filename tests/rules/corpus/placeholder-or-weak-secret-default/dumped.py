"""Nobody names the setting, but all settings are handed on: to whom is not known."""

from typing import Any

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    superuser_password: str = "changeme"  # finding: placeholder-or-weak-secret-default


settings = Settings()
app = FastAPI()


def seed(superuser_password: str) -> dict[str, Any]:
    return {"name": "root", "password": superuser_password}


@app.on_event("startup")
def start() -> None:
    seed(**settings.model_dump())
