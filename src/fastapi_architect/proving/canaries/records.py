"""Log records and warnings of the example."""

from __future__ import annotations

import logging
import warnings
from typing import Any

#: Loggers of the machinery underneath, which would drown the example's own.
_MACHINERY = ("asyncio", "httpx", "httpcore", "urllib3", "python_multipart", "aiosqlite", "multipart")


class Records:
    """Everything logged or warned about.

    Attributes:
        logs: log records, in order, of every level, by every logger of the example and its libraries.
        warnings: messages of warnings, as `Category: text`.
    """

    def __init__(self) -> None:
        self.logs: list[logging.LogRecord] = []
        self.warnings: list[str] = []

    @property
    def lines(self) -> list[str]:
        """Log records as `LEVEL logger message`, with the traceback where there is one."""
        formatter = logging.Formatter("%(levelname)s %(name)s %(message)s")
        return [formatter.format(record) for record in self.logs]

    def install(self) -> None:
        """Capture where every record passes.

        So that an example's own logging configuration changes nothing.
        """
        handle, mine = logging.Logger.handle, self

        def recorded(logger: logging.Logger, record: logging.LogRecord) -> None:
            if not record.name.startswith(_MACHINERY):
                mine.logs.append(record)
            handle(logger, record)

        logging.Logger.handle = recorded  # type: ignore[method-assign, assignment]
        logging.getLogger().setLevel(logging.DEBUG)

        def shown(message: Warning | str, category: type[Warning], *_place: Any, **_options: Any) -> None:
            mine.warnings.append(f"{category.__name__}: {message}")

        warnings.simplefilter("always")
        warnings.showwarning = shown
