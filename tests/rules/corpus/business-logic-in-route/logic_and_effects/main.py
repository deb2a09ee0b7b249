"""Short handlers: one reads, writes and enqueues by itself, the others leave that to a service or only read."""

from fastapi import APIRouter, FastAPI, HTTPException
from orders import service
from orders.models import Coupon, Order, Shelf
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")
app = FastAPI()
router = APIRouter(prefix="/orders")


@router.post("")
def place_order(shelf_id: int, code: str) -> int:  # finding: business-logic-in-route
    with Session(engine) as session:
        shelf = session.get(Shelf, shelf_id)
        coupon = session.scalar(select(Coupon).where(Coupon.code == code))
        if shelf is None or coupon is None:
            raise HTTPException(404)
        order = Order(price=shelf.price - coupon.worth)
        session.add(order)
        session.delete(coupon)
        session.commit()
        return order.id


@router.get("")
def list_orders(owner: int | None = None) -> list[int]:  # silent: it only reads, in two ways
    with Session(engine) as session:
        if owner is None:
            session.scalar(select(func.count()).select_from(Order))
            return list(session.scalars(select(Order.id).limit(50)))
        session.scalar(select(func.count()).select_from(Order).where(Order.owner == owner))
        return list(session.scalars(select(Order.id).where(Order.owner == owner).limit(50)))


@router.post("/{order_id}/repeat")
def repeat_order(order_id: int) -> int:  # silent: read, copy, store is one thing
    with Session(engine) as session:
        order = session.get(Order, order_id)
        if order is None:
            raise HTTPException(404)
        again = Order(price=order.price)
        session.add(again)
        session.commit()
        session.refresh(again)
        return again.id


@router.delete("/{order_id}")
def cancel_order(order_id: int) -> None:
    service.cancel(order_id)


app.include_router(router)
