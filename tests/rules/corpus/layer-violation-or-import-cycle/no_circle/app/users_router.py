"""Routes may import dependencies and public names of other routes."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from app.dependencies import current_user

PREFIX = "/users"
router = APIRouter(prefix=PREFIX)


@router.get("/me")
def me(name: Annotated[str, Depends(current_user)]) -> str:
    if not name:
        raise HTTPException(404)
    return name
