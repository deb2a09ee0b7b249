"""The star is a setting's default, and the middleware is handed over in a list."""

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from pydantic_settings import BaseSettings
from starlette.middleware.sessions import SessionMiddleware


class Settings(BaseSettings):
    origins: list[str] = ["*"]
    credentials: bool = True
    key: str


settings = Settings()
app = FastAPI(
    middleware=[
        Middleware(SessionMiddleware, secret_key=settings.key, https_only=True),
        Middleware(CORSMiddleware, allow_origins=settings.origins, allow_credentials=settings.credentials),  # finding: cors-wildcard-with-credentials
    ]
)
