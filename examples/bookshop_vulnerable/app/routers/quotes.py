"""What things would cost."""

from decimal import Decimal
from typing import Annotated

import requests
from fastapi import APIRouter, Query
from sqlalchemy import select

from app.core.config import settings
from app.core.database import SessionDep
from app.core.errors import Conflict, NotFound, UpstreamUnavailable
from app.dependencies import CurrentUser
from app.models import Book
from app.schemas.order import Country, Currency, QuoteOut, QuoteRequest, RateOut
from app.services import shipping
from app.services.tax import tax_rate

router = APIRouter(prefix="/quotes", tags=["quotes"])


@router.post("")
def quote(payload: QuoteRequest, user: CurrentUser, session: SessionDep) -> QuoteOut:  # finding: business-logic-in-route
    """What a basket would cost, sent to an address."""
    wanted = {line.book_id: line.quantity for line in payload.lines}
    books = list(session.scalars(select(Book).where(Book.id.in_(list(wanted))).order_by(Book.id).limit(40)))
    if len(books) < len(wanted):
        raise NotFound("There is no such book.")
    goods = Decimal(0)
    copies = 0
    for book in books:
        quantity = wanted[book.id]
        if quantity > book.stock:
            raise Conflict("There are not enough copies.")
        goods += Decimal(str(book.price)) * quantity
        copies += quantity
    if goods >= 200:
        discount = goods * Decimal("0.10")
    elif goods >= 100:
        discount = goods * Decimal("0.05")
    elif copies >= 5:
        discount = goods * Decimal("0.02")
    else:
        discount = Decimal(0)
    if user.role == "staff":
        discount = max(discount, goods * Decimal("0.20"))
    if payload.address.country == "CH":
        shipping_price = Decimal(7)
    elif payload.address.country == "DE":
        shipping_price = Decimal(9)
    else:
        shipping_price = Decimal(12)
    if copies > 10:
        shipping_price *= 2
    if payload.express:
        shipping_price += Decimal(10)
    if payload.gift_wrap:
        goods += Decimal(3) * copies
    if goods - discount >= 150 and not payload.express:
        shipping_price = Decimal(0)
    total = goods - discount + shipping_price
    return QuoteOut(goods=goods, discount=discount, shipping=shipping_price, total=total)


@router.get("/exchange-rates/{currency}")
async def get_exchange_rate(currency: Currency, user: CurrentUser) -> RateOut:
    """What one euro is worth in another currency."""
    try:
        response = requests.get(settings.rates_url, params={"symbol": currency}, timeout=settings.http_timeout_seconds)  # finding: blocking-http-in-async
        response.raise_for_status()
        rate = Decimal(str(response.json()["rate"]))
    except (requests.RequestException, KeyError, ArithmeticError) as exc:
        raise UpstreamUnavailable("The exchange does not answer.") from exc
    return RateOut(subject=currency, rate=rate)


@router.get("/shipping-rates/{country}")
async def get_shipping_rate(
    country: Country, grams: Annotated[int, Query(ge=1, le=30_000)], user: CurrentUser
) -> RateOut:
    """What the carrier asks for a parcel."""
    price = shipping.estimate(country, grams)  # finding: blocking-call-through-sync-helper
    return RateOut(subject=country, rate=price)


@router.get("/tax-rates/{country}")
async def get_tax_rate(country: Country, user: CurrentUser) -> RateOut:
    """The value added tax on books."""
    return RateOut(subject=country, rate=await tax_rate(country))
