"""A nested model, a query parameter, and a field that is None although it is a number."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Line(BaseModel):
    book: int
    note: str | None  # finding: optional-field-required-or-none-mismatch


class Order(BaseModel):
    lines: list[Line]
    discount: int = None  # finding: optional-field-required-or-none-mismatch


@app.post("/orders")
def create_order(order: Order) -> int:
    return len(order.lines)


@app.get("/orders")
def list_orders(
    status: str | None,  # finding: optional-field-required-or-none-mismatch
    limit: int = 10,
) -> int:
    return limit
