"""What browsers and networks may do with the API: headers, HTTPS, CORS, names of hosts."""

from .component import HttpSecurity
from .settings import HttpSecuritySettings

__all__ = ["HttpSecurity", "HttpSecuritySettings"]
