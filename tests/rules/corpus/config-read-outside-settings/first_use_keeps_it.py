"""Settings made at the first request, and kept; a client that reads its key when it is made at start."""

import os

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    sender: str = "shop@books.example"


_settings: Settings | None = None


def get_settings() -> Settings:
    global _settings  # noqa: PLW0603
    if _settings is None:
        _settings = Settings()
    return _settings


class Mailer:
    def __init__(self) -> None:
        self.key = os.environ.get("MAIL_KEY", "")


mailer = Mailer()
app = FastAPI()


@app.get("/sender")
def read_sender() -> str:
    return get_settings().sender + mailer.key
