"""What was asked for."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        names: of components.
        application: which one, as "file:name", where there are several.
        migrations: folder of the migrations, where there are several.
        tests: copy tests, too; None: where the project has our test servers.
        beside: add it although the project has something of the kind.
        now: for names of migrations.
    """

    names: tuple[str, ...]
    application: str | None = None
    migrations: str | None = None
    tests: bool | None = None
    beside: bool = False
    now: datetime
