"""Names and headers that speak of keys, and hold none."""

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    api_key_header: str = "X-Partner-Key-For-Version-2"
    smtp_password: str
    stripe_key: str = ""


app = FastAPI()


def is_private_key(text: str) -> bool:
    return text.startswith("-----BEGIN PRIVATE KEY-----") or text.startswith("sk-")
