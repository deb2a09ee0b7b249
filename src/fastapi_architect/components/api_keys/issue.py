"""Keys made on the command line: a service without accounts needs a first one."""

from datetime import timedelta

from ..database import Database
from .repository import ApiKeyRepository
from .service import NewKey, make_key
from .settings import ApiKeySettings


async def add_service_key(
    database: Database, settings: ApiKeySettings, wanted: NewKey, *, once: bool = False
) -> str | None:
    """Store a key of a service, and return its text, which nobody can find out again.

    Args:
        database: where the keys are.
        settings: API_KEY_*.
        wanted: what the key is to be.
        once: make none, and return None, when there is a good one of that name.
    """
    async with database.sessions.begin() as session:
        keys = ApiKeyRepository(session)
        if once and await keys.service_key_exists(wanted.name):
            return None
        key, text = make_key(settings.prefix, wanted, creator=None)
        await keys.add(key)
        return text


def service_key(name: str, scopes: list[str], days: int) -> NewKey:
    """Return what is wanted, as the command line says it."""
    return NewKey(name, frozenset(scopes), timedelta(days=days), for_service=True)
