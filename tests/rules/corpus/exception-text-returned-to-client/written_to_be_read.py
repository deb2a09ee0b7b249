import json
import logging
import os
import uuid

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings
from sqlalchemy.exc import NoResultFound

app = FastAPI()
logger = logging.getLogger(__name__)


class Settings(BaseSettings):
    debug: bool = False


settings = Settings()


class NotEnoughMoney(Exception):
    pass


class Order(BaseModel):
    amount: int


def sanitize_message(error: Exception) -> str:
    return str(error).replace("/", "")


def pay(amount: int) -> None:
    if amount > 10:
        raise NotEnoughMoney("The account holds 10 euros.")
    if amount < 0:
        raise ValueError("An amount is not negative.")
    os.remove("invoice")


@app.post("/payments")
def start(amount: int) -> None:
    try:
        pay(amount)
    except NotEnoughMoney as exc:
        raise HTTPException(402, str(exc)) from exc  # silent: a text of the program itself
    except ValueError as exc:
        raise HTTPException(422, str(exc)) from exc  # silent: raised by the program with words of its own
    except OSError as exc:
        raise HTTPException(500, f"The invoice is locked: {exc}") from exc  # finding: exception-text-returned-to-client


@app.post("/payments/raw")
async def start_raw(request: Request) -> None:
    try:
        order = Order.model_validate(await request.json())
    except ValidationError as exc:
        raise HTTPException(422, str(exc)) from exc  # silent: about the input
    try:
        uuid.UUID(json.loads(request.headers["x-reference"])["id"])
    except Exception as exc:
        raise HTTPException(422, f"No reference: {exc}") from exc  # silent: only the input is taken apart
    try:
        pay(order.amount)
    except NoResultFound as exc:
        raise HTTPException(404, str(exc)) from exc  # silent: a constant text of the library


@app.delete("/payments")
def cancel() -> None:
    try:
        pay(1)
    except Exception as exc:
        logger.exception("cancel failed")
        raise HTTPException(500, type(exc).__name__) from exc  # silent: the class alone


@app.patch("/payments")
def change() -> dict[str, str]:
    try:
        pay(1)
    except HTTPException as exc:
        raise HTTPException(exc.status_code, exc.detail) from exc  # silent: a detail that was written before
    except Exception as exc:
        if settings.debug:
            return {"error": str(exc)}  # silent: a switch for development
        detail = str(exc) if settings.debug else "It failed."
        if isinstance(exc, NotEnoughMoney):
            detail = str(exc)
        raise HTTPException(500, detail) from exc  # silent: for development, or of the program itself
    return {"error": sanitize_message(RuntimeError("never"))}


@app.put("/payments")
def replace() -> dict[str, str]:
    try:
        pay(1)
    except Exception as exc:
        return {"error": sanitize_message(exc)}  # silent: taken apart by a function that is named for it
    return {}


def clean_up() -> None:
    try:
        pay(1)
    except Exception as exc:
        raise HTTPException(500, str(exc)) from exc  # silent: no request gets here


def reserve(name: str) -> None:
    if name in ("root", "admin"):
        raise FileExistsError(f"The name {name} is taken.")


@app.post("/names")
def take(name: str) -> None:
    try:
        reserve(name)
    except FileExistsError as exc:
        raise HTTPException(409, str(exc)) from exc  # silent: raised by the program with words of its own


@app.post("/folders")
def make(name: str) -> None:
    try:
        os.mkdir(f"/srv/{uuid.uuid4()}")
    except FileExistsError as exc:
        raise HTTPException(409, str(exc)) from exc  # finding: exception-text-returned-to-client
