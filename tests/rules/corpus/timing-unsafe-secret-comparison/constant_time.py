"""`compare_digest` in both spellings."""

import hashlib
import hmac
import os
import secrets
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Request

API_KEY = os.environ["API_KEY"]
app = FastAPI()


@app.get("/stock")
def stock(x_key: Annotated[str, Header()]) -> None:
    if not secrets.compare_digest(x_key, API_KEY):
        raise HTTPException(401)


@app.post("/payments")
async def payment(request: Request, x_signature: Annotated[str, Header()]) -> None:
    expected = hmac.new(API_KEY.encode(), await request.body(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(401)
