"""Decorators that keep answers: by which key, and above or below whoever asks for a role."""

from contextvars import ContextVar
from functools import lru_cache, wraps

from fastapi import FastAPI, HTTPException, Request
from fastapi_cache.decorator import cache

app = FastAPI()
current_user: ContextVar[str] = ContextVar("current_user")


def require_role(role: str):
    def decorate(handler):
        @wraps(handler)
        async def guarded(request: Request, *args, **kwargs):
            if role not in request.state.user.roles:
                raise HTTPException(403)
            return await handler(request, *args, **kwargs)

        return guarded

    return decorate


def by_path(func, namespace="", *, request=None, response=None, args=(), kwargs=None):
    return f"{namespace}:{request.url.path}"


def by_caller(func, namespace="", *, request=None, response=None, args=(), kwargs=None):
    return f"{namespace}:{request.url.path}:{request.headers['authorization']}"


@app.get("/salaries")
@cache(expire=60)  # finding: shared-cache-of-private-response
@require_role("admin")
async def salaries(request: Request) -> dict:
    return {"alice": 1}


@app.get("/bonuses")
@require_role("admin")
@cache(expire=60)  # silent: whoever gets here may
async def bonuses(request: Request) -> dict:
    return {"alice": 1}


@app.get("/me")
@require_role("user")
@cache(expire=60)  # finding: shared-cache-of-private-response
async def me(request: Request) -> dict:
    return {"name": request.state.user.name}


@app.get("/me/path")
@require_role("user")
@cache(expire=60, key_builder=by_path)  # finding: shared-cache-of-private-response
async def me_by_path(request: Request) -> dict:
    return {"name": request.state.user.name}


@app.get("/me/key")
@require_role("user")
@cache(expire=60, key_builder=by_caller)  # silent: the key holds the caller's credentials
async def me_by_caller(request: Request) -> dict:
    return {"name": request.state.user.name}


@app.get("/prices")
@require_role("user")
@cache(expire=60)  # silent: the same for everybody
async def prices(request: Request) -> dict:
    return {"tea": 1}


@lru_cache  # finding: shared-cache-of-private-response
def settings_of_caller() -> str:
    return f"settings of {current_user.get()}"


@lru_cache
def settings_of(user_id: int) -> str:  # silent: an argument is a part of the key
    return f"settings of {user_id}"


@lru_cache
def settings_of_organization(organization_id: int) -> str:  # silent: the key says whose they are
    return f"settings of {current_user.get()}"


@app.get("/settings")
async def read_settings() -> str:
    return settings_of_caller() + settings_of(1) + settings_of_organization(1)
