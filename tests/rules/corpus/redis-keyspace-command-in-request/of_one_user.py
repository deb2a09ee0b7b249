"""The tokens of one user, in a set that ends by itself, are few."""

import redis
from fastapi import FastAPI

app = FastAPI()
cache = redis.Redis()


def allow(user: int, token: str) -> None:
    key = f"user:{user}:tokens"
    cache.sadd(key, token)
    cache.expire(key, 3600)


@app.get("/users/{user}/tokens")
def tokens(user: int) -> int:
    allow(user, "t")
    key = f"user:{user}:tokens"
    return len(cache.smembers(key))
