"""Does something once for all requests that are the same. Free of the web."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import advise_in_doubt, in_transaction
from ..problem_details import Conflict
from .repository import IdempotentAnswerRepository
from .requests import IdempotentRequest, KeyReused, RequestInFlight

Result = TypeVar("Result")

#: Of so many new answers one takes expired ones away, and how many at most.
_CLEANS_ONE_OF, _CLEANS = 50, 200
#: With a key nobody has to look: what was done is answered, what was not is done.
REPEAT = "Repeat the request with the same Idempotency-Key: it has its effect once."
_chance = random.SystemRandom()


async def perform_once(
    session: AsyncSession,
    request: IdempotentRequest | None,
    result_type: type[Result] | TypeAdapter[Result],
    work: Callable[[], Awaitable[Result]],
) -> Result:
    """Do the work and commit it with its result; or return the result of the first time.

    Only what was committed is kept. A refusal or an error rolls back, keeps nothing, and leaves the key free, so that
    repeating is safe and may succeed. A failure that has an effect of its own (a payment that was declined, and
    noted) is a result: return it.

    Args:
        session: of the request. What it holds uncommitted is committed first, as `in_transaction` does.
        request: as a dependency gives it; None: the client sent no key, and the work is done.
        result_type: of the result, which is kept as JSON.
        work: has its whole effect through the session, and does not commit. It may run again after a deadlock.

    Raises:
        RequestInFlight: the same request is being processed.
        KeyReused: the key came with other content before.
        OutcomeUnknown: the connection was lost during the commit. With a key the request can be repeated, and its detail says so.
    """

    async def attempt() -> Result:
        if request is None:
            return await work()
        kept = await begin(session, request, result_type)
        if kept is not None:
            return kept[0]
        result = await work()
        await record(session, request, result_type, result)
        return result

    if request is not None and session.in_transaction():
        advise_in_doubt(session, REPEAT)
    return await in_transaction(session, attempt)


async def begin(
    session: AsyncSession, request: IdempotentRequest, result_type: type[Result] | TypeAdapter[Result]
) -> tuple[Result] | None:
    """Return the result of the first time, in a tuple of one, or None: then do the work, `record` it, and commit.

    For services that commit themselves; all of it has to happen in one transaction, which holds the lock.

    Raises:
        RequestInFlight: the same request is being processed.
        KeyReused: the key came with other content before.
    """
    answers = IdempotentAnswerRepository(session)
    is_free, found = await answers.take(request.place)
    advise_in_doubt(session, REPEAT)
    if found is None and not is_free:
        raise RequestInFlight
    if found is None:
        return None
    fingerprint, answer = found
    if fingerprint != request.fingerprint:
        raise KeyReused("This key came with other content before. Use a new key for a new request.")
    try:
        result = _adapter(result_type).validate_json(answer)
    except ValidationError as error:
        # A deployment changed the type. To do it again would be worse than not to tell.
        raise Conflict("This was done before; its answer can no longer be told.") from error
    request.replayed()
    return (result,)


async def record(
    session: AsyncSession,
    request: IdempotentRequest,
    result_type: type[Result] | TypeAdapter[Result],
    result: Result,
) -> None:
    """Keep the result, in the transaction of the work.

    Raises:
        RequestInFlight: the same request was committed meanwhile; this transaction has to be rolled back. `begin` may have
            looked a moment before the other one committed, and have taken the lock a moment after.
    """
    answers = IdempotentAnswerRepository(session)
    answer = _adapter(result_type).dump_json(result, by_alias=True, round_trip=True)
    if not await answers.add(request.place, request.fingerprint, answer, request.keep):
        raise RequestInFlight
    if _chance.randrange(_CLEANS_ONE_OF) == 0:
        await answers.delete_expired(_CLEANS)


def _adapter(result_type: type[Result] | TypeAdapter[Result]) -> TypeAdapter[Result]:
    return result_type if isinstance(result_type, TypeAdapter) else TypeAdapter(result_type)
