"""Versions of an API by path, header or media type, with an announced end."""

from .component import ApiVersioning
from .versions import ApiVersion

__all__ = ["ApiVersion", "ApiVersioning"]
