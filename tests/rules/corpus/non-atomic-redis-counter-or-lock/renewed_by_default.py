"""An expiry under a parameter that has a time by default follows every count; one that nobody gives follows none."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()
redis = Redis(decode_responses=True)


def count(key: str, expiration: int = 3600) -> int:
    value = redis.incr(key)  # silent: the next count renews the end
    if expiration:
        redis.expire(key, expiration)
    return value


def count_once(key: str, first: bool = False) -> int:
    value = redis.incr(key)  # finding: non-atomic-redis-counter-or-lock
    if first:
        redis.expire(key, 60)
    return value


@app.post("/login/{user}")
def login(user: str) -> int:
    return count(f"attempts:{user}") + count_once(f"all:{user}", first=True)
