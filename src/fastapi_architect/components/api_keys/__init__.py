"""Keys for programs: shown once, stored as a hash, limited in what they may do and for how long."""

from .component import ApiKeys
from .issue import add_service_key
from .models import ApiKey
from .service import ApiKeyService, NewKey
from .settings import ApiKeySettings

__all__ = ["ApiKey", "ApiKeyService", "ApiKeySettings", "ApiKeys", "NewKey", "add_service_key"]
