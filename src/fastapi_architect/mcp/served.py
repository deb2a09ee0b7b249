"""What a server serves."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.mcp.workers import Workers


@dataclass
class Served:
    """One folder, and what may be done in it.

    Attributes:
        workers: they answer.
        writes: files may be changed, where that is asked for.
        tests: the project's own tests may be run.
        last_review: the last answer of `review`, JSON; None: there was none.
    """

    workers: Workers
    writes: bool = False
    tests: bool = False
    last_review: str | None = None
