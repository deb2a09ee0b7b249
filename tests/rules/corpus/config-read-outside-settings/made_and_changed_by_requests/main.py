"""Settings that requests make, change and go past; a helper that reads the environment for a handler."""

import os
from functools import lru_cache

import httpx
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    sender: str = "shop@books.example"
    open: bool = True


settings = Settings()
app = FastAPI()


@lru_cache
def get_settings() -> Settings:  # silent: once for the process
    return Settings()


def _sender() -> str:
    return os.getenv("SENDER", "shop@books.example")


@app.get("/sender")
def read_sender() -> str:
    return Settings().sender  # finding: config-read-outside-settings


@app.put("/open")
def set_open(value: bool) -> None:
    settings.open = value  # finding: config-read-outside-settings


@app.get("/stock")
def read_stock(isbn: str) -> str:
    found = httpx.get(settings.sender + isbn, timeout=3)
    return httpx.get("http://localhost:81/stock").text + found.text  # finding: config-read-outside-settings


@app.get("/cached")
def read_cached() -> str:
    return get_settings().sender
