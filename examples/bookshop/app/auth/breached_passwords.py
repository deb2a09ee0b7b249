"""Asks whether a password is known from a breach, without telling it to anybody."""

import hashlib
import logging
from urllib.parse import quote

import httpx

logger = logging.getLogger(__name__)


class BreachedPasswords:
    """A search by range: five digits of a hash go out, and all hashes that begin so come back."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def contains(self, password: str) -> bool:
        """Say whether the password is known; False when the service cannot tell, which must stop nobody."""
        # The service indexes by SHA-1; nothing is stored or verified with it.
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            response = await self._client.get(f"/range/{quote(digest[:5], safe='')}")
            response.raise_for_status()
        except httpx.HTTPError:
            logger.warning("breached passwords cannot be checked", exc_info=True)
            return False
        return any(line.split(":", 1)[0] == digest[5:] for line in response.text.splitlines())
