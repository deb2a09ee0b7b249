"""Verbs that are things or sign-ins, an action behind a colon, and a root that ends in a slash by its nature."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def root() -> int:
    return 1


@app.post("/create-token")
def token() -> int:
    return 1


@app.get("/settings/{name}")
def settings(name: str) -> str:
    return name


@app.get("/lists")
def lists() -> int:
    return 1


@app.post("/orders/{number}:cancel")
def cancel(number: int) -> int:
    return number


@app.get("/order-lines/{number}/tax-rates")
def rates(number: int) -> int:
    return number
