"""The header is read to choose the key; the algorithm stays a constant, once from the settings."""

import jwt
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    algorithm: str = "RS256"


settings = Settings()
KEYS: dict[str, str] = {}
app = FastAPI()


@app.get("/a")
def by_kid(token: str) -> dict[str, str]:
    header = jwt.get_unverified_header(token)
    return jwt.decode(token, KEYS[header["kid"]], algorithms=["RS256", "RS512"])


@app.get("/b")
def from_settings(token: str) -> dict[str, str]:
    return jwt.decode(token, KEYS["main"], algorithms=[settings.algorithm])
