"""Which limits hold for which path."""

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from starlette.routing import compile_path
from starlette.types import Scope

from ..service import RequestLimit, local_path


@runtime_checkable
class OwnLimits(Protocol):
    """A component some of whose paths need other limits: uploads are larger and take longer."""

    #: By template of the path: `/api/v1/uploads/{upload_id}`.
    request_limits: Mapping[str, RequestLimit]


class Budget:
    """The limits of a service.

    Args:
        default: for every path.
        by_path: for single templates of paths. The first one that fits counts.
    """

    def __init__(self, default: RequestLimit, by_path: Mapping[str, RequestLimit]) -> None:
        self._default = default
        self._by_path: list[tuple[re.Pattern[str], RequestLimit]] = [
            (compile_path(template)[0], limit) for template, limit in by_path.items()
        ]

    def of(self, scope: Scope) -> RequestLimit:
        """Return the limits of a request."""
        path = local_path(scope)
        for pattern, limit in self._by_path:
            if pattern.match(path):
                return RequestLimit(
                    limit.max_bytes or self._default.max_bytes, limit.seconds or self._default.seconds
                )
        return self._default
