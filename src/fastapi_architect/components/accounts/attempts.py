"""Limits on guessing that end by themselves, and that nobody can use to keep an owner out.

A try is counted before the password is looked at: of a thousand requests at once no more than the limit get that far.
Unknown addresses are counted like known ones, so that the limit tells nothing.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from sqlalchemy import case, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ..problem_details.errors import TooManyRequests
from .models import Attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries of something in a window of time."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a limit is used, this try included."""

    limit: Limit
    tries: int
    seconds_left: float

    @property
    def is_over(self) -> bool:
        """Whether this try is one too many."""
        return self.tries > self.limit.most


class AttemptCounter:
    """Counts tries in the database."""

    def __init__(self, session: AsyncSession, window: timedelta) -> None:
        self._session = session
        self._window = window

    async def count(self, limits: Sequence[Limit]) -> list[Counted]:
        """Count one try against each of the limits, and commit it, whatever becomes of the try."""
        rows = (await self._session.execute(counting([limit.key for limit in limits], self._window))).all()
        await self._session.commit()
        found = {row.key: row for row in rows}
        return [
            Counted(limit, found[limit.key].tries, float(found[limit.key].seconds_left)) for limit in limits
        ]

    async def forget(self, keys: Sequence[str]) -> None:
        """Begin anew; the caller commits."""
        await self._session.execute(delete(Attempts).where(Attempts.key.in_(sorted(keys))))

    async def give_back(self, keys: Sequence[str]) -> None:
        """Take back the try that was counted, as it was no guess; the caller commits."""
        await self._session.execute(
            update(Attempts)
            .where(Attempts.key.in_(sorted(keys)), Attempts.tries > 0)
            .values(tries=Attempts.tries - 1)
            .execution_options(synchronize_session=False)
        )


def counting(keys: Sequence[str], window: timedelta) -> Any:
    """Return the statement that counts one try for each key and returns the counts."""
    # Always in the same order: two requests that lock the same rows must not wait for each other.
    values = [{"key": key, "tries": 1, "window_ends_at": func.now() + window} for key in sorted(set(keys))]
    statement = insert(Attempts).values(values)
    is_over = Attempts.window_ends_at <= func.now()
    return statement.on_conflict_do_update(
        index_elements=[Attempts.key],
        set_={
            "tries": case((is_over, 1), else_=Attempts.tries + 1),
            "window_ends_at": case(
                (is_over, statement.excluded.window_ends_at), else_=Attempts.window_ends_at
            ),
        },
    ).returning(
        Attempts.key,
        Attempts.tries,
        func.extract("epoch", Attempts.window_ends_at - func.now()).label("seconds_left"),
    )


def refuse(counted: Counted) -> TooManyRequests:
    """Return the refusal: the same for every limit and for every account, or none."""
    return TooManyRequests(
        "Too many attempts. Wait, or reset the password.", retry_after=counted.seconds_left
    )


def attempt_key(secret: str, *parts: str) -> str:
    """Return the key of something that is tried; the table does not tell whom strangers asked for."""
    return hmac.new(secret.encode(), "\x00".join(parts).encode(), hashlib.sha256).hexdigest()


def network_of(host: str) -> str:
    """Return what stands for one client: the address, or of IPv6 the /64 that one customer has."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
