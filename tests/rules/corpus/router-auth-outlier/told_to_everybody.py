"""Beside guarded routes: a file for each member of an enumeration, a route that is not written yet, and two that tell more."""

from enum import Enum
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from fastapi.responses import FileResponse


class Form(str, Enum):
    SHORT = "short"
    LONG = "long"


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


User = Annotated[str, Depends(current_user)]
router = APIRouter(prefix="/surveys")


@router.get("/templates")
def template(form: Form) -> FileResponse:
    return FileResponse(f"templates/{form.value}.xls")


@router.get("/answers")
def answers(of: str) -> str:  # finding: router-auth-outlier
    return Path("answers", of).read_text()


@router.post("/near")
def near(latitude: float, longitude: float) -> str:
    """Surveys near somebody."""
    return "Coming soon"


@router.post("/far")
def far(text: str) -> str:  # finding: router-auth-outlier
    Path("far.txt").write_text(text)
    return "kept"


@router.get("/1")
def first(user: User) -> str:
    return user.upper()


@router.get("/2")
def second(user: User) -> str:
    return user


@router.get("/3")
def third(user: User) -> str:
    return user


@router.get("/4")
def fourth(user: User) -> str:
    return user


@router.get("/5")
def fifth(user: User) -> str:
    return user


@router.get("/6")
def sixth(user: User) -> str:
    return user


@router.get("/7")
def seventh(user: User) -> str:
    return user


@router.get("/8")
def eighth(user: User) -> str:
    return user


@router.get("/9")
def ninth(user: User) -> str:
    return user


@router.get("/10")
def tenth(user: User) -> str:
    return user


@router.get("/11")
def eleventh(user: User) -> str:
    return user


@router.get("/12")
def twelfth(user: User) -> str:
    return user


@router.get("/13")
def thirteenth(user: User) -> str:
    return user


@router.get("/14")
def fourteenth(user: User) -> str:
    return user


@router.get("/15")
def fifteenth(user: User) -> str:
    return user


@router.get("/16")
def sixteenth(user: User) -> str:
    return user


app = FastAPI()
app.include_router(router)
