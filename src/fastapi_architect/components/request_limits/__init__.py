"""How large a body may be, how slowly it may come, and how long a request may take."""

from .component import RequestLimits, RequestLimitSettings
from .limits import OwnLimits

__all__ = ["OwnLimits", "RequestLimitSettings", "RequestLimits"]
