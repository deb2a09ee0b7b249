"""The smallest service with accounts: strangers register by mail, editors write."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal
from uuid import UUID

from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default, public, require
from fastapi_architect.components.accounts import Accounts, AccountSettings, PasswordHashing
from fastapi_architect.components.database import Database
from fastapi_architect.components.mail import Mail, Mailing, MailKind, MailNotSent, MailSettings
from fastapi_architect.components.outbox import Outbox, OutboxSettings
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Component, Environment, Principal, install

PASSWORD = "four unrelated words here"
OTHER_PASSWORD = "entirely different phrase now"
ROLES = {
    "editor": ["items:write"],
    "helper": ["accounts:read", "accounts:manage"],
    "admin": ["accounts:read", "accounts:manage", "items:write"],
}
_TOKEN = re.compile(r"#(\S+)")


class CountingHasher(PasswordHasher):
    """Argon2id with parameters for tests, which counts what it does."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0
        self.hashed = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as its base names it
        """Verify and count."""
        self.verified += 1
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash and count."""
        self.hashed += 1
        return super().hash(password, salt=salt)


class Postbox:
    """Keeps mails instead of sending them."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []
        #: How often it will be out of order.
        self.failures = 0

    def send(self, mail: Mail, key: UUID) -> None:
        """Keep a mail."""
        if self.failures:
            self.failures -= 1
            raise MailNotSent("down")
        self.mails.append((mail.to, mail.subject, mail.text))


def settings(**changes: object) -> AccountSettings:
    """Return settings for tests."""
    values = {
        "signing_key": SecretStr("key of tests, long enough for HMAC-SHA-256"),
        "website_url": "https://shop.example.com",
        "environment": Environment.LOCAL,
    }
    return AccountSettings.model_validate(values | changes)


@dataclass
class Service:
    """An application, and what a worker beside it would do."""

    database: Database
    settings: AccountSettings = field(default_factory=settings)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    hashing: PasswordHashing | None = None

    def __post_init__(self) -> None:
        self.postbox = Postbox()
        self.outbox = Outbox(OutboxSettings(environment=Environment.LOCAL))
        mail_settings = MailSettings(
            sender="Shop <no-reply@shop.example.com>",
            transport=MailKind.CONSOLE,
            environment=Environment.LOCAL,
        )
        access = Access(ROLES)
        self.accounts = Accounts(self.settings, hashing=self.hashing or PasswordHashing(self.hasher))
        self.components: list[Component] = [
            ProblemDetails(),
            self.database,
            self.outbox,
            Mailing(mail_settings, transport=self.postbox),
            access,
            self.accounts,
        ]
        self.app = create_app(self.components)

    def work(self) -> list[tuple[str, str, str]]:
        """Do what waits in the outbox, and return the mails that were sent by it: to, subject, text."""
        self.postbox.mails.clear()
        runtime = self.outbox.runtime(self.components)
        while runtime.handle_next() is not None:
            pass
        return list(self.postbox.mails)

    def mailed_token(self, to: str) -> str:
        """Work, and return the token that was mailed to an address."""
        texts = [text for receiver, _, text in self.work() if receiver == to]
        found = [match.group(1) for text in texts if (match := _TOKEN.search(text))]
        return found[-1]

    def register(self, client: TestClient, email: str = "ada@example.com", password: str = PASSWORD) -> str:
        """Open an account, and return its identifier."""
        assert client.post("/api/v1/auth/register", json={"email": email}).status_code == 202
        body = {"token": self.mailed_token(email), "password": password}
        answer = client.post("/api/v1/auth/register/confirm", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def create_app(components: list[Component]) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.get("/open")
    @public
    async def open_to_all() -> str:
        return "hello"

    @app.get("/who")
    async def who(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    @app.post("/items")
    async def write(principal: Annotated[Principal, Depends(require("items:write"))]) -> str:
        return str(principal.id)

    install(app, components)
    return app
