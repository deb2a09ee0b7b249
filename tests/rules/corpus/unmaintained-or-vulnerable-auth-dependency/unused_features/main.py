"""Neither forms nor files: downloads are streamed, bodies are JSON, tokens are only signed for somebody else."""

from collections.abc import Iterator

import jwt
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    article: str


@app.post("/orders")
def place_order(order: Order) -> str:
    return jwt.encode({"article": order.article}, "a partner's key", algorithm="HS256")


@app.get("/report")
def read_report() -> StreamingResponse:
    def lines() -> Iterator[bytes]:
        yield b"article,price\n"

    return StreamingResponse(lines(), media_type="text/csv")
