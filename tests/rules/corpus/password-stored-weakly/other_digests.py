"""Digests of what is no password, and settings whose names end with it."""

import hashlib

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_password: str


app = FastAPI()


def version_of(content: bytes, password_policy: str) -> str:
    return hashlib.sha256(content + password_policy.encode()).hexdigest()


def connect(settings: Settings) -> str:
    return f"postgresql://shop:{settings.database_password}@database/shop"
