"""Probes for the orchestrator; they say yes or no, and nothing about the inside."""

import asyncio
import logging

from fastapi import APIRouter, Response, status
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.dependencies import RedisDep, SessionDep
from app.health.schemas import Liveness, Readiness

logger = logging.getLogger(__name__)

PROBE_SECONDS = 2

probes = APIRouter(prefix="/health", include_in_schema=False)


@probes.get("/live", summary="Liveness")
async def live() -> Liveness:
    """Say that the process answers; a restart mends nothing else."""
    return Liveness(alive=True)


@probes.get("/ready", summary="Readiness")
async def ready(session: SessionDep, redis: RedisDep, response: Response) -> Readiness:
    """Say whether to send requests here: only with a database."""
    readiness = Readiness(database=await is_up_database(session), redis=await is_up_redis(redis))
    if not readiness.database:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = "5"
    return readiness


async def is_up_database(session: AsyncSession) -> bool:
    """Say whether the database answers in time."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await session.execute(select(1))
    except (SQLAlchemyError, OSError, TimeoutError):
        logger.exception("database does not answer")
        return False
    return True


async def is_up_redis(redis: Redis) -> bool:
    """Say whether Redis answers in time."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await redis.ping()
    except (RedisError, OSError, TimeoutError):
        logger.exception("Redis does not answer")
        return False
    return True
