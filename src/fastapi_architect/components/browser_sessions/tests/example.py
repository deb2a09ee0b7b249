"""The smallest application that browsers sign in to: one thing to read, one to change."""

import asyncio

from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from pydantic import SecretStr

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default
from fastapi_architect.components.accounts import Accounts, AccountSettings, PasswordHashing
from fastapi_architect.components.accounts.repository import AccountRepository
from fastapi_architect.components.browser_sessions import BrowserSessions, BrowserSessionSettings
from fastapi_architect.components.database import Database
from fastapi_architect.components.mail import Mailing, MailSettings
from fastapi_architect.components.outbox import Outbox, OutboxSettings
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.redis_pool import RedisPool
from fastapi_architect.components.service import Environment, install

EMAIL, PASSWORD = "ada@example.com", "four unrelated words here"
PAGE = "https://shop.example.com"
LOCAL = Environment.LOCAL
#: Cheap, because tests sign in often.
HASHING = PasswordHashing(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def create_app(
    database: Database, redis_pool: RedisPool, environment: Environment = Environment.PRODUCTION
) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.get("/things")
    async def read(principal: CurrentPrincipal) -> dict[str, str]:
        return {"id": str(principal.id), "method": principal.method}

    @app.post("/things")
    async def change(principal: CurrentPrincipal) -> str:
        return "changed"

    accounts = AccountSettings(
        signing_key=SecretStr("kZ3-4vV9qj1Lr8_sWq0Xb7Tt5Yy2Uu6Ii"), website_url=PAGE, environment=LOCAL
    )
    install(
        app,
        [
            ProblemDetails(),
            database,
            redis_pool,
            Outbox(OutboxSettings(environment=LOCAL)),
            Mailing(MailSettings(sender="shop@example.com", environment=LOCAL)),
            Access(),
            BrowserSessions(BrowserSessionSettings(origins=(PAGE,), environment=environment)),
            Accounts(accounts, hashing=HASHING),
        ],
    )
    return app


def open_account(database: Database) -> None:
    """Open the account of the tests, as a confirmed registration does."""

    async def add() -> None:
        async with database.sessions() as session:
            password_hash = await HASHING.hash(PASSWORD)
            await AccountRepository(session).add_unless_known(EMAIL, password_hash, "Ada", ())
            await session.commit()
        await database.engine.dispose()

    asyncio.run(add())
