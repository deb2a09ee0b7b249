"""What is kept in Redis for one caller, under keys with and without them."""

import json
from typing import Annotated

import redis.asyncio as redis
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Order, Product, User, get_session

bearer = OAuth2PasswordBearer(tokenUrl="token")
cache = redis.Redis()
app = FastAPI()


def current_user(token: Annotated[str, Depends(bearer)], session: Annotated[Session, Depends(get_session)]) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


UserDep = Annotated[User, Depends(current_user)]
SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/orders")
async def list_orders(page: int, user: UserDep, session: SessionDep) -> list:
    kept = await cache.get(f"orders:{page}")
    if kept:
        return json.loads(kept)
    found = session.scalars(select(Order).where(Order.owner_id == user.id).offset(page * 10)).all()
    rows = [{"id": order.id} for order in found]
    await cache.set(f"orders:{page}", json.dumps(rows), ex=60)  # finding: shared-cache-of-private-response
    return rows


@app.get("/orders/mine")
async def list_mine(page: int, user: UserDep, session: SessionDep) -> list:
    key = f"orders:{user.id}:{page}"
    kept = await cache.get(key)
    if kept:
        return json.loads(kept)
    rows = [order.id for order in session.scalars(select(Order).where(Order.owner_id == user.id)).all()]
    await cache.set(key, json.dumps(rows), ex=60)  # silent: the key names the caller
    return rows


@app.get("/products")
async def list_products(page: int, user: UserDep, session: SessionDep) -> list:
    kept = await cache.get(f"products:{page}")
    if kept:
        return json.loads(kept)
    rows = [product.id for product in session.scalars(select(Product).offset(page * 10)).all()]
    await cache.set(f"products:{page}", json.dumps(rows), ex=60)  # silent: the same for everybody
    return rows


@app.post("/exports/{job}")
async def export(job: str, user: UserDep) -> str:
    if await cache.get(f"job:{job}"):
        return "known"
    await cache.set(f"job:{job}", str(user.id), ex=60)  # silent: a key of its own, which says whose it is
    return "started"


@app.post("/presence")
async def present(user: UserDep) -> None:
    await cache.set("last-seen", user.name)  # silent: nobody is given it as an answer here
