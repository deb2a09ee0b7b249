"""Signatures that are only looked at when they are there, and digests of another text than the one that came."""

import hmac
import json
from typing import Annotated

import stripe
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy.orm import Session

from models import Order, get_session

KEY = b"key"
SessionDep = Annotated[Session, Depends(get_session)]
app = FastAPI()


@app.post("/webhooks/one")
async def around(request: Request, session: SessionDep) -> None:
    given = request.headers.get("X-Signature")
    if given:
        expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
        if not hmac.compare_digest(expected, given):  # finding: webhook-signature-not-verified
            raise HTTPException(401)
    session.add(Order(id=1))


@app.post("/webhooks/two")
async def with_and(request: Request, session: SessionDep, x_signature: str = Header(None)) -> None:
    expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
    if x_signature is not None and not hmac.compare_digest(expected, x_signature):  # finding: webhook-signature-not-verified
        raise HTTPException(401)
    session.add(Order(id=2))


@app.post("/webhooks/three")
async def by_the_kit(request: Request, session: SessionDep) -> None:
    signature = request.headers.get("stripe-signature")
    if signature:
        stripe.Webhook.construct_event(await request.body(), signature, "whsec")  # finding: webhook-signature-not-verified
    session.add(Order(id=3))


@app.post("/webhooks/four")
async def refused_first(request: Request, session: SessionDep) -> None:
    given = request.headers.get("X-Signature")
    if not given:
        raise HTTPException(401)
    expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
    if given and not hmac.compare_digest(expected, given):  # silent: a missing one is refused above
        raise HTTPException(401)
    session.add(Order(id=4))


@app.post("/webhooks/five")
async def refused_last(request: Request, session: SessionDep) -> None:
    given = request.headers.get("X-Signature")
    if given:
        expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
        if not hmac.compare_digest(expected, given):  # silent: the rest is for messages without one
            raise HTTPException(401)
        session.add(Order(id=5))
        return
    raise HTTPException(401)


@app.post("/webhooks/six")
async def else_refuses(request: Request, session: SessionDep) -> None:
    given = request.headers.get("X-Signature")
    if given:
        expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
        if not hmac.compare_digest(expected, given):  # silent: the other branch refuses
            raise HTTPException(401)
    else:
        raise HTTPException(401)
    session.add(Order(id=6))


@app.post("/webhooks/seven")
async def another_text(request: Request, session: SessionDep, x_signature: str = Header()) -> None:
    event = await request.json()
    expected = hmac.new(KEY, json.dumps(event).encode(), "sha256").hexdigest()  # finding: webhook-signature-not-verified
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)
    session.add(Order(id=7))


@app.post("/webhooks/eight")
async def canonical(request: Request, session: SessionDep, x_signature: str = Header()) -> None:
    event = await request.json()
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    expected = hmac.new(KEY, text.encode(), "sha512").hexdigest()  # silent: the provider signs a canonical text
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)
    session.add(Order(id=8))
