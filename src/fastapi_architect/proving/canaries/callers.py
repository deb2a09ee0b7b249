"""Who called? A canary counts what the example does, not what the framework does underneath."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import FrameType

_FRAMEWORK = ("/starlette/", "/fastapi/", "/anyio/", "/uvicorn/", "/fastapi_architect/proving/")


def on_event_loop() -> bool:
    """Whether this thread is running an event loop right now."""
    return asyncio._get_running_loop() is not None  # noqa: SLF001 - the public function raises instead of answering


def called_by_example(root: Path, depth: int = 2) -> bool:
    """Whether the nearest frame that is either the example's or the framework's is the example's.

    Args:
        root: the example's folder.
        depth: frames to skip: the canary's own.
    """
    prefix = f"{root}/"
    frame: FrameType | None = sys._getframe(depth)  # noqa: SLF001 - inspect.stack() reads source files, which is what is counted here
    while frame is not None:
        name = frame.f_code.co_filename.replace("\\", "/")
        if name.startswith(prefix):
            return True
        if any(part in name for part in _FRAMEWORK) and "/fastapi_architect/proving/canaries/" not in name:
            return False
        frame = frame.f_back
    return False
