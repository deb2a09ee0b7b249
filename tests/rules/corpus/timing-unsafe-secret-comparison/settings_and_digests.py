"""A secret setting in a dependency, and the digest of an HMAC."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    feed_token: SecretStr
    webhook_secret: str


settings = Settings()
app = FastAPI()


def require_token(authorization: Annotated[str, Header()]) -> None:
    token = authorization.removeprefix("Bearer ")
    if token == settings.feed_token.get_secret_value():  # finding: timing-unsafe-secret-comparison
        return
    raise HTTPException(401)


@app.get("/feed", dependencies=[Depends(require_token)])
def feed() -> list[str]:
    return []


@app.post("/payments")
async def payment(request: Request, x_signature: Annotated[str, Header()]) -> None:
    expected = hmac.new(settings.webhook_secret.encode(), await request.body(), hashlib.sha256).hexdigest()
    if expected != x_signature:  # finding: timing-unsafe-secret-comparison
        raise HTTPException(401)


class Account:
    def __init__(self, password: str) -> None:
        self.password = password


class MailSettings(BaseSettings):
    password: str
    default_password: str


mail = MailSettings()


@app.post("/logins")
def log_in(digest: str, password: str) -> bool:
    account = Account("d")
    is_default = password == mail.default_password  # silent: everybody who sets accounts up knows it
    return is_default or account.password == digest  # silent: a digest is kept


@app.post("/mails")
def receive(password: str) -> bool:
    return password == mail.password  # finding: timing-unsafe-secret-comparison
