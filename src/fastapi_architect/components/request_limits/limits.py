"""Which limits hold for which path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from starlette.routing import compile_path
from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Limit:
    """What one request may cost. What is left out is as for all others."""

    max_bytes: int | None = None
    #: From its first byte until the answer begins.
    seconds: float | None = None


@runtime_checkable
class OwnLimits(Protocol):
    """A component some of whose paths need other limits: uploads are larger and take longer."""

    #: By template of the path: `/api/v1/uploads/{upload_id}`.
    request_limits: Mapping[str, Limit]


class Budget:
    """The limits of a service.

    Args:
        default: for every path.
        by_path: for single templates of paths. The first one that fits counts.
    """

    def __init__(self, default: Limit, by_path: Mapping[str, Limit]) -> None:
        self._default = default
        self._by_path: list[tuple[re.Pattern[str], Limit]] = [
            (compile_path(template)[0], limit) for template, limit in by_path.items()
        ]

    def of(self, scope: Scope) -> Limit:
        """Return the limits of a request."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for pattern, limit in self._by_path:
            if pattern.match(path):
                return Limit(
                    limit.max_bytes or self._default.max_bytes, limit.seconds or self._default.seconds
                )
        return self._default
