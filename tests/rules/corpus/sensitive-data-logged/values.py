import logging
import os

import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

app = FastAPI()
logger = logging.getLogger(__name__)
events = structlog.get_logger()


class Settings(BaseSettings):
    api_key: str = ""
    signing_key: SecretStr = SecretStr("")


class Login(BaseModel):
    email: str
    password: str


settings = Settings()


def audit(action: str, details: dict[str, str]) -> None:
    logger.info("%s: %s", action, details)  # finding: sensitive-data-logged


@app.post("/login")
def log_in(payload: Login, request: Request) -> None:
    audit("login", payload.model_dump())
    logger.info(f"login {payload}")  # finding: sensitive-data-logged
    logger.debug("headers: %s", dict(request.headers))  # finding: sensitive-data-logged
    logger.info("token %s", request.headers["Authorization"])  # finding: sensitive-data-logged
    events.info("login", password=payload.password)  # finding: sensitive-data-logged
    logger.info("login", extra={"password": payload.password})  # finding: sensitive-data-logged
    print(request.cookies)  # finding: sensitive-data-logged


@app.post("/resets")
def reset(email: str) -> None:
    reset_token = os.urandom(16).hex()
    link = f"https://example.org/reset?token={reset_token}"
    logger.warning("reset of %s: %s", email, link)  # finding: sensitive-data-logged


@app.on_event("startup")
def start() -> None:
    logger.info("key %s", settings.signing_key.get_secret_value())  # finding: sensitive-data-logged
    logger.info("settings %s", settings)  # finding: sensitive-data-logged
    logger.info("key " + os.environ["STRIPE_API_KEY"])  # finding: sensitive-data-logged
