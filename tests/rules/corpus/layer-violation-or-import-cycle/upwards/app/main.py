"""A schema that imports routes, routes that take a private helper of other routes, and a service that answers with HTTP."""

from fastapi import FastAPI

from app.books_router import router as books
from app.orders_router import router as orders

app = FastAPI()
app.include_router(books)
app.include_router(orders)
