"""With the switch off the guard asks a trusted proxy instead, and still answers 401."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    client_auth_enabled: bool = True


settings = Settings()


def current_user(
    authorization: Annotated[str | None, Header()] = None,
    x_proxy_user: Annotated[str | None, Header()] = None,
) -> str:
    if not settings.client_auth_enabled:
        name = x_proxy_user
        if name is None:
            raise HTTPException(401)
        return name
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


app = FastAPI()


@app.get("/orders")
def list_orders(user: Annotated[str, Depends(current_user)]) -> str:
    return f"orders of {user}"
