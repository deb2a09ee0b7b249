"""How large a body may be, how slowly it may come, and how long a request may take."""

from .component import RequestLimits, RequestLimitSettings
from .limits import Limit, OwnLimits

__all__ = ["Limit", "OwnLimits", "RequestLimitSettings", "RequestLimits"]
