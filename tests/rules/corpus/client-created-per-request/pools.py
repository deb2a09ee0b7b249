"""A client that is given a pool is a handle on it; what counts is whether the pool is kept."""

import aiohttp
from fastapi import FastAPI
from redis.asyncio import ConnectionPool, Redis

app = FastAPI()


class Connections:
    _pool: ConnectionPool | None = None

    @classmethod
    def pool(cls) -> ConnectionPool:
        if cls._pool is None:
            cls._pool = ConnectionPool(host="cache")
        return cls._pool

    @classmethod
    def client(cls) -> Redis:
        pool = cls.pool()
        return Redis(connection_pool=pool)  # silent: the pool is kept


@app.get("/visits")
async def visits() -> int:
    return await Connections.client().incr("visits")


@app.get("/days")
async def days() -> int:
    pool = ConnectionPool(host="cache")
    return await Redis(connection_pool=pool).incr("days")  # finding: client-created-per-request


@app.get("/hours")
async def hours() -> int:
    cache = Redis(connection_pool=ConnectionPool.from_url("redis://cache"))  # finding: client-created-per-request
    return await cache.incr("hours")


connector: aiohttp.TCPConnector | None = None


@app.get("/books")
async def books() -> str:
    async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
        return await (await session.get("https://books.example")).text()


@app.get("/weather")
async def weather() -> str:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=True)) as session:  # finding: client-created-per-request
        return await (await session.get("https://weather.example")).text()


def fresh_connector() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(ssl=True)


@app.get("/tides")
async def tides() -> str:
    async with aiohttp.ClientSession(connector=fresh_connector()) as session:  # finding: client-created-per-request
        return await (await session.get("https://tides.example")).text()
