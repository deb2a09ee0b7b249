"""A middleware opens the session, lays it on the state of the request, and commits it behind the handler."""

from celery import Celery
from fastapi import Depends, FastAPI, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
worker = Celery("shop", broker="memory://")
new_session = async_sessionmaker(create_async_engine("postgresql+asyncpg:///shop"), expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


@worker.task
def confirm(order_id: int) -> None:
    print(order_id)


@app.middleware("http")
async def with_transaction(request: Request, call_next):
    async with new_session() as session:
        request.state.db = session
        response = await call_next(request)
        await session.commit()
    return response


def get_session(request: Request) -> AsyncSession:
    return request.state.db


@app.post("/orders")
async def place_order(title: str, session: AsyncSession = Depends(get_session)) -> None:
    order = Order(title=title)
    session.add(order)
    await session.flush()
    confirm.delay(order.id)  # finding: task-enqueued-before-commit


@app.post("/orders/from-state")
async def place_from_state(title: str, request: Request) -> None:
    db = request.state.db
    order = Order(title=title)
    db.add(order)
    await db.flush()
    confirm.delay(order.id)  # finding: task-enqueued-before-commit


@app.post("/orders/committed")
async def place_and_commit(title: str, session: AsyncSession = Depends(get_session)) -> None:
    order = Order(title=title)
    session.add(order)
    await session.commit()
    confirm.delay(order.id)
