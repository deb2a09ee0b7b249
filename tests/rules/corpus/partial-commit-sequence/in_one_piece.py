"""One commit, two branches, progress in a loop, notes about what happened, tables that have nothing to do with each other."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    isbn: Mapped[str]


class OrderHistory(Base):
    __tablename__ = "order_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


class Shelf(Base):
    __tablename__ = "shelves"

    id: Mapped[int] = mapped_column(primary_key=True)


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def add_order(session: Session, title: str, commit: bool = True) -> Order:
    placed = Order(title=title)
    session.add(placed)
    if commit:
        session.commit()
    return placed


@app.post("/asked/{title}")
def asked_not_to(title: str, isbn: str, session: SessionDep) -> None:
    placed = add_order(session, title, commit=False)
    session.add(Line(order_id=placed.id, isbn=isbn))
    session.commit()


@app.post("/orders/{title}")
def flushed(title: str, isbn: str, session: SessionDep) -> None:
    placed = Order(title=title)
    session.add(placed)
    session.flush()
    session.add(Line(order_id=placed.id, isbn=isbn))
    session.commit()


@app.post("/either/{title}")
def either(title: str, order_id: int | None, session: SessionDep) -> None:
    if order_id is None:
        session.add(Order(title=title))
        session.commit()
    else:
        session.add(Line(order_id=order_id, isbn=title))
        session.commit()


@app.post("/imports")
def in_rounds(titles: list[str], session: SessionDep) -> None:
    for title in titles:
        placed = Order(title=title)
        session.add(placed)
        session.commit()
        session.add(Line(order_id=placed.id, isbn=title))
        session.commit()


@app.post("/noted/{title}")
def noted(title: str, session: SessionDep) -> None:
    placed = Order(title=title)
    session.add(placed)
    session.commit()
    session.add(OrderHistory(order_id=placed.id))
    session.commit()


@app.post("/shelves/{title}")
def unrelated(title: str, session: SessionDep) -> None:
    session.add(Order(title=title))
    session.commit()
    session.add(Shelf())
    session.commit()
