"""Harmful: a handler that reads the body, one whose dependency only logs. Harmless: verified by a library, in a dependency, by a helper,
by a secret in the path; a webhook that is registered; a handler that changes nothing."""

import hmac
import logging
from typing import Annotated

import stripe
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
logger = logging.getLogger(__name__)
SECRET = b"secret"


class Base(DeclarativeBase): ...


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Notice(BaseModel):
    name: str


class Subscription(BaseModel):
    url: str


def keep(name: str) -> None:
    with Session(engine) as session:
        session.add(Event(name=name))
        session.commit()


async def signed(request: Request, x_signature: Annotated[str, Header()]) -> None:
    expected = hmac.new(SECRET, await request.body(), "sha256").hexdigest()
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)


def logged(request: Request) -> None:
    logger.info("a webhook from %s", request.client)


def verify_github_signature(body: bytes, header: str) -> None:
    if header != "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest():
        raise HTTPException(401)


app = FastAPI()
checked = APIRouter(prefix="/webhooks", dependencies=[Depends(signed)])


@app.post("/webhooks/plain", dependencies=[Depends(logged)])
def plain(notice: Notice) -> None:  # finding: webhook-signature-not-verified
    keep(notice.name)


@app.post("/hooks/{order_id}")
def in_the_path(order_id: int, notice: Notice) -> None:  # finding: webhook-signature-not-verified
    keep(f"{order_id} {notice.name}")


@checked.post("/dependency")
def by_a_dependency(notice: Notice) -> None:
    keep(notice.name)


@app.post("/webhooks/stripe")
async def by_a_library(request: Request, stripe_signature: Annotated[str, Header()]) -> None:
    event = stripe.Webhook.construct_event(await request.body(), stripe_signature, "whsec")
    keep(event["type"])


@app.post("/webhooks/github")
async def by_a_helper(request: Request) -> None:
    verify_github_signature(await request.body(), request.headers["X-Hub-Signature-256"])
    keep("push")


@app.post("/webhooks/secret/{token}")
def by_the_path(token: str, notice: Notice) -> None:
    if token != "t":
        raise HTTPException(404)
    keep(notice.name)


@app.post("/webhooks")
def register(subscription: Subscription) -> None:
    keep(subscription.url)


@app.post("/webhooks/echo")
def echo(notice: Notice) -> str:
    return notice.name


app.include_router(checked)
