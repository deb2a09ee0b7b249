"""The helper is called in one arm of a conditional expression."""

import requests
from fastapi import FastAPI

app = FastAPI()


def rate_of(currency: str) -> float:
    return requests.get(f"https://rates.example.com/{currency}", timeout=5).json()["rate"]


@app.get("/rates/{currency}")
async def read_rate(currency: str, known: float | None = None) -> float:
    return rate_of(currency) if not known else known  # finding: blocking-call-through-sync-helper
