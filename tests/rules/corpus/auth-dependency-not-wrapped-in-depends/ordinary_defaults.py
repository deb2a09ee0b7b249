"""Defaults that are values, fields or helpers of another kind."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Query


def first_page() -> int:
    return 1


def user_agent(value: str) -> str:
    return value.strip()


def require_user(authorization: Annotated[str, Header()]) -> str:
    if not authorization:
        raise HTTPException(401)
    return authorization


app = FastAPI(dependencies=[Depends(require_user)])


@app.get("/a")
def listing(page: int = first_page(), size: Annotated[int, Query(le=50)] = 10) -> int:
    return page * size
