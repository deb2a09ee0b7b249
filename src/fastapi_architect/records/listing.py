"""The records that are there, this tool's and other ones'."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.numbering import Numbered, numbered
from fastapi_architect.records.place import Folder
from fastapi_architect.report.wording import printable
from fastapi_architect.source.lazy_pattern import lazy_pattern

_LONGEST_TITLE = 120
#: Of another one's record, no more than its head is read.
_HEAD = 64 * 1024
_LONGEST_PAGE = 1024 * 1024

_HEADING = lazy_pattern(r"^#\s+(?P<title>.+?)\s*#*\s*$", re.MULTILINE)
_UNDERLINED = lazy_pattern(r"^(?P<title>\S.*)\n={3,}\s*$", re.MULTILINE)
_NUMBER = lazy_pattern(r"^(?:ADR|Decision)?[-_ ]*\d+\s*[.:)–—-]+\s*", re.IGNORECASE)
_STATUS = (
    lazy_pattern(
        r"^\s*(?:[*+-]\s+)?\**status\**\s*:\**\s*(?P<status>\S.*?)\s*$", re.IGNORECASE | re.MULTILINE
    ),
    lazy_pattern(r"^#+\s+status\s*#*\s*\n+\s*(?P<status>\S.*?)\s*$", re.IGNORECASE | re.MULTILINE),
)


class Listed(msgspec.Struct, frozen=True):
    """A record that is there: its number (0 in a folder that is kept by dates), title and status as it says them."""

    number: int
    name: str
    title: str
    status: str


def listed(folder: Folder) -> list[Listed]:
    """The records of a folder, in order; those of other tools are read as far as they say a title and a status."""
    return [_listed(folder, each.number, each.name) for each in _files(folder)]


def found(folder: Folder, wanted: str) -> Path:
    """The file of a record, by its number or a part of its name.

    Raises:
        RecordError: there is none, or there are several.
    """
    files = _files(folder)
    plain = wanted.strip()
    if plain.isdecimal() and (same := [each for each in files if each.number and each.number == int(plain)]):
        matching = same
    else:
        matching = [each for each in files if plain and plain.lower() in each.name.lower()]
    if len(matching) == 1:
        return folder.path / matching[0].name
    if not matching:
        message = f"there is no record {wanted!r} in {folder.shown}; the list shows those that are there"
        raise RecordError(message)
    message = f"{wanted!r} may be {', '.join(each.name for each in matching[:5])}; say more of its name"
    raise RecordError(message)


def read_page(file: Path) -> str:
    """A record's text, with control signs made visible: others may have written it.

    Raises:
        RecordError: it cannot be read.
    """
    return printable(_read(file, _LONGEST_PAGE))


def _files(folder: Folder) -> list[Numbered]:
    if not folder.path.is_dir():
        return []
    try:
        # A link may lead anywhere: it is no record.
        names = [each.name for each in folder.path.iterdir() if each.is_file() and not each.is_symlink()]
    except OSError as error:
        message = f"{folder.path} cannot be read: {(error.strerror or str(error)).lower()}; make it readable"
        raise RecordError(message) from error
    return numbered(names)


def _listed(folder: Folder, number: int, name: str) -> Listed:
    text = _read(folder.path / name, _HEAD)
    heading = _HEADING.search(text) or _UNDERLINED.search(text)
    title = _NUMBER.sub("", heading["title"]) if heading else name
    status = next((match["status"] for pattern in _STATUS if (match := pattern.search(text))), "")
    return Listed(number, name, printable(title)[:_LONGEST_TITLE], printable(status.strip("*_ "))[:60])


def _read(file: Path, most: int) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(most).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    except OSError as error:
        message = f"{file} cannot be read: {(error.strerror or str(error)).lower()}; make it readable"
        raise RecordError(message) from error
