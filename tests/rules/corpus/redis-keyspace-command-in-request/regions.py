"""A cache that removes one region, or everything where no region is named: harmless while every call names one."""

from fastapi import FastAPI
from redis import Redis

app = FastAPI()


class Cache:
    def __init__(self, client: Redis) -> None:
        self.client = client

    def clear(self, region: str | None = None) -> None:
        if region:
            for key in self.client.scan_iter(f"{region}:*"):
                self.client.delete(key)
        else:
            self.client.flushdb()  # silent: every call names a region


class Careless:
    def __init__(self, client: Redis) -> None:
        self.client = client

    def forget(self, region: str | None = None) -> None:
        if region:
            for key in self.client.scan_iter(f"{region}:*"):
                self.client.delete(key)
        else:
            self.client.flushdb()  # finding: redis-keyspace-command-in-request


cache = Cache(Redis())
careless = Careless(Redis())


@app.delete("/cache/users")
def forget_users() -> None:
    cache.clear(region="users")


@app.delete("/cache/books/{shelf}")
def forget_books(shelf: str) -> None:
    cache.clear(f"books:{shelf}")


@app.delete("/careless/users")
def forget_users_carelessly() -> None:
    careless.forget("users")


@app.delete("/careless")
def forget_everything() -> None:
    careless.forget()
