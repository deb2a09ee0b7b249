"""`architect` with one of its defences taken out: python -m chaos.without DEFENCE serve worker.

A proof that cannot fail proves nothing. Each entry takes away one thing that SecAPI relies on, in every process of a run;
`docs/evidence/chaos.md` lists what the run then says.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

FOR_EVER = timedelta(days=30)


def _fencing() -> None:
    """The end of an attempt is taken from whoever comes, overtaken or not."""
    from fastapi_architect.components.outbox import repository

    original = repository.finish

    def finish(session: Any, attempt: Any, keep: Any = None) -> bool:
        original(session, attempt, keep)
        return True

    repository.finish = finish


def _takeover() -> None:
    """What a dead worker held is never taken over."""
    from fastapi_architect.components.outbox import execution

    original = execution.Runtime.of.__func__

    def of(cls: Any, *arguments: Any, **named: Any) -> Any:
        return dataclasses.replace(original(cls, *arguments, **named), lease=FOR_EVER)

    execution.Runtime.of = classmethod(of)


def _reaper() -> None:
    """Scans whose every attempt died are never told so."""
    from fastapi_architect.secapi.scans import component

    component.Scans.schedule = {}


def _republish() -> None:
    """An event is put into the broker once, and never again, whatever the broker has forgotten."""
    from fastapi_architect.components.outbox import relay, repository

    original = repository.take_for_publishing
    repository.take_for_publishing = lambda session, batch, _: original(session, batch, FOR_EVER)
    relay.Relay.ask_broker = lambda _: None


def _idempotency() -> None:
    """A repeated request is a new one."""
    from fastapi_architect.secapi.scans import service

    async def perform_anew(session: Any, _request: Any, _type: Any, work: Any) -> Any:
        result = await work()
        await session.commit()
        return result

    service.perform_once = perform_anew


def _attempts() -> None:
    """Attempts are not counted when they begin: one that dies has never been."""
    from fastapi_architect.components.outbox import execution

    original = execution.Runtime._perform  # noqa: SLF001 - what is taken out is inside

    def perform(self: Any, attempt: Any, retries: Any, work: Any) -> Any:
        return original(self, attempt, dataclasses.replace(retries, attempts=10_000), work)

    execution.Runtime._perform = perform  # noqa: SLF001


def _constraint() -> None:
    """Nothing: `constraint` is taken out of the database by the run itself."""


DEFENCES: dict[str, Callable[[], None]] = {
    "fencing": _fencing,
    "takeover": _takeover,
    "reaper": _reaper,
    "republish": _republish,
    "idempotency": _idempotency,
    "attempts": _attempts,
    "constraint": _constraint,
}
#: Faults that a defence is against: a short run without it makes these alone.
FAULTS: dict[str, tuple[str, ...]] = {
    "fencing": ("freeze-busy-child", "freeze-worker"),
    "takeover": ("kill-busy-child", "kill-worker-tree"),
    "reaper": ("kill-busy-child",),
    "republish": ("crash-redis", "flush-redis", "kill-relay"),
    "idempotency": ("kill-api", "kill-child"),
    "attempts": ("kill-child",),
    "constraint": ("kill-child",),
}
#: Archives that a run without a defence begins with: those that it shows at.
ARCHIVES: dict[str, tuple[str, ...]] = {
    "fencing": ("services-3", "services-6", "services-3", "services-6"),
    "reaper": ("vanishing", "poison"),
    "attempts": ("poison", "poison"),
}
#: Said to the database of a run without the unique constraint.
DROP_CONSTRAINT = "ALTER TABLE scans DROP CONSTRAINT uq_scans_upload_id"


def main() -> int:
    """Take out the defence, and be `architect`."""
    name = sys.argv.pop(1)
    DEFENCES[name]()
    from fastapi_architect.__main__ import main as architect

    return architect(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
