"""Sizes of reads, texts and rounds: chosen by a client, bounded in a declaration, by a comparison, by a constant."""

import secrets
from collections.abc import Iterator
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

MOST = 65536
app = FastAPI()


class Order(BaseModel):
    copies: int
    labels: int = Field(1, le=10)


def chunks_of(path: str, chunk_size: int) -> StreamingResponse:
    def chunks(remaining: int) -> Iterator[bytes]:
        with open(path, "rb") as file:
            while remaining > 0:
                chunk = file.read(min(chunk_size, remaining))  # finding: client-chosen-size-unbounded
                remaining -= len(chunk)
                yield chunk

    return StreamingResponse(chunks(1000))


@app.get("/media")
def media(chunk_size: int = 8192) -> StreamingResponse:
    return chunks_of("film.mp4", chunk_size=chunk_size)


@app.get("/tokens")
def token(length: int) -> str:
    return secrets.token_hex(length)  # finding: client-chosen-size-unbounded


@app.get("/lines")
def line(width: int = 80) -> str:
    return "-" * width  # finding: client-chosen-size-unbounded


@app.post("/orders")
def order(order: Order) -> list[str]:
    labels = [f"label {number}" for number in range(order.labels)]  # silent: at most ten
    return labels + numbered(order)


def numbered(wanted: Order) -> list[str]:
    return [f"copy {number}" for number in range(wanted.copies)]  # finding: client-chosen-size-unbounded


@app.get("/declared")
def declared(size: Annotated[int, Query(ge=1, le=4096)] = 1024) -> int:
    with open("film.mp4", "rb") as file:
        return len(file.read(size))


@app.get("/compared")
def compared(size: int) -> int:
    if size > MOST:
        raise HTTPException(422)
    with open("film.mp4", "rb") as file:
        return len(file.read(size))


@app.get("/cut")
def cut(size: int) -> int:
    with open("film.mp4", "rb") as file:
        return len(file.read(min(size, MOST)))


@app.get("/pages/{number}")
def page(number: int) -> dict[str, int]:
    return {"page": number * 20}  # silent: a number
