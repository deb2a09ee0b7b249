"""The smallest application with problem details: a shop that refuses in several ways."""

from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Header
from pydantic import BaseModel, ConfigDict, Field

from fastapi_architect.components.problem_details import Conflict, NotFound, ProblemDetails, problems
from fastapi_architect.components.service import Component, install


class SoldOut(Conflict):
    """All copies are sold.

    This second paragraph is for readers of the code.
    """

    type = "https://shop.example/problems/sold-out"
    title = "Sold out"


class Card(BaseModel):
    """A way to pay."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["card"]
    number: Annotated[str, Field(pattern="^[0-9]{16}$")]


class Voucher(BaseModel):
    """Another way to pay."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["voucher"]
    code: Annotated[str, Field(max_length=20)]


class Order(BaseModel):
    """What somebody buys."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(min_length=12, max_length=200)]
    payment: Annotated[Card | Voucher, Field(discriminator="kind")]
    copies: Annotated[list[int], Field(max_length=100_000)] = []


router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", responses=problems(SoldOut), summary="Order a book")
async def order(wanted: Order) -> str:
    """Order one book."""
    if wanted.title == "Rare":
        raise SoldOut("The last copy is sold.", extensions={"available": 0})
    return wanted.title


@router.get("/{order_id}", responses=problems(NotFound), summary="Read an order")
async def read(order_id: int, x_mode: Annotated[str, Header()] = "") -> str:
    """Read one order."""
    raise NotFound("There is no such order.")


def create_app(*others: Component) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Shop")
    app.include_router(router, prefix="/api/v1")
    install(app, [ProblemDetails(), *others])
    return app
