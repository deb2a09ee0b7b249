"""A small real backend: an N+1 behind a listing, a route without limits, migrations of its own, no logins."""

from pathlib import Path

import pytest

from fastapi_architect.workbench.workspace import Workspace

SHOP = {
    "requirements.txt": "fastapi>=0.115\nsqlalchemy>=2\nalembic\npsycopg\n",
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": """\
from alembic import context
from sqlalchemy import engine_from_config, pool

from app.models import Base

target_metadata = Base.metadata


def run():
    engine = engine_from_config(context.config.get_section("alembic"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
""",
    "migrations/versions/0001_first.py": """\
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(200), nullable=False))
    op.create_table("products", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(200), nullable=False))
    op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("status", sa.String(20), nullable=False))
    op.create_table(
        "items",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Integer, sa.ForeignKey("orders.id"), nullable=False),
    )


def downgrade():
    for table in ("items", "orders", "products", "users"):
        op.drop_table(table)
""",
    "app/__init__.py": "",
    "app/models.py": """\
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200))


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    items: Mapped[list["Item"]] = relationship()


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
""",
    "app/db.py": """\
import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
maker = sessionmaker(engine)


def get_session() -> Iterator[Session]:
    with maker() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
""",
    "app/orders.py": """\
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select, text

from app.db import SessionDep
from app.models import Order

router = APIRouter(prefix="/orders")


class OrderOut(BaseModel):
    id: int
    items: int


@router.get("")
def list_orders(session: SessionDep) -> list[OrderOut]:
    orders = session.scalars(select(Order)).all()
    return [OrderOut(id=order.id, items=len(order.items)) for order in orders]


@router.get("/search")
def search(status: str, session: SessionDep) -> list[int]:
    return list(session.scalars(text(f"SELECT id FROM orders WHERE status = '{status}' LIMIT 50")))
""",
    "app/users.py": """\
from fastapi import APIRouter
from pydantic import BaseModel

from app.db import SessionDep
from app.models import User

router = APIRouter(prefix="/users")


class UserIn(BaseModel):
    email: str


@router.post("", status_code=201)
def create_user(user: UserIn, session: SessionDep) -> dict[str, int]:
    row = User(email=user.email)
    session.add(row)
    session.commit()
    return {"id": row.id}
""",
    "app/products.py": """\
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from app.db import SessionDep
from app.models import Product

router = APIRouter(prefix="/api/v1/products")


class ProductOut(BaseModel):
    id: int
    name: str


@router.get("")
def list_products(session: SessionDep, limit: int = 20) -> list[ProductOut]:
    rows = session.scalars(select(Product).limit(min(limit, 100))).all()
    return [ProductOut(id=row.id, name=row.name) for row in rows]
""",
    "app/main.py": """\
from fastapi import FastAPI

from app import orders, products, users

app = FastAPI(title="Shop")
app.include_router(orders.router)
app.include_router(users.router)
app.include_router(products.router)
""",
}


def write(root: Path, files: dict[str, str]) -> Path:
    """The files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of the backend."""
    return write(tmp_path / "shop", SHOP)


@pytest.fixture
def workspace(shop: Path) -> Workspace:
    """The backend as a workspace."""
    return Workspace(shop)
