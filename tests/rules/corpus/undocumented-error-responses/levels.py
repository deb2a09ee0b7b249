"""Errors documented by the route, the router, the inclusion; raised directly, in services, in dependencies, caught."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, status

app = FastAPI()
NOT_FOUND = {"description": "There is no such book."}
documented = APIRouter(prefix="/documented", responses={404: NOT_FOUND})
included = APIRouter(prefix="/included")


def current_user(token: str) -> str:
    if not token:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED)
    return token


def find(book: int) -> str:
    if book < 0:
        raise HTTPException(404)
    return "Emma"


@app.get("/direct", responses={404: NOT_FOUND})
def direct(book: int) -> str:
    return find(book)


@app.get("/missing")
def missing(book: int) -> str:  # finding: undocumented-error-responses
    return find(book)


@app.get("/guarded", responses={404: NOT_FOUND})
def guarded(book: int, user: Annotated[str, Depends(current_user)]) -> str:
    return find(book)


@app.get("/owned", responses={404: NOT_FOUND})
def owned(book: int, user: Annotated[str, Depends(current_user)]) -> str:  # finding: undocumented-error-responses
    if user != "admin":
        raise HTTPException(403)
    return find(book)


@app.get("/caught")
def caught(book: int) -> str:
    try:
        return find(book)
    except HTTPException:
        return ""


@app.get("/invalid")
def invalid(book: int) -> None:
    if book > 100:
        raise HTTPException(422)
    raise HTTPException(500)


@app.get("/hidden", include_in_schema=False)
def hidden(book: int) -> str:
    return find(book)


@documented.get("/{book}")
def by_router(book: int) -> str:
    return find(book)


@included.get("/{book}")
def by_inclusion(book: int) -> str:
    return find(book)


app.include_router(documented)
app.include_router(included, responses={404: NOT_FOUND})
