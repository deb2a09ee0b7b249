"""A real uvicorn in a thread, for tests where the network's behaviour matters."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from .servers import ADDRESS


@contextmanager
def serving(app: Any, *, certificate: Path | None = None, **options: Any) -> Iterator[str]:
    """Serve an application with its lifespan on a port of its own, and yield its URL.

    Args:
        app: any ASGI application.
        certificate: a file with a key and a certificate, for TLS.
        options: for `uvicorn.Config`.
    """
    chosen: dict[str, Any] = {"host": ADDRESS, "port": 0, "log_level": "error", "ssl_certfile": certificate}
    config = uvicorn.Config(app, **(chosen | options))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 15
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the application does not start; its log says why")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"{'https' if certificate else 'http'}://{ADDRESS}:{port}"
    finally:
        server.should_exit = True
        thread.join(15)
