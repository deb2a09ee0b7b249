"""A placeholder as the fallback of the environment, and an empty key for sessions."""

import os

from fastapi import FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings
from starlette.middleware.sessions import SessionMiddleware

ADMIN_TOKEN = os.getenv("ADMIN_TOKEN", "change-me")  # finding: placeholder-or-weak-secret-default


class Settings(BaseSettings):
    session_secret: str = ""  # finding: placeholder-or-weak-secret-default
    environment: str = "production"


settings = Settings()
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=settings.session_secret)


@app.get("/admin")
def admin(x_token: str = Header()) -> str:
    if x_token != ADMIN_TOKEN:
        raise HTTPException(401)
    return "welcome"


if __name__ == "__main__":
    try_out_password = os.getenv("ADMIN_PASSWORD", "admin")
    print(len(try_out_password))
