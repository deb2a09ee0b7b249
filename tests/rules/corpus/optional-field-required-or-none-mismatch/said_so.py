"""Required on purpose: with `...`, with a comment, and in a model where the whole state is replaced."""

from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()


class Price(BaseModel):
    amount: int
    currency: str | None = ...
    vat: int | None = Field(..., ge=0)
    # null has to be sent explicitly to remove the discount
    discount: int | None


class Placement(BaseModel):
    shelf: str | None
    row: int | None


@app.put("/prices")
def replace_price(price: Price, placement: Placement, dry_run: bool | None = None) -> None: ...
