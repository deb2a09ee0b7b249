"""The versions of an API, and what a caller may ask for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from pydantic import JsonValue
from starlette.datastructures import Headers

from ..problem_details import BadRequest, NotFound, ServiceError

HEADER = "API-Version"
_NUMBER = re.compile(r"[0-9]{1,4}")
#: An Accept header longer than this is no negotiation.
LONGEST_ACCEPT = 2048


class NotAcceptable(ServiceError):
    """No version has the media type that was asked for."""

    status = HTTPStatus.NOT_ACCEPTABLE


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """One version.

    Attributes:
        name: a number, as in `/api/v2`.
        deprecated_at: from when on callers should use another one; it may lie in the future.
        sunset_at: from when on it is not served any more.
        guide: a page that says how to change over.
    """

    name: str
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    guide: str | None = None

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.name):
            raise ValueError(f"the version {self.name!r} is no number such as 2")
        dates = [date for date in (self.deprecated_at, self.sunset_at) if date is not None]
        if any(date.tzinfo is None for date in dates):
            raise ValueError(
                f"version {self.name}: dates need a time zone, such as datetime(2027, 1, 1, tzinfo=UTC)"
            )
        if self.sunset_at is not None and (self.deprecated_at is None or self.sunset_at < self.deprecated_at):
            # RFC 9745, section 4.
            raise ValueError(f"version {self.name}: the sunset comes after the deprecation")

    def headers(self) -> dict[str, str]:
        """Return what its answers say about its end: RFC 9745 and RFC 8594."""
        headers = {HEADER: self.name}
        if self.deprecated_at is None:
            return headers
        headers["Deprecation"] = f"@{int(self.deprecated_at.timestamp())}"
        if self.sunset_at is not None:
            headers["Sunset"] = format_datetime(self.sunset_at.astimezone(UTC), usegmt=True)
        return headers

    def links(self, successor: str) -> str | None:
        """Return the links of an answer of a version that ends.

        Args:
            successor: where the same thing is in the newest version.
        """
        if self.deprecated_at is None:
            return None
        links = [f'<{successor}>; rel="successor-version"']
        if self.guide is not None:
            links.append(f'<{self.guide}>; rel="deprecation"; type="text/html"')
        return ", ".join(links)


class Versions:
    """All versions, oldest first, and how they are asked for.

    Args:
        versions: in the order of their publication.
        prefix: of the paths of the API.
        vendor: of its media types, as in `application/vnd.<vendor>.v2+json`.
        default: the version of requests that name none; None: such paths are served as they are.
    """

    def __init__(self, versions: Sequence[ApiVersion], prefix: str, vendor: str, default: str | None) -> None:
        self._by_name = {version.name: version for version in versions}
        if not versions or len(self._by_name) != len(versions):
            raise ValueError("name every version of the API, and each once")
        if default is not None and default not in self._by_name:
            raise ValueError(f"the default, {default}, is none of the versions {', '.join(self._by_name)}")
        self.newest = versions[-1]
        self.default = default
        self.prefix = prefix
        self._path = re.compile(rf"{re.escape(prefix)}/v([0-9]+)(/.*)?", re.DOTALL)
        self._media_type = re.compile(rf"(?i)application/vnd\.{re.escape(vendor)}\.v([0-9]{{1,4}})\+json")

    def of_documented(self, path: str) -> ApiVersion | None:
        """Return the version of a path of the documentation, or None: it has none."""
        named = self.split(path)
        return self._by_name.get(named[0]) if named else None

    def is_below_prefix(self, path: str) -> bool:
        """Tell whether the path belongs to the API."""
        return path.startswith(f"{self.prefix}/")

    def split(self, path: str) -> tuple[str, str] | None:
        """Return the version that a path names and what comes after it."""
        match = self._path.fullmatch(path)
        return (match[1], match[2] or "") if match else None

    def path(self, version: ApiVersion, rest: str) -> str:
        """Return the path of something in a version."""
        return f"{self.prefix}/v{version.name}{rest}"

    def of_path(self, name: str) -> ApiVersion:
        """Return the version that a path names.

        Raises:
            NotFound: there is no such version.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise NotFound(self._no_such(name), extensions=self._known()) from None

    def asked_for(self, headers: Headers) -> ApiVersion | None:
        """Return the version that the headers name, or None: they name none.

        Raises:
            BadRequest: there is no such version, or they name two.
            NotAcceptable: the media type belongs to no version.
        """
        by_header = self._by_header(headers)
        by_media_type = self._by_media_type(headers)
        if by_header is not None and by_media_type is not None and by_header != by_media_type:
            raise BadRequest(f"{HEADER} and Accept name different versions.", extensions=self._known())
        return by_header or by_media_type

    def media_type(self, headers: Headers) -> str | None:
        """Return the media type of ours that was asked for."""
        match = self._media_type.search(headers.get("accept", "")[:LONGEST_ACCEPT])
        return match[0].lower() if match else None

    def _by_header(self, headers: Headers) -> ApiVersion | None:
        named = headers.getlist(HEADER)
        if not named:
            return None
        if len(named) > 1 or named[0] not in self._by_name:
            raise BadRequest(self._no_such(named[0]), extensions=self._known())
        return self._by_name[named[0]]

    def _by_media_type(self, headers: Headers) -> ApiVersion | None:
        named = self._media_type.findall(headers.get("accept", "")[:LONGEST_ACCEPT])
        if not named:
            return None
        known = [name for name in named if name in self._by_name]
        if not known:
            raise NotAcceptable(self._no_such(named[0]), extensions=self._known())
        return self._by_name[known[0]]

    def _no_such(self, name: str) -> str:
        # Repeated only if it is a number: whatever else it may be, it is the caller's text.
        return (
            f"There is no version {name} of this API."
            if _NUMBER.fullmatch(name)
            else "A version is a number such as 1."
        )

    def _known(self) -> dict[str, JsonValue]:
        return {"versions": list(self._by_name)}
