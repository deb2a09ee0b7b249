"""The default is refused before anybody can use it: by a validator, and by a check at start."""

import sys

import jwt
from fastapi import FastAPI
from itsdangerous import URLSafeTimedSerializer
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    environment: str = "local"
    jwt_secret: str = "not-for-production"
    link_secret: str = "not-for-production-either"

    @model_validator(mode="after")
    def refuse_the_default(self) -> "Settings":
        if self.environment != "local" and self.jwt_secret == "not-for-production":
            raise ValueError("set JWT_SECRET")
        return self


settings = Settings()
if settings.link_secret.startswith("not-") and settings.environment != "local":
    sys.exit("set LINK_SECRET")
app = FastAPI()
links = URLSafeTimedSerializer(settings.link_secret)


@app.post("/tokens")
def make_token(name: str) -> str:
    return jwt.encode({"sub": name}, settings.jwt_secret, algorithm="HS256")
