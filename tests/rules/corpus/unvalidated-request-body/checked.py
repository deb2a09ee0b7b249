"""Checked: by a model, by an adapter, by hand before the use; a webhook whose signature counts; keys that are
set.
"""

import hashlib
import hmac
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, TypeAdapter

app = FastAPI()
ADAPTER = TypeAdapter(dict[str, int])


class Order(BaseModel):
    book: int


@app.post("/a")
async def model(request: Request) -> int:
    data = await request.json()
    return Order.model_validate(data).book


@app.post("/b")
def keywords(payload: dict[str, Any]) -> int:
    return Order(**payload).book


@app.post("/c")
def adapter(payload: dict[str, Any]) -> int:
    checked = ADAPTER.validate_python(payload)
    return checked["book"]


@app.post("/d")
def by_hand(payload: dict[str, Any]) -> str:
    if "book" not in payload:
        raise HTTPException(422)
    return str(payload["book"])


@app.post("/webhooks/payments")
async def webhook(request: Request) -> str:
    body = await request.body()
    sent = request.headers.get("X-Signature", "")
    if not hmac.compare_digest(sent, hmac.new(b"key", body, hashlib.sha256).hexdigest()):
        raise HTTPException(401)
    event = await request.json()
    return event["type"]


@app.post("/e")
def extended(payload: dict[str, Any]) -> int:
    payload["seen"] = True
    return len(payload)


class Rating(BaseModel):
    stars: int
    words: str | None = None


@app.post("/f")
async def again(request: Request, rating: Rating) -> int:
    payload = await request.json()
    return payload["stars"] + rating.stars


@app.post("/g")
async def again_and_more(request: Request, rating: Rating) -> str:  # finding: unvalidated-request-body
    payload = await request.json()
    return payload["words"] * rating.stars
