"""The cache of the process."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..service import installed
from .cache import Cache
from .component import Caching


async def get_cache(connection: HTTPConnection) -> Cache:
    """Return the cache."""
    return installed(connection.app, Caching).cache


CacheDep = Annotated[Cache, Depends(get_cache)]
