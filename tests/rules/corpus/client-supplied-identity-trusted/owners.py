"""Harmful: an owner from the body, assigned, through a service and as a field of a schema; rows of a user that the path names.
Harmless: compared with the caller, written over, about two people, for administrators, the caller's own."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
SHOPS_OF = {1: [1]}


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    role: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


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


def require_admin(user: CurrentUser) -> User:
    if user.role != "admin":
        raise HTTPException(403)
    return user


class OrderCreate(BaseModel):
    user_id: int
    text: str


class MessageCreate(BaseModel):
    recipient_id: int


class Orders:
    def __init__(self, session: Session) -> None:
        self.session = session

    def make(self, user_id: int, text: str) -> None:
        self.session.add(Order(user_id=user_id, text=text))  # finding: client-supplied-identity-trusted
        self.session.commit()

    def of_user(self, user_id: int) -> list[str]:
        return list(self.session.scalars(select(Order.text).where(Order.user_id == user_id)))


def get_orders(session: SessionDep) -> Orders:
    return Orders(session)


OrdersDep = Annotated[Orders, Depends(get_orders)]
app = FastAPI()


@app.get("/orders")
def own_orders(user: CurrentUser, orders: OrdersDep) -> list[str]:
    return orders.of_user(user.id)


@app.get("/users/{user_id}/orders", dependencies=[Depends(current_user)])
def orders_of_anybody(user_id: int, orders: OrdersDep) -> list[str]:
    return orders.of_user(user_id)  # finding: client-supplied-identity-trusted


@app.get("/users/{user_id}/own-orders")
def orders_of_the_caller(user_id: int, user: CurrentUser, orders: OrdersDep) -> list[str]:
    if user_id != user.id:
        raise HTTPException(403)
    return orders.of_user(user_id)


@app.get("/admin/users/{user_id}/orders", dependencies=[Depends(require_admin)])
def for_administrators(user_id: int, orders: OrdersDep) -> list[str]:
    return orders.of_user(user_id)


@app.post("/orders/service", dependencies=[Depends(current_user)])
def through_a_service(order: OrderCreate, orders: OrdersDep) -> None:
    orders.make(order.user_id, order.text)


@app.post("/orders/spread", dependencies=[Depends(current_user)])
def from_a_schema(order: OrderCreate, session: SessionDep) -> None:
    session.add(Order(**order.model_dump()))  # finding: client-supplied-identity-trusted
    session.commit()


@app.post("/orders/assigned", dependencies=[Depends(current_user)])
def assigned(order: OrderCreate, session: SessionDep) -> None:
    row = Order(text=order.text)
    row.user_id = order.user_id  # finding: client-supplied-identity-trusted
    session.add(row)
    session.commit()


@app.post("/orders/compared")
def compared(order: OrderCreate, user: CurrentUser, session: SessionDep) -> None:
    if order.user_id != user.id:
        raise HTTPException(403)
    session.add(Order(user_id=order.user_id, text=order.text))
    session.commit()


@app.post("/orders/written-over")
def written_over(order: OrderCreate, user: CurrentUser, session: SessionDep) -> None:
    order.user_id = user.id
    session.add(Order(user_id=order.user_id, text=order.text))
    session.commit()


@app.post("/orders")
def own(order: OrderCreate, user: CurrentUser, session: SessionDep) -> None:
    session.add(Order(**order.model_dump(exclude={"user_id"}), user_id=user.id))
    session.commit()


@app.post("/orders/spread/written-over")
def spread_written_over(order: OrderCreate, user: CurrentUser, session: SessionDep) -> None:
    order.user_id = user.id
    session.add(Order(**order.model_dump()))
    session.commit()


@app.post("/orders/made/written-over")
def made_and_written_over(order: OrderCreate, user: CurrentUser, session: SessionDep) -> None:
    row = Order(**order.model_dump())
    row.user_id = user.id
    session.add(row)
    session.commit()


@app.get("/shops/{shop_id}/buyers/{user_id}/orders")
def of_a_shop_that_is_checked(shop_id: int, user_id: int, user: CurrentUser, orders: OrdersDep) -> list[str]:
    if shop_id not in SHOPS_OF[user.id]:
        raise HTTPException(403)
    return orders.of_user(user_id)


@app.post("/messages")
def about_two(message: MessageCreate, user: CurrentUser, session: SessionDep) -> None:
    session.add(Message(user_id=user.id, recipient_id=message.recipient_id))
    session.commit()
