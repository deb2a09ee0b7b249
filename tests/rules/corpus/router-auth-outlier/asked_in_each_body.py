"""Handlers that each ask in their own body share no guard that one could lack; those with a dependency do."""

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request

reports = APIRouter(prefix="/reports")
orders = APIRouter(prefix="/orders")
KEYS = {"k": "alice"}
STORED = []


@reports.post("/sales")
def sales(request: Request):
    if request.headers.get("X-Api-Key") not in KEYS:
        raise HTTPException(401)
    STORED.append("sales")


@reports.post("/stock")
def stock(request: Request):
    if request.headers.get("X-Api-Key") not in KEYS:
        raise HTTPException(401)
    STORED.append("stock")


@reports.post("/returns")
def returned(request: Request):
    if request.headers.get("X-Api-Key") not in KEYS:
        raise HTTPException(401)
    STORED.append("returns")


@reports.post("/visits")
def visits(request: Request):
    if request.headers.get("X-Api-Key") not in KEYS:
        raise HTTPException(401)
    STORED.append("visits")


@reports.post("/mistakes")
def mistakes(words: str):
    STORED.append(words)


def reader(x_api_key: str = Header()) -> str:
    if x_api_key not in KEYS:
        raise HTTPException(401)
    return KEYS[x_api_key]


@orders.post("/books", dependencies=[Depends(reader)])
def order_books():
    STORED.append("books")


@orders.post("/pens", dependencies=[Depends(reader)])
def order_pens():
    STORED.append("pens")


@orders.post("/maps", dependencies=[Depends(reader)])
def order_maps():
    STORED.append("maps")


@orders.post("/bags", dependencies=[Depends(reader)])
def order_bags():
    STORED.append("bags")


@orders.post("/lamps")
def order_lamps(words: str):  # finding: router-auth-outlier
    STORED.append(words)


app = FastAPI()
app.include_router(reports)
app.include_router(orders)
