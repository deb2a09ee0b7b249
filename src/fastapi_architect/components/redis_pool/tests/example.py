"""The smallest application with Redis: it counts visits, and answers without the count when Redis is gone."""

from fastapi import FastAPI
from redis.exceptions import RedisError

from fastapi_architect.components.redis_pool import RedisDep, RedisPool
from fastapi_architect.components.service import install


def create_app(redis_pool: RedisPool) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.get("/visits")
    async def visits(redis: RedisDep) -> int | None:
        """Count this visit."""
        try:
            return int(await redis.client.incr(redis.key("visits")))
        except RedisError:
            return None

    install(app, [redis_pool])
    return app
