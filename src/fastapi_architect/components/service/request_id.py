"""The identifier of the request being served, for logs, problems and messages to workers."""

from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """Return the identifier of the request being served, or "-" outside of one."""
    return _request_id.get()


def bind_request_id(request_id: str) -> None:
    """Give the present context its request identifier; every request has a context of its own."""
    _request_id.set(request_id)
