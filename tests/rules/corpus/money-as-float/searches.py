"""Bounds of a search are compared, never added; the price itself is exact."""

from decimal import Decimal

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Search(BaseModel):
    min_price: float | None = None
    max_price: float | None = None


class Book(BaseModel):
    title: str
    price: Decimal


@app.post("/search")
def search(wanted: Search) -> list[Book]:
    return []
