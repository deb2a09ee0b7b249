"""Flags are bound to settings or handed over; a CSRF cookie is read by scripts."""

from fastapi import FastAPI, Response
from pydantic_settings import BaseSettings
from starlette.middleware.sessions import SessionMiddleware


class Settings(BaseSettings):
    secure_cookies: bool = True
    key: str


settings = Settings()
FLAGS = {"secure": True, "httponly": True}
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=settings.key, https_only=settings.secure_cookies)


@app.post("/login")
def login(response: Response) -> None:
    response.set_cookie("session", "s", secure=settings.secure_cookies, httponly=True)
    response.set_cookie("refresh_token", "r", **FLAGS)
    response.set_cookie("csrf_token", "c", secure=True)
