"""Waiting for a scan: asked often at first and rarely later, and told what happens in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi_architect.client.answers import Event, Scan
from fastapi_architect.client.errors import ServerFailed
from fastapi_architect.client.secapi import SecApi

#: Seconds between two questions: at first, at most, and after news.
_FIRST, _LONGEST, _AFTER_NEWS = 0.3, 5.0, 1.0


def ended(server: SecApi, scan: Scan, seconds: float, tell: Callable[[Event], None]) -> Scan:
    """Return a scan once it has ended.

    Args:
        server: where it runs.
        scan: as it stands.
        seconds: for which is waited at most.
        tell: given each event, once and in order.

    Raises:
        ServerFailed: it has not ended by then, or the server went away.
    """
    deadline = time.monotonic() + seconds
    pause, cursor = _FIRST, 0
    while not scan.has_ended:
        left = deadline - time.monotonic()
        if left <= 0:
            message = (
                f"the scan {scan.id} is still {scan.state} after {seconds:g} s, and goes on; run the same command again to wait for "
                "it, or wait longer with --timeout"
            )
            raise ServerFailed(message)
        time.sleep(min(pause, left))
        events = server.events(scan.id, cursor)
        for each in events:
            tell(each)
            cursor = each.id
        pause = _AFTER_NEWS if events else min(_LONGEST, 1.6 * pause)
        scan = server.scan(scan.id)
    return scan
