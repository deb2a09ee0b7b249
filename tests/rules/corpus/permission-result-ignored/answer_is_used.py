"""The answer arrives as a parameter or is assigned, and decides."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException


def is_admin(user: str) -> bool:
    return user == "alice"


def has_started() -> bool:
    return True


app = FastAPI()


@app.get("/pages")
def list_pages(admin: Annotated[bool, Depends(is_admin)], user: str) -> list[str]:
    has_started()
    allowed = is_admin(user)
    if not allowed:
        raise HTTPException(403)
    return ["drafts"] if admin else []
