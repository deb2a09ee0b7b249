"""The literal is the default of a settings class in the same file; it is found at the default, not at the calls."""

import jwt
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from starlette.middleware.sessions import SessionMiddleware


class Settings(BaseSettings):
    jwt_secret: SecretStr = SecretStr("c1b0f7a2d94e4d6d8b7a")  # finding: hardcoded-signing-secret
    session_secret: str


settings = Settings()
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=settings.session_secret)


@app.post("/tokens")
def make_token(name: str) -> str:
    return jwt.encode({"sub": name}, settings.jwt_secret.get_secret_value(), algorithm="HS256")
