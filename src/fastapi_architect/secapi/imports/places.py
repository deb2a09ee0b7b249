"""Which file of the repository an address means. It is only shown and compared: nothing is ever opened under it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from fastapi_architect.secapi.imports.document import PATH
from fastapi_architect.secapi.imports.log import Artifact, ArtifactLocation
from fastapi_architect.secapi.imports.texts import naming

#: What is said of a result that names no file.
NOWHERE = "."
_FILE = re.compile(r"file:(?://[^/]*)?(?=/)", re.IGNORECASE)
_DRIVE = re.compile(r"/?[A-Za-z]:[\\/]")
#: Bases that lie in each other; one that lies in itself is not followed for ever.
_BASES = 10


class Places:
    """Turns the addresses of one run into paths from the top of the repository.

    Args:
        bases: `originalUriBaseIds` of the run.
        artifacts: of the run.
        checkout: address or path of the folder in which the tool found the repository, "" where nobody says it.
    """

    def __init__(
        self,
        bases: Mapping[str, ArtifactLocation] | None,
        artifacts: Sequence[Artifact] | None,
        checkout: str = "",
    ) -> None:
        self._bases = bases or {}
        self._artifacts = artifacts or ()
        self._checkout = _plain(checkout).rstrip("/")

    def path(self, location: ArtifactLocation | None) -> str:
        """The path of a file."""
        found = self._stated(location)
        if found is None or not found.uri:
            return NOWHERE
        base, path = self._base(found.uri_base_id), _plain(found.uri)
        whole = path if path.startswith("/") else f"{base}/{path}" if base else path
        if whole.startswith("/"):
            whole = self._within(whole, base)
        return naming(posixpath.normpath(whole), PATH)

    def _within(self, path: str, base: str) -> str:
        """A path of another machine, without what only that machine has."""
        for folder in (self._checkout, base.rstrip("/"), *self._roots()):
            if folder and path.startswith(f"{folder}/"):
                return path[len(folder) + 1 :]
        return path

    def _roots(self) -> list[str]:
        """Folders that the run calls its bases, the innermost first."""
        found = (self._base(name).rstrip("/") for name in self._bases)
        return sorted((each for each in found if each.startswith("/")), key=len, reverse=True)

    def _stated(self, location: ArtifactLocation | None) -> ArtifactLocation | None:
        if location is None or location.uri is not None or location.index is None:
            return location
        if not 0 <= location.index < len(self._artifacts):
            return None
        return self._artifacts[location.index].location

    def _base(self, name: str | None) -> str:
        """What a base stands for, the bases that it lies in before it; "" for the top of the repository."""
        path = ""
        for _ in range(_BASES):
            base = None if name is None else self._bases.get(name)
            if base is None:
                break
            path = posixpath.join(_plain(base.uri or ""), path).rstrip("/")
            if path.startswith("/"):
                break
            name = base.uri_base_id
        return path


def _plain(address: str) -> str:
    """An address as a path with slashes."""
    if (scheme := _FILE.match(address)) is not None:
        address = unquote(address[scheme.end() :], errors="replace")
    elif not _DRIVE.match(address):
        address = unquote(address, errors="replace")
    address = address.replace("\\", "/")
    # The drive of a Windows machine: `/C:/repo` and `C:/repo` are one folder.
    return f"/{address}" if _DRIVE.match(address) and not address.startswith("/") else address
