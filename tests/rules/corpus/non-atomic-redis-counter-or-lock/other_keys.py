"""Counting one key and keeping another is no pair; a cache that is filled again is no counter."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()
redis = Redis(decode_responses=True)


@app.get("/books/{book_id}")
def read(book_id: int) -> str:
    redis.incr("reads")
    redis.expire(f"book:{book_id}", 60)
    cached = redis.get(f"book:{book_id}")
    if cached is None:
        cached = f"book {book_id}"
        redis.set(f"book:{book_id}", cached, ex=60)
    return cached
