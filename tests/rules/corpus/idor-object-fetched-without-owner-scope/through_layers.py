"""Harmful: a service and a generic repository that are not told who asks, a service that is told and does not look, a statement
that changes a row, lines of an order that is not the caller's. Harmless: a service that looks."""

from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str]


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], session: SessionDep) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(current_user)]
Row = TypeVar("Row", bound=Base)


class Repository(Generic[Row]):
    model: type[Row]

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, identity: int) -> Row | None:
        return self.session.get(self.model, identity)


class Orders(Repository[Order]):
    model = Order

    def of_user(self, user_id: int) -> list[Order]:
        return list(self.session.scalars(select(Order).where(Order.user_id == user_id)))

    def mine(self, identity: int, user: User) -> Order:
        order = self.get(identity)
        if order is None or order.user_id != user.id:
            raise HTTPException(404)
        return order

    def lines_of(self, order_id: int) -> list[Line]:
        return list(self.session.scalars(select(Line).where(Line.order_id == order_id)))


def get_orders(session: SessionDep) -> Orders:
    return Orders(session)


OrdersDep = Annotated[Orders, Depends(get_orders)]


class Service:
    def __init__(self, session: Session, user: User) -> None:
        self.session = session
        self.user = user

    def read(self, order_id: int) -> str:
        order = self.session.scalar(select(Order).where(Order.id == order_id))  # finding: idor-object-fetched-without-owner-scope
        return order.note if order else ""

    def read_own(self, order_id: int) -> str:
        order = self.session.scalar(select(Order).where(Order.id == order_id, Order.user_id == self.user.id))
        return order.note if order else ""


def get_service(session: SessionDep, user: CurrentUser) -> Service:
    return Service(session, user)


ServiceDep = Annotated[Service, Depends(get_service)]
app = FastAPI()


class Change(BaseModel):
    order_id: int
    note: str


@app.get("/orders")
def own_orders(user: CurrentUser, orders: OrdersDep) -> list[str]:
    return [order.note for order in orders.of_user(user.id)]


@app.get("/orders/{order_id}")
def read_order(order_id: int, user: CurrentUser, orders: OrdersDep) -> str:
    order = orders.get(order_id)  # finding: idor-object-fetched-without-owner-scope
    if order is None:
        raise HTTPException(404)
    return order.note


@app.get("/orders/{order_id}/mine")
def read_own_order(order_id: int, user: CurrentUser, orders: OrdersDep) -> str:
    return orders.mine(order_id, user).note


@app.get("/orders/{order_id}/lines")
def read_lines(order_id: int, user: CurrentUser, orders: OrdersDep) -> list[int]:
    return [line.id for line in orders.lines_of(order_id)]  # finding: idor-object-fetched-without-owner-scope


@app.get("/orders/{order_id}/lines/mine")
def read_own_lines(order_id: int, user: CurrentUser, orders: OrdersDep) -> list[int]:
    orders.mine(order_id, user)
    return [line.id for line in orders.lines_of(order_id)]


@app.get("/orders/{order_id}/note")
def read_note(order_id: int, service: ServiceDep) -> str:
    return service.read(order_id)


@app.get("/orders/{order_id}/note/mine")
def read_own_note(order_id: int, service: ServiceDep) -> str:
    return service.read_own(order_id)


@app.patch("/orders")
def change_order(change: Change, user: CurrentUser, session: SessionDep) -> None:
    session.execute(update(Order).where(Order.id == change.order_id).values(note=change.note))  # finding: idor-object-fetched-without-owner-scope
    session.commit()


@app.delete("/orders/{order_id}", dependencies=[Depends(current_user)])
def delete_order(order_id: int, session: SessionDep) -> None:
    session.execute(delete(Order).where(Order.id == order_id))  # finding: idor-object-fetched-without-owner-scope
    session.commit()
