"""A listener waits for messages on purpose, as long as somebody notices when the other side is gone."""

from fastapi import FastAPI
from redis import asyncio as redis
from redis.asyncio.client import PubSub

app = FastAPI()


async def subscribe(channel: str) -> PubSub:
    client = await redis.from_url("redis://cache", socket_connect_timeout=5, socket_keepalive=True)
    listener = client.pubsub()
    await listener.subscribe(channel)
    return listener


async def subscribe_blindly(channel: str) -> PubSub:
    client = redis.from_url("redis://cache", socket_connect_timeout=5)  # finding: outbound-call-without-timeout
    listener = client.pubsub()
    await listener.subscribe(channel)
    return listener


async def subscribe_and_count(channel: str) -> PubSub:
    client = redis.from_url("redis://cache", socket_connect_timeout=5, socket_keepalive=True)  # finding: outbound-call-without-timeout
    await client.incr(channel)
    listener = client.pubsub()
    await listener.subscribe(channel)
    return listener


@app.get("/channels/{channel}")
async def follow(channel: str) -> int:
    listeners = [await subscribe(channel), await subscribe_blindly(channel), await subscribe_and_count(channel)]
    return len(listeners)
