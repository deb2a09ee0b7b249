"""Before the first write, after the commit, beside the transaction, and in its middle."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
engine = create_async_engine("postgresql+asyncpg://localhost/shop")
make_session = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    label: Mapped[str]


async def get_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


async def get_transaction() -> AsyncIterator[AsyncSession]:
    async with make_session.begin() as session:
        yield session


Plain = Annotated[AsyncSession, Depends(get_session)]
Transaction = Annotated[AsyncSession, Depends(get_transaction)]


async def fetch_label(order_id: int) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"https://labels.example/{order_id}")).text


async def tell(order_id: int) -> None:
    async with httpx.AsyncClient() as client:
        await client.post("https://partner.example/orders", json={"order": order_id})


async def rename(session: AsyncSession, order_id: int, title: str) -> None:
    await session.execute(update(Order).where(Order.id == order_id).values(title=title))


@app.post("/orders/{order_id}/label")
async def label_in_the_middle(order_id: int, session: Plain) -> None:
    await rename(session, order_id, "labelled")
    label = await fetch_label(order_id)  # finding: external-io-inside-transaction
    await session.execute(update(Order).where(Order.id == order_id).values(label=label))
    await session.commit()


@app.post("/orders/{order_id}/label-first")
async def label_first(order_id: int, session: Plain) -> None:
    label = await fetch_label(order_id)
    await session.execute(update(Order).where(Order.id == order_id).values(label=label))
    await session.commit()


@app.post("/orders/{order_id}/told")
async def told_by_transaction(order_id: int, session: Transaction) -> None:
    await rename(session, order_id, "told")
    await tell(order_id)  # finding: external-io-inside-transaction


@app.post("/orders/{order_id}/told-after")
async def told_after(order_id: int, session: Plain) -> None:
    await rename(session, order_id, "told")
    await session.commit()
    await tell(order_id)


@app.post("/orders/{order_id}/block")
async def in_a_block(order_id: int) -> None:
    async with make_session() as session, session.begin():
        await rename(session, order_id, "told")
        await tell(order_id)  # finding: external-io-inside-transaction
    await tell(order_id)


@app.post("/orders/{order_id}/beside")
async def beside(order_id: int, session: Plain) -> None:
    await rename(session, order_id, "told")
    task = asyncio.create_task(tell(order_id))
    await session.commit()
    await task


@app.get("/orders/{order_id}")
async def only_reads(order_id: int, session: Plain) -> str:
    title = await session.scalar(select(Order.title).where(Order.id == order_id))
    return f"{title}: {await fetch_label(order_id)}"


@app.post("/orders")
async def not_sent_yet(title: str, session: Plain) -> None:
    label = await fetch_label(0)
    session.add(Order(title=title, label=label))
    await tell(0)
    await session.commit()


@app.post("/orders/{order_id}/failed")
async def after_the_failure(order_id: int, session: Plain) -> None:
    await rename(session, order_id, "told")
    try:
        await rename(session, order_id, "again")
    except ValueError:
        await tell(order_id)
        raise
    await session.commit()


def by_hand() -> None:
    """No request and no worker comes here."""
    time.sleep(1)
