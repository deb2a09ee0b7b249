"""Covers from the sites of publishers."""

import requests

from app.core.config import settings


def fetch(url: str) -> bytes:
    """The picture behind an address.

    Raises:
        requests.RequestException: if there is none.
    """
    response = requests.get(url, timeout=settings.http_timeout_seconds, allow_redirects=False)  # finding: ssrf-user-controlled-url
    response.raise_for_status()
    return response.content
