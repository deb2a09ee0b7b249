"""SCAN goes in steps, `keys()` of a dict is no command, and a script may take its time."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()
redis = Redis()
settings = {"a": 1}


@app.get("/keys")
def count() -> int:
    return sum(1 for _ in redis.scan_iter(match="basket:*", count=500)) + len(settings.keys())


def clean() -> None:
    for key in redis.keys("basket:*"):
        redis.delete(key)


if __name__ == "__main__":
    clean()
