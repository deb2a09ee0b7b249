"""The keys of one hash, and bounded pieces of a list, are no walk through the keyspace."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()
redis = Redis()


@app.get("/baskets/{basket}")
def read(basket: str) -> int:
    return len(redis.hkeys(f"basket:{basket}")) + len(redis.lrange("recent", 0, 9))
