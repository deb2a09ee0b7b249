"""Middleware verifies every message of the application."""

import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from models import Order, get_session

KEY = b"key"
app = FastAPI()


@app.middleware("http")
async def check_signature(request: Request, call_next):
    expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-signature", "")):
        return JSONResponse({"detail": "unsigned"}, status_code=401)
    return await call_next(request)


@app.post("/webhooks/orders")
def order_event(order: dict, session: Annotated[Session, Depends(get_session)]) -> None:  # silent: the middleware
    session.add(Order(id=order["id"]))
