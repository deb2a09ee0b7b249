"""Schemas."""

from pydantic import BaseModel, Field

from app.books_router import LIMIT  # finding: layer-violation-or-import-cycle


class Order(BaseModel):
    number: int = Field(le=LIMIT)
