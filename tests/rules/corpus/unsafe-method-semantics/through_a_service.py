"""The write lies in a service two calls below, behind an unconditional way."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]


async def get_session() -> AsyncSession:
    raise NotImplementedError


class OrderService:
    def __init__(self, session: Annotated[AsyncSession, Depends(get_session)]) -> None:
        self.session = session

    async def place(self, state: str) -> None:
        order = Order(state=state)
        await self.store(order)

    async def store(self, order: Order) -> None:
        self.session.add(order)
        await self.session.commit()


router = APIRouter(prefix="/orders")


@router.get("/quick")
async def quick_order(service: Annotated[OrderService, Depends()]) -> str:  # finding: unsafe-method-semantics
    await service.place("new")
    return "placed"


app = FastAPI()
app.include_router(router)
