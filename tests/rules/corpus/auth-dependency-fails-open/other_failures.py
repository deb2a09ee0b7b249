"""What is swallowed here is no verification: a cache that is away, and an audit that cannot be written."""

import logging
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from redis import Redis
from redis.exceptions import RedisError

cache = Redis()
app = FastAPI()


def limited(x_client: Annotated[str, Header()] = "") -> None:
    try:
        cache.incr(x_client)
    except RedisError:
        logging.warning("no limit today")
        return


def current_user(x_token: Annotated[str, Header()] = "") -> str:
    if x_token != "s3cret":
        raise HTTPException(status_code=401)
    try:
        cache.set("last", x_token)
    except RedisError:
        pass
    return "alice"


@app.get("/orders", dependencies=[Depends(limited)])
def list_orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
    error = HTTPException(status_code=403)
    if not user:
        raise error
    return []
