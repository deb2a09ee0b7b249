"""Rows from a repository, a helper, a property, a schema: read lazily in a loop, and the twins that load them at once."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, Select, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, raiseload, relationship, selectinload

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Currency(Base):
    __tablename__ = "currencies"
    id: Mapped[int] = mapped_column(primary_key=True)
    sign: Mapped[str]


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    quantity: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    currency_id: Mapped[int] = mapped_column(ForeignKey("currencies.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")
    currency: Mapped[Currency] = relationship(lazy="joined")
    items: Mapped[list[Item]] = relationship()

    @property
    def total(self) -> int:
        return sum(item.quantity for item in self.items)  # finding: n-plus-one-lazy-attribute-in-loop


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    customer: CustomerOut


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class Orders:
    def __init__(self, session: SessionDep) -> None:
        self.session = session

    def page(self, options: tuple = ()) -> list[Order]:
        return list(self.session.scalars(self.statement().options(*options)))

    def statement(self) -> Select[tuple[Order]]:
        return select(Order).limit(50)

    def whole(self) -> list[Order]:
        statement = self.statement()
        statement = with_everything(statement)
        return list(self.session.scalars(statement))


def with_everything(statement: Select[tuple[Order]]) -> Select[tuple[Order]]:
    loaders = [selectinload(Order.items)]
    loaders.append(joinedload(Order.customer))
    return statement.options(*loaders)


OrdersDep = Annotated[Orders, Depends()]


@app.get("/names")
def names(orders: OrdersDep) -> list[str]:
    return [order.customer.name for order in orders.page()]  # finding: n-plus-one-lazy-attribute-in-loop


@app.get("/names-given")
def names_given(orders: OrdersDep) -> list[str]:
    return [order.customer.name for order in orders.page((joinedload(Order.customer),))]


@app.get("/names-whole")
def names_whole(orders: OrdersDep) -> list[str]:
    return [f"{order.customer.name} {len(order.items)}" for order in orders.whole()]


@app.get("/totals")
def totals(orders: OrdersDep) -> list[int]:
    return [order.total for order in orders.page()]


@app.get("/total/{order_id}")
def total(order_id: int, session: SessionDep) -> int:
    return session.get_one(Order, order_id).total


def shown(order: Order) -> str:
    return f"{order.id}: {order.customer.name}"  # finding: n-plus-one-lazy-attribute-in-loop


@app.get("/shown")
def all_shown(session: SessionDep) -> list[str]:
    found = []
    for order in session.query(Order).all():
        found.append(shown(order))
    return found


@app.get("/schemas")
def schemas(session: SessionDep) -> list[OrderOut]:
    orders = session.scalars(select(Order)).all()
    return [OrderOut.model_validate(order) for order in orders]  # finding: n-plus-one-lazy-attribute-in-loop


@app.get("/schemas-loaded")
def schemas_loaded(session: SessionDep) -> list[OrderOut]:
    orders = session.scalars(select(Order).options(selectinload(Order.customer))).all()
    return [OrderOut.model_validate(order) for order in orders]


@app.get("/mapper")
def loaded_by_the_mapper(session: SessionDep) -> list[str]:
    return [order.currency.sign for order in session.scalars(select(Order))]


@app.get("/of-one/{customer_id}")
def of_one_customer(customer_id: int, session: SessionDep) -> list[str]:
    customer = session.get_one(Customer, customer_id)
    own = [order.customer.name for order in customer.orders]  # silent: it is the customer again
    for order in session.scalars(select(Order).where(Order.customer_id == customer_id)):
        own.append(order.customer.name)  # silent: all of them have the same customer, who is loaded
    return own


@app.get("/first")
def first_that_fits(name: str, session: SessionDep) -> list[int]:
    for order in session.scalars(select(Order)):
        if order.id > 100:
            return [item.id for item in order.items]  # silent: the loop ends here
    raise HTTPException(404)


@app.get("/refused")
def refused(session: SessionDep) -> int:
    for order in session.scalars(select(Order)):
        if order.id > 100:
            raise HTTPException(409, f"{order.customer.name} has an order too many")  # silent: likewise
    return 0


@app.get("/three")
def three(session: SessionDep) -> list[int]:
    return [len(order.items) for order in session.scalars(select(Order).limit(3))]


@app.get("/raising")
def raising(session: SessionDep) -> list[int]:
    return [len(order.items) for order in session.scalars(select(Order).options(raiseload("*")))]


@app.post("/new")
def new(sizes: list[int]) -> list[int]:
    orders = [Order(items=[Item(quantity=size)]) for size in sizes]
    return [len(order.items) for order in orders]  # silent: nobody loads what is made here


@app.get("/siblings/{customer_id}")
def siblings(customer_id: int, session: SessionDep) -> list[int]:
    customer = session.get_one(Customer, customer_id)
    found = [len(order.customer.orders) for order in customer.orders]  # silent: the orders of one customer
    for order in session.scalars(select(Order).where(Order.customer_id == customer_id)):
        found.append(len(order.customer.orders))  # silent: likewise
    return found


@app.post("/placed/{customer_id}")
def placed(customer_id: int, quantities: list[int], session: SessionDep) -> list[int]:
    orders = [Order(customer_id=customer_id) for _ in quantities]
    session.add_all(orders)
    session.flush()
    return [len(order.customer.orders) for order in orders]  # silent: what was just placed


@app.get("/siblings-of-all")
def siblings_of_all(session: SessionDep) -> list[int]:
    orders = session.scalars(select(Order).options(joinedload(Order.customer)))
    return [len(order.customer.orders) for order in orders]  # finding: n-plus-one-lazy-attribute-in-loop
