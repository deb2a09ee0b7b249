"""Leads engines of other databases to one that is here, so that examples may say `postgresql+asyncpg://...`.

The default is an SQLite file in the proof's folder; a demonstration may choose another address, such as a
real PostgreSQL server's. Engines for SQLite are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SQLITE_LEVELS = (None, "SERIALIZABLE", "READ UNCOMMITTED", "AUTOCOMMIT")
#: Options of create_engine that other drivers understand and SQLite's refuse.
_FOREIGN = ("client_encoding", "executemany_mode", "use_native_hstore", "server_side_cursors")


@dataclass(frozen=True, slots=True)
class MadeEngine:
    """An engine that the example created.

    Attributes:
        asked: the address it asked for, passwords included.
        options: keyword arguments, before anything was changed.
    """

    asked: str
    options: dict[str, Any]


class Engines:
    """Leads new engines elsewhere.

    Attributes:
        made: engines created, in order.
        target: where engines of other databases than SQLite are led.
    """

    def __init__(self, folder: Path) -> None:
        self.made: list[MadeEngine] = []
        self.target = f"sqlite:///{folder / 'database.sqlite'}"

    def install(self) -> None:
        """Step in where SQLAlchemy has parsed an address and not yet chosen a dialect."""
        from sqlalchemy.engine.url import URL, make_url

        original = URL._instantiate_plugins  # noqa: SLF001 - the one place that sync and async engines pass

        def led(url: URL, kwargs: Any) -> tuple[URL, list[Any], dict[str, Any]]:
            asked, plugins, options = original(url, kwargs)
            self.made.append(MadeEngine(asked.render_as_string(hide_password=False), dict(options)))
            target = make_url(self.target)
            if asked.get_backend_name() == "sqlite" or asked.database == target.database:
                return asked, plugins, options
            options.pop("connect_args", None)
            if target.get_backend_name() != "sqlite":
                return target, plugins, options
            if options.get("isolation_level") not in _SQLITE_LEVELS:
                options.pop("isolation_level")
            options = {key: value for key, value in options.items() if key not in _FOREIGN}
            is_async = bool(options.get("_is_async"))
            return target.set(drivername="sqlite+aiosqlite" if is_async else "sqlite"), plugins, options

        URL._instantiate_plugins = led  # type: ignore[method-assign, assignment] # noqa: SLF001
