"""Placeholders that a validator refuses, and secrets without a default."""

from fastapi import FastAPI
from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    admin_secret: str = "changeme"
    jwt_secret: SecretStr
    webhook_secret: str | None = None

    @field_validator("admin_secret")
    @classmethod
    def refuse_the_placeholder(cls, value: str) -> str:
        if value == "changeme":
            raise ValueError("set ADMIN_SECRET")
        return value


settings = Settings()
app = FastAPI()
