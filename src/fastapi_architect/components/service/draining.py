"""Whether the process is about to end: readiness says no, and whatever is under way may finish."""

from fastapi import FastAPI


def begin_draining(app: FastAPI) -> None:
    """Note that the process should get no new work."""
    app.state.draining = True


def is_draining(app: FastAPI) -> bool:
    """Tell whether the process is about to end."""
    return getattr(app.state, "draining", False) is True
