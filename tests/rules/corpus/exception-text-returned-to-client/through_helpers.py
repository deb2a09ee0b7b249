import logging
import traceback

import httpx
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

app = FastAPI()
logger = logging.getLogger(__name__)


class Result(BaseModel):
    ok: bool
    error: str = ""


def fail(error: Exception) -> None:
    raise HTTPException(status_code=500, detail=f"It failed: {error}")  # finding: exception-text-returned-to-client


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def fetch_price(isbn: str) -> Result:
    try:
        httpx.get(f"https://prices.example.org/{int(isbn)}", timeout=5).raise_for_status()
    except httpx.HTTPError as exc:
        message = describe(exc)
        return Result(ok=False, error=message)
    return Result(ok=True)


@app.get("/prices/{isbn}")
def read_price(isbn: str) -> Result:
    return fetch_price(isbn)  # finding: exception-text-returned-to-client


@app.post("/orders")
def order() -> None:
    try:
        httpx.post("https://orders.example.org", timeout=5)
    except Exception as exc:
        fail(exc)


@app.delete("/orders")
def cancel():
    try:
        httpx.delete("https://orders.example.org", timeout=5)
    except Exception:
        return JSONResponse({"trace": traceback.format_exc()}, status_code=500)  # finding: exception-text-returned-to-client
    return JSONResponse({})
