"""In one function, through a repository whose methods commit, and with lines in a loop."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.ext.asyncio import AsyncSession
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


class Orders:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, title: str) -> Order:
        order = Order(title=title)
        self.session.add(order)
        self.session.commit()
        return order

    def add_line(self, order: Order, isbn: str) -> None:
        self.session.add(Line(order_id=order.id, isbn=isbn))
        self.session.commit()


def get_session():
    with Session(engine) as session:
        yield session


async def get_async_session() -> AsyncSession: ...


SessionDep = Annotated[Session, Depends(get_session)]
AsyncSessionDep = Annotated[AsyncSession, Depends(get_async_session)]


@app.post("/orders/{title}")
async def order(title: str, isbns: list[str], session: AsyncSessionDep) -> None:
    placed = Order(title=title)
    session.add(placed)
    await session.commit()  # finding: partial-commit-sequence
    for isbn in isbns:
        session.add(Line(order_id=placed.id, isbn=isbn))
    await session.commit()


@app.post("/orders/{title}/{isbn}")
def order_one(title: str, isbn: str, session: SessionDep) -> None:
    orders = Orders(session)
    placed = orders.add(title)  # finding: partial-commit-sequence
    orders.add_line(placed, isbn)
