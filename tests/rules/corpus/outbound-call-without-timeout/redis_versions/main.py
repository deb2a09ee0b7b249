"""redis-py of this version waits for ever unless told otherwise."""

from fastapi import FastAPI
from redis.asyncio import Redis

app = FastAPI()
cache = Redis(host="cache")  # finding: outbound-call-without-timeout
limits = Redis(host="cache", socket_timeout=2)
sessions = Redis.from_url("redis://cache/0?socket_timeout=2")
