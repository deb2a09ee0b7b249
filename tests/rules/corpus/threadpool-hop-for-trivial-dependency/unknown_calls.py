"""What is called is not known to be harmless, so a thread may well be right."""

from typing import Annotated

import somewhere
from fastapi import Depends, FastAPI

app = FastAPI()


def get_user(token: str) -> object:
    return somewhere.user_of(token)


def checked(token: str) -> bool:
    return any(ch == "a" for ch in token for _ in range(1000))


def primes(limit: int) -> list[int]:
    return [n for n in range(limit) if all(n % d for d in range(2, n))]


@app.get("/")
async def read(user: Annotated[object, Depends(get_user)], numbers: Annotated[list[int], Depends(primes)]) -> int:
    return len(numbers)
