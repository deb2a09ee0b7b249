"""The expiry is sent once, or not on the way that refuses: when it is lost, nothing sends it again."""

from fastapi import FastAPI, HTTPException
from redis import Redis

app = FastAPI()
redis = Redis(decode_responses=True)


@app.post("/login/{user}")
def login(user: str) -> None:
    attempts = redis.incr(f"attempts:{user}")  # finding: non-atomic-redis-counter-or-lock
    if attempts == 1:
        redis.expire(f"attempts:{user}", 60)


@app.post("/codes/{user}")
def send_code(user: str) -> None:
    if redis.incr(f"codes:{user}") > 5:  # finding: non-atomic-redis-counter-or-lock
        raise HTTPException(429)
    redis.expire(f"codes:{user}", 60)
