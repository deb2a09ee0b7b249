"""Three ways of writing two words, in one API."""

from fastapi import FastAPI

app = FastAPI()  # finding: resource-naming-convention


@app.get("/order-lines")
def lines() -> int:
    return 1


@app.get("/order-states")
def states() -> int:
    return 1


@app.get("/order_totals")
def totals() -> int:
    return 1


@app.get("/orderNotes")
def notes() -> int:
    return 1
