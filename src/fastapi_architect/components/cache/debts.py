"""Deletions that a storage could not take, because it was gone."""

import logging
from collections.abc import Sequence

from .storage import CacheStorage, CacheUnavailable

logger = logging.getLogger(__name__)

#: More are given up, and said in the log: their values live until they expire.
_MOST = 10_000


class Debts:
    """Remembers deletions and delivers them before anything else is asked.

    Without it a value that changed during an outage would be given again after it, until it expires. A process that
    ends before the storage is back takes its debts with it.
    """

    def __init__(self, storage: CacheStorage) -> None:
        self._storage = storage
        self._names: dict[str, None] = {}
        self._groups: dict[str, None] = {}

    def owe(self, names: Sequence[str], groups: Sequence[str]) -> None:
        """Remember deletions."""
        if len(self._names) + len(self._groups) >= _MOST:
            logger.error("deletions are given up: values that changed are given until they expire")
            return
        self._names.update(dict.fromkeys(names))
        self._groups.update(dict.fromkeys(groups))

    async def pay(self) -> None:
        """Deliver what is owed.

        Raises:
            CacheUnavailable: the storage is still gone.
        """
        if not self._names and not self._groups:
            return
        # Taken away before anything is awaited, so that what becomes owed meanwhile is not lost.
        names, groups = self._names, self._groups
        self._names, self._groups = {}, {}
        try:
            await self._storage.delete(list(names), list(groups))
        except CacheUnavailable:
            self._names = names | self._names
            self._groups = groups | self._groups
            raise
