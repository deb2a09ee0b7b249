"""Services are put together; one of them opens a file, another one is cached, a third is a class."""

from functools import lru_cache
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()


class Books:
    def __init__(self, name: str) -> None:
        self.name = name


class Log:
    def __init__(self) -> None:
        self.file = open("log.txt", "a")


def get_books() -> Books:  # finding: threadpool-hop-for-trivial-dependency
    return Books("shop")


def require_key(request: Request) -> None:  # finding: threadpool-hop-for-trivial-dependency
    if request.headers.get("x-key") != "k":
        raise HTTPException(401)


def get_log() -> Log:
    return Log()


@lru_cache
def get_settings() -> dict[str, str]:
    return {}


async def get_number() -> int:
    return 1


@app.get("/", dependencies=[Depends(require_key)])
async def read(
    books: Annotated[Books, Depends(get_books)],
    log: Annotated[Log, Depends(get_log)],
    settings: Annotated[dict[str, str], Depends(get_settings)],
    number: Annotated[int, Depends(get_number)],
    other: Annotated[Books, Depends()],
) -> int:
    return number
