"""One command, a transaction, and an expiry that every request repeats with NX have no between."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()
redis = Redis(decode_responses=True)


@app.post("/export")
def export() -> bool:
    return bool(redis.set("lock:export", "token", nx=True, ex=30))


@app.post("/login/{user}")
def login(user: str) -> int:
    with redis.pipeline(transaction=True) as pipe:
        pipe.incr(f"attempts:{user}")
        pipe.expire(f"attempts:{user}", 60)
        return pipe.execute()[0]


@app.post("/visits")
def visit() -> int:
    visits = redis.incr("visits")
    redis.expire("visits", 60, nx=True)
    return visits


@app.post("/codes/{user}")
def send_code(user: str) -> bool:
    """An expiry behind every increment repairs one that was lost."""
    if user:
        redis.incr(f"codes:{user}")
        redis.expire(f"codes:{user}", 3600)
    return True
