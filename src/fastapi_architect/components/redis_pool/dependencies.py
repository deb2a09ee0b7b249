"""The Redis client of the process."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..service import installed
from .component import RedisPool


async def get_redis(connection: HTTPConnection) -> RedisPool:
    """Return the pool of the process."""
    return installed(connection.app, RedisPool)


RedisDep = Annotated[RedisPool, Depends(get_redis)]
