"""A table of SQLModel with attributes that are no columns."""

from pydantic import PrivateAttr
from sqlmodel import Field, SQLModel


class Order(SQLModel, table=True):
    __tablename__ = "orders"

    id: int | None = Field(default=None, primary_key=True)
    total: int | None = None
    note: str | None = None
    _shown: bool = PrivateAttr(default=False)
    _buyer: str | None = None
