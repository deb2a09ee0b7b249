"""What may be said about a call."""

from collections.abc import Mapping
from typing import Any, TypedDict


class CallOptions(TypedDict, total=False):
    """Keyword arguments of `request`, `get` and `post`."""

    #: Become the URL's query.
    params: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    #: The body, at most one of the three.
    content: bytes | None
    json: Any
    form: Mapping[str, str] | None
    #: Whether it may be sent again; None: if the method is idempotent. With `Idempotency-Key`, say True.
    retry: bool | None
    #: How many are followed; each is held to the same rules.
    redirects: int
    #: Seconds for everything; None: as the settings say.
    timeout: float | None
