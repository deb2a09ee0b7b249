"""Does a request come from a page of another site? A cookie travels with it all the same."""

import secrets
from collections.abc import Sequence

from fastapi.requests import HTTPConnection

from ..problem_details import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"


def refuse_foreign_page(connection: HTTPConnection, origins: Sequence[str]) -> None:
    """Refuse what the page of another site sends, going by headers that no page can choose.

    Args:
        connection: the request. One without these headers does not come from a browser.
        origins: pages that may, besides the own ones.

    Raises:
        Forbidden: it does.
    """
    origin = connection.headers.get("origin")
    if origin is not None:
        if origin not in origins and origin != _own_origin(connection):
            raise Forbidden("This page may not do that.")
    elif connection.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Forbidden("This page may not do that.")


def require_csrf_token(connection: HTTPConnection, token: str) -> None:
    """Refuse a change whose page was never told the session's token.

    Raises:
        Forbidden: the header is missing or wrong.
    """
    sent = connection.headers.get(CSRF_HEADER, "")
    if not secrets.compare_digest(sent.encode(), token.encode()):
        raise Forbidden(f"Send the session's token in {CSRF_HEADER}; GET /browser-session tells it.")


def _own_origin(connection: HTTPConnection) -> str:
    # The host was checked against the list of trusted ones, and the scheme is what a trusted proxy said.
    return f"{connection.url.scheme}://{connection.url.netloc}"
