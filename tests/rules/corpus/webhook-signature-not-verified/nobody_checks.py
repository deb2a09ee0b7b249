"""Messages of providers that are acted on as they come, and what only looks like one."""

from typing import Annotated

import httpx
from celery import shared_task
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from sqlalchemy.orm import Session

from models import Hook, Order, get_session

SessionDep = Annotated[Session, Depends(get_session)]
bearer = HTTPBearer()
app = FastAPI()
router = APIRouter(prefix="/webhooks")


class Notice(BaseModel):
    order_id: int


class HookCreate(BaseModel):
    url: str


@shared_task
def ship(order_id: int) -> None: ...


def grant(order_id: int) -> None:
    with get_session() as session:
        session.add(Order(id=order_id))


@router.post("/stripe")
def stripe_event(notice: Notice, session: SessionDep) -> None:  # finding: webhook-signature-not-verified
    session.add(Order(id=notice.order_id))
    session.commit()


@router.post("/warehouse")
def warehouse_event(notice: Notice) -> None:  # finding: webhook-signature-not-verified
    ship.delay(notice.order_id)


@router.post("/later")
def later(notice: Notice, tasks: BackgroundTasks) -> None:  # finding: webhook-signature-not-verified
    tasks.add_task(grant, notice.order_id)


@app.post("/payments/notify")
async def payment_notice(request: Request, session: SessionDep) -> None:  # finding: webhook-signature-not-verified
    event = await request.json()
    session.add(Order(id=event["order"]))


@app.post("/github/events")
async def github_event(request: Request) -> None:  # finding: webhook-signature-not-verified
    event = await request.json()
    ship.delay(event["order"])


@router.post("/mollie")
def mollie(notice: Notice, session: SessionDep) -> None:  # finding: webhook-signature-not-verified (tentative: it may ask back)
    state = httpx.get(f"https://api.mollie.com/v2/payments/{notice.order_id}", timeout=5).json()
    session.add(Order(id=notice.order_id, paid=state["status"] == "paid"))


@router.post("/echo")
def echo(notice: Notice) -> int:  # silent: nothing happens
    return notice.order_id


@app.post("/webhooks")
def create_webhook(hook: HookCreate, session: SessionDep) -> None:  # silent: users' own webhooks
    session.add(Hook(url=hook.url))


@router.post("/trusted", dependencies=[Depends(bearer)])
def trusted(notice: Notice, session: SessionDep) -> None:  # silent: a token is demanded
    session.add(Order(id=notice.order_id))


@app.post("/oauth/callback")
def signed_in(notice: Notice, session: SessionDep) -> None:  # silent: the way back of a sign-in
    session.add(Order(id=notice.order_id))


@app.post("/notifications")
def notify(notice: Notice, session: SessionDep) -> None:  # silent: nobody's webhook; another rule speaks of routes without a guard
    session.add(Order(id=notice.order_id))


@router.get("/stripe")
def ping() -> str:  # silent: a message is posted
    raise HTTPException(405)


app.include_router(router)
