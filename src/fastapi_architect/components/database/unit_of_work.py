"""When a change is made for good, and when it is tried again.

A service calls `session.commit()` once, before it answers. Where two callers may get in each other's way, it hands its work to
`in_transaction` instead, which commits, and repeats the work if PostgreSQL made it give way.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from ..problem_details import Unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
IsolationLevel = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

#: Serialization failure and deadlock: PostgreSQL rolled back, and the same work may succeed now.
GAVE_WAY = frozenset({"40001", "40P01"})
RETRIES = 3
_LONGEST_PAUSE = 1.0

_chance = random.SystemRandom()


#: Seconds in which a database that broke off is usually back.
BACK_WITHIN = 5
_LOOK_FIRST = "Look before you try again."
_ADVICE = "advice_in_doubt"


class OutcomeUnknown(Unavailable):
    """The connection was lost during the commit: the change may have been made or not. The detail says whether to repeat it.

    Args:
        advice: what whoever asked for the change does now.
    """

    type = "urn:problem-type:outcome-unknown"
    title = "It is not known whether it was done"

    def __init__(self, advice: str = _LOOK_FIRST) -> None:
        super().__init__(f"It is not known whether the change was made. {advice}", retry_after=BACK_WITHIN)


def advise_in_doubt(session: AsyncSession | Session, advice: str) -> None:
    """Say what to do if the commit of the present transaction breaks off, such as that repeating it is safe.

    Without an advice whoever asked is told to look first. It ends with the transaction.

    Args:
        session: of the change, in a transaction.
        advice: a sentence for the caller.
    """
    session.info[_ADVICE] = (_transaction(session), advice)


class ServiceSession(AsyncSession):
    """A session that says when the outcome of a commit is unknown."""

    async def commit(self) -> None:
        """Commit.

        Raises:
            OutcomeUnknown: the connection was lost while the commit was under way.
        """
        # Statements go first, so that a connection that is lost later was lost during the commit itself.
        await self.flush()
        advice = _advice(self)
        try:
            await super().commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknown(advice) from error
            raise


class WorkerSession(Session):
    """The same for a worker, which is synchronous."""

    def commit(self) -> None:
        """Commit.

        Raises:
            OutcomeUnknown: the connection was lost while the commit was under way.
        """
        self.flush()
        advice = _advice(self)
        try:
            super().commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknown(advice) from error
            raise


def _advice(session: AsyncSession | Session) -> str:
    """Return what was advised for the present transaction, and forget it."""
    transaction, advice = session.info.pop(_ADVICE, (None, _LOOK_FIRST))
    return advice if transaction is _transaction(session) else _LOOK_FIRST


def _transaction(session: AsyncSession | Session) -> SessionTransaction | None:
    return (session if isinstance(session, Session) else session.sync_session).get_transaction()


async def in_transaction(
    session: AsyncSession,
    work: Callable[[], Awaitable[Result]],
    *,
    retries: int = RETRIES,
    isolation_level: IsolationLevel | None = None,
) -> Result:
    """Do the work in a transaction of its own and commit it; do it again if it had to give way to another one.

    Args:
        session: what it holds uncommitted (usually nothing but the reads of authentication) is committed first.
        work: reads what it needs anew each time, and has no effect outside of the database: it may run several times.
        retries: how often at most.
        isolation_level: of this transaction, if not the default of the server.

    Raises:
        OutcomeUnknown: the connection was lost during the commit; this is never repeated.
    """
    # Outside of what is repeated: a repetition would not do again what stood here before.
    if session.in_transaction():
        await session.commit()
    for remaining in reversed(range(retries + 1)):
        try:
            if isolation_level is not None:
                await session.connection(execution_options={"isolation_level": isolation_level})
            result = await work()
            await session.commit()
        except DBAPIError as error:
            await session.rollback()
            if not remaining or not may_repeat(error):
                raise
            await asyncio.sleep(_pause(retries - remaining, error))
        except BaseException:
            await session.rollback()
            raise
        else:
            return result
    raise AssertionError("unreachable: the last attempt returns or raises")


def in_worker_transaction(
    session: Session,
    work: Callable[[], Result],
    *,
    retries: int = RETRIES,
    isolation_level: IsolationLevel | None = None,
) -> Result:
    """The same for a worker, which is synchronous."""
    # Outside of what is repeated: a repetition would not do again what stood here before.
    if session.in_transaction():
        session.commit()
    for remaining in reversed(range(retries + 1)):
        try:
            if isolation_level is not None:
                session.connection(execution_options={"isolation_level": isolation_level})
            result = work()
            session.commit()
        except DBAPIError as error:
            session.rollback()
            if not remaining or not may_repeat(error):
                raise
            time.sleep(_pause(retries - remaining, error))
        except BaseException:
            session.rollback()
            raise
        else:
            return result
    raise AssertionError("unreachable: the last attempt returns or raises")


def may_repeat(error: DBAPIError) -> bool:
    """Tell whether the transaction was surely rolled back, and may succeed when it is repeated.

    A connection that was lost before the commit took its transaction with it. One that was lost during the commit is not
    reported by this kind of error, but by `OutcomeUnknown`.
    """
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in GAVE_WAY


def _pause(attempt: int, error: DBAPIError) -> float:
    """Return a random number of seconds, so that two that met do not meet again."""
    logger.info("transaction repeated", extra={"attempt": attempt + 1, "sqlstate": _sqlstate(error)})
    return _chance.uniform(0.005, min(0.05 * 2**attempt, _LONGEST_PAUSE))


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
