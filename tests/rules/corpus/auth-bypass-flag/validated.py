"""The settings refuse the switch in production, and another switch only adds a log line."""

import logging
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    environment: str = "production"
    skip_login: bool = False
    debug: bool = False

    @model_validator(mode="after")
    def never_in_production(self):
        if self.skip_login and self.environment == "production":
            raise ValueError("skip_login is for development")
        return self


settings = Settings()


def current_user(authorization: Annotated[str, Header()]) -> str:
    if settings.debug:
        logging.debug("a request")
    if settings.skip_login:
        return "developer"
    if authorization != "Bearer t":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
