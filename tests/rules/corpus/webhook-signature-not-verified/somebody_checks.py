"""Ways to tell a provider's message from a stranger's."""

import hashlib
import hmac
import os
from typing import Annotated

import stripe
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.middleware.base import BaseHTTPMiddleware

from models import Order, get_session

KEY = os.environ["WEBHOOK_KEY"]
SessionDep = Annotated[Session, Depends(get_session)]


async def check_signature(request: Request) -> None:
    expected = hmac.new(KEY.encode(), await request.body(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        raise HTTPException(401)


def from_the_provider(request: Request) -> None:
    if request.client is None or request.client.host not in os.environ["PROVIDER_ADDRESSES"].split(","):
        raise HTTPException(403)


def is_genuine(body: bytes, given: str) -> bool:
    return hmac.compare_digest(hmac.new(KEY.encode(), body, "sha512").hexdigest(), given)


signed = APIRouter(prefix="/webhooks", dependencies=[Depends(check_signature)])
app = FastAPI()


@signed.post("/github")
async def github(request: Request, session: SessionDep) -> None:  # silent: the router's dependency
    session.add(Order(id=(await request.json())["id"]))


@app.post("/webhooks/stripe")
async def stripe_event(request: Request, session: SessionDep) -> None:  # silent: the provider's kit
    event = stripe.Webhook.construct_event(await request.body(), request.headers["stripe-signature"], KEY)
    session.add(Order(id=event["id"]))


@app.post("/webhooks/helper")
async def helper(request: Request, session: SessionDep) -> None:  # silent: a function that is called
    if not is_genuine(await request.body(), request.headers.get("X-Signature", "")):
        raise HTTPException(401)
    session.add(Order(id=(await request.json())["id"]))


@app.post("/webhooks/telegram/{secret}")
def telegram(secret: str, order: int, request: Request, session: SessionDep) -> None:  # silent: a secret in the address
    if secret != os.environ["BOT_SECRET"]:
        raise HTTPException(404)
    session.add(Order(id=order))


@app.post("/webhooks/by-address", dependencies=[Depends(from_the_provider)])
async def by_address(request: Request, session: SessionDep) -> None:  # silent: the sender's address
    session.add(Order(id=(await request.json())["id"]))


@app.post("/webhooks/slack")
async def slack(request: Request, session: SessionDep, x_slack_signature: str = Header()) -> None:  # silent: a library checks
    verifier.is_valid_request(await request.body(), x_slack_signature)
    session.add(Order(id=(await request.json())["id"]))


class Payments:
    def __init__(self, session: Session) -> None:
        self.session = session

    def accept(self, order: int, given: str) -> None:
        self.make_sure(order, given)
        self.session.add(Order(id=order))

    def make_sure(self, order: int, given: str) -> None:
        if hashlib.sha256(f"{order}{KEY}".encode()).hexdigest() != given:
            raise HTTPException(403)


@app.post("/webhooks/digest")
def digest(order: dict, session: SessionDep) -> None:  # silent: a digest with a secret, in a service
    Payments(session).accept(order["id"], order["sum"])


app.include_router(signed)
