"""Comparing the kind of a token, and refusing more in production, let nobody in."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    environment: str = "production"


settings = Settings()


def service(token: str) -> str:
    raise HTTPException(401)


def current_user(authorization: Annotated[str, Header()], token_type: Annotated[str, Header()] = "user") -> str:
    if settings.environment == "production" and not authorization:
        raise HTTPException(401)
    if token_type == "service":
        return service(authorization)
    if authorization != "Bearer t":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
