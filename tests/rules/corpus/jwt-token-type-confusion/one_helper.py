"""One helper signs every kind, the key is a setting; the kind is written into the token and never read."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    secret: SecretStr


settings = Settings()
bearer = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


def sign(subject: str, kind: str, minutes: int) -> str:
    claims = {"sub": subject, "type": kind, "exp": datetime.now(UTC) + timedelta(minutes=minutes)}
    return jwt.encode(claims, settings.secret.get_secret_value(), algorithm="HS256")


def create_access_token(subject: str) -> str:
    return sign(subject, "access", 5)


def create_invitation(subject: str) -> str:
    return sign(subject, "invitation", 50_000)


def read(token: str) -> dict[str, str]:
    return jwt.decode(token, settings.secret.get_secret_value(), algorithms=["HS256"])  # finding: jwt-token-type-confusion


def current_user(token: Annotated[str, Depends(bearer)]) -> str:
    try:
        return read(token)["sub"]
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.get("/me")
def read_me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
