"""Asks everything that the service needs, at the same time, and for a limited time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

logger = logging.getLogger(__name__)

#: Returns when all is well, and raises when not.
Check = Callable[[], Awaitable[None]]


class Readiness:
    """The state of several checks.

    Whoever asks while the checks run, or shortly afterwards, gets the same answer: probes, and strangers who ask a thousand
    times a second, cost one round of checks.

    Args:
        checks: returns them by name, as they are at that time.
        timeout: seconds after which a check has failed.
        fresh_for: seconds for which an answer is given again.
    """

    def __init__(self, checks: Callable[[], Mapping[str, Check]], timeout: float, fresh_for: float) -> None:
        self._checks = checks
        self._timeout = timeout
        self._fresh_for = fresh_for
        self._round: asyncio.Task[dict[str, bool]] | None = None
        self._asked_at = 0.0

    async def ask(self) -> dict[str, bool]:
        """Return for each check whether it went well."""
        if self._is_stale():
            self._asked_at = time.monotonic()
            self._round = asyncio.create_task(self._ask_all())
        # Shielded: the first to ask may go away, and others wait for the same round.
        return await asyncio.shield(self._round) if self._round else {}

    def _is_stale(self) -> bool:
        if self._round is None or self._round.get_loop() is not asyncio.get_running_loop():
            return True
        return self._round.done() and time.monotonic() - self._asked_at >= self._fresh_for

    async def _ask_all(self) -> dict[str, bool]:
        checks = self._checks()
        if not checks:
            return {}
        tasks = {name: asyncio.ensure_future(_run(check)) for name, check in checks.items()}
        # `wait` and not `timeout`: a check that does not let itself be cancelled must not hold up the others.
        _, late = await asyncio.wait(tasks.values(), timeout=self._timeout)
        for task in late:
            task.cancel()
        return {name: self._went_well(name, task) for name, task in tasks.items()}

    def _went_well(self, name: str, task: "asyncio.Future[None]") -> bool:
        if not task.done():
            logger.warning("check timed out", extra={"check": name, "seconds": self._timeout})
            return False
        if task.cancelled():
            return False
        error = task.exception()
        if error is not None:
            logger.warning("check failed", extra={"check": name}, exc_info=error)
        return error is None


async def _run(check: Check) -> None:
    await check()
