from typing import Annotated

from fastapi import Header, HTTPException


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"
