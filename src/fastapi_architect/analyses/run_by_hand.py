"""Which code is run by hand, or once: migrations, seeds, scripts, commands?"""

from __future__ import annotations

from fastapi_architect.program.definitions import Scope
from fastapi_architect.source.lazy_pattern import lazy_pattern

_PLACES = lazy_pattern(
    r"(^|/)(migrations?|alembic|scripts?|seed(s|ers?)?|fixes|commands?|cli|fixtures)(/|\.py$|_)"
)


def is_run_by_hand(scope: Scope) -> bool:
    """The path of its file says so."""
    return _PLACES.search(scope.module.path) is not None
