"""Required on purpose: with `...`, with a comment, and in a model where the whole state is replaced."""

from typing import Optional

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic_core import PydanticUndefined

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


class Left:
    """Tells what was left out from null."""


class Undefined(Left):
    """So does this one."""


LEFT = Left()
UNDEFINED = Undefined()


class Change(BaseModel):
    name: str
    words: Optional[str] = Field(default=LEFT)
    note: Optional[str] = Field(default=UNDEFINED)
    mark: Optional[str] = Field(default=PydanticUndefined)  # finding: optional-field-required-or-none-mismatch
    shelf: Optional[str] = Field(max_length=3)  # finding: optional-field-required-or-none-mismatch


@app.patch("/books")
def change_book(change: Change) -> None: ...
