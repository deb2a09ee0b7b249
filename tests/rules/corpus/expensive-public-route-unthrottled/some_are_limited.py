"""One route is limited, so that the others could be; signing in, gateways of others and cheap work are none of this."""

import smtplib
from typing import Annotated

import stripe
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from openai import OpenAI
from passlib.context import CryptContext
from slowapi import Limiter
from slowapi.util import get_remote_address

limiter = Limiter(key_func=get_remote_address)
crypt = CryptContext(schemes=["bcrypt"])
bearer = HTTPBearer()
models = OpenAI()
router = APIRouter()
app = FastAPI()


def send_mail(address: str, text: str) -> None:
    with smtplib.SMTP("mail") as server:
        server.sendmail("shop@example.com", address, text)


def check_quota(request: Request) -> None: ...


@router.post("/ask")
def ask(question: str) -> str:  # finding: expensive-public-route-unthrottled
    answer = models.chat.completions.create(model="m", messages=[{"role": "user", "content": question}])
    return answer.choices[0].message.content


@router.post("/contact")
def contact(address: str, text: str, tasks: BackgroundTasks) -> None:  # finding: expensive-public-route-unthrottled
    tasks.add_task(send_mail, address, text)


@router.post("/checkout")
def check_out(amount: int) -> str:  # finding: expensive-public-route-unthrottled
    return stripe.PaymentIntent.create(amount=amount, currency="eur").id


@router.post("/register")
def register(password: str) -> str:  # finding: expensive-public-route-unthrottled
    return crypt.hash(password)


@router.post("/newsletter")
@limiter.limit("5/minute")
def newsletter(request: Request, address: str) -> None:  # silent: a decorator limits
    send_mail(address, "welcome")


@router.post("/trial", dependencies=[Depends(check_quota)])
def trial(question: str) -> None:  # silent: a dependency counts
    models.chat.completions.create(model="m", messages=[])


@router.post("/members/ask", dependencies=[Depends(bearer)])
def ask_as_member(question: str) -> None:  # silent: somebody has signed in
    models.chat.completions.create(model="m", messages=[])


@router.get("/auth/google/callback")
def signed_in(code: str) -> None:  # silent: a provider has checked the code
    send_mail("new@example.com", "welcome")


@router.post("/cheap")
def cheap(text: str) -> str:  # silent: nothing costs
    return text.upper()


app.include_router(router)
