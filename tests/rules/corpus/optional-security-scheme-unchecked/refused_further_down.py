"""The scheme may find nothing, but a dependency behind it refuses; another operation uses the strict scheme."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyCookie, APIKeyHeader

header = APIKeyHeader(name="X-Key", auto_error=False)
cookie = APIKeyCookie(name="key", auto_error=False)
strict = APIKeyHeader(name="X-Strict")


def either(a: Annotated[str | None, Depends(header)], b: Annotated[str | None, Depends(cookie)]) -> str:
    if a is None and b is None:
        raise HTTPException(status_code=403)
    return a or b or ""


app = FastAPI()


@app.get("/a", dependencies=[Depends(either)])
def read_a() -> str:
    return "a"


@app.get("/b", dependencies=[Depends(strict)])
def read_b() -> str:
    return "b"
