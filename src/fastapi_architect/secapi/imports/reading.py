"""The text of an imported file as values: counted while it is inflated, and nothing taken that JSON is not.

Traps
-----
* Half of a surrogate pair is valid JSON, and no text: Python programs write one for each byte of a name that is no UTF-8.
* A name that stands twice in an object counts as it stands last. Whoever could write it twice could write it once.
* PowerShell writes UTF-16, and .NET a byte order mark.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from fastapi_architect.secapi.archives import inflating
from fastapi_architect.secapi.archives.limits import Account, ArchiveLimits
from fastapi_architect.secapi.archives.refusal import ArchiveRefused
from fastapi_architect.secapi.archives.refusal import Refusal as ArchiveRefusal
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused, Refusal
from fastapi_architect.source.tree import readable_size

_T = TypeVar("_T")

_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: Whole pairs and other escapes are passed over, so that what is left of `\\ud8..` and `\\udc..` is half of a pair.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def text_of(file: Path, limits: ImportLimits) -> bytes:
    """The JSON text of a file, taken out of gzip where it is in it.

    Raises:
        ImportRefused: it is too large, or damaged.
    """
    size = file.stat().st_size
    if size > limits.sent_bytes:
        raise ImportRefused(
            Refusal.TOO_LARGE,
            f"The file has {readable_size(size)}, and {readable_size(limits.sent_bytes)} are the most. Send it compressed with "
            "gzip, or have the tool report less.",
        )
    account = Account(
        ArchiveLimits(
            upload_bytes=limits.sent_bytes,
            total_bytes=limits.total_bytes,
            ratio=limits.ratio,
            ratio_after=limits.ratio_after,
            seconds=limits.seconds,
        )
    )
    with file.open("rb") as opened:
        is_compressed = opened.read(len(_GZIP)) == _GZIP
        opened.seek(0)
        codec = inflating.gzip if is_compressed else inflating.Plain
        try:
            return inflating.Inflated(opened, codec, account).take(limits.total_bytes + 1)
        except ArchiveRefused as refusal:
            raise _refused(refusal, limits) from refusal


def decoded(data: bytes, kind: type[_T]) -> _T:
    """The values of a JSON text, as far as they are asked for.

    Args:
        data: the text.
        kind: what is asked for.

    Raises:
        ImportRefused: it is no JSON, or of another shape.
    """
    if data.startswith(_UTF16):
        raise ImportRefused(
            Refusal.NOT_JSON,
            "The file is UTF-16, and JSON is UTF-8. Write it with `Out-File -Encoding utf8`, or by the tool itself.",
        )
    data = data.removeprefix(_BOM)
    try:
        return _decoded(data, kind)
    except RecursionError as error:
        raise ImportRefused(
            Refusal.TOO_DEEP,
            "The JSON is nested more deeply than any tool writes it. Send the tool's own output.",
        ) from error
    except msgspec.ValidationError as error:
        raise ImportRefused(
            Refusal.WRONG_SHAPE,
            f"The JSON has another shape: {_short(error)}. Send the tool's own output, unchanged.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ImportRefused(
            Refusal.NOT_JSON,
            f"The file is no JSON: {_short(error)}. Send the file that the tool wrote, whole.",
        ) from error


def _decoded(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if rb"\ud" not in data and rb"\uD" not in data:
            raise
        return msgspec.json.decode(_ESCAPE.sub(_whole, data), type=kind)


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else rb"\ufffd"


def _refused(refusal: ArchiveRefused, limits: ImportLimits) -> ImportRefused:
    if refusal.code is ArchiveRefusal.TOO_LARGE:
        return ImportRefused(
            Refusal.TOO_LARGE,
            f"The file holds more than {readable_size(limits.total_bytes)} of text. Have the tool report less, or send its "
            "runs one by one.",
        )
    if refusal.code is ArchiveRefusal.COMPRESSION_RATIO:
        return ImportRefused(
            Refusal.COMPRESSION_RATIO,
            f"The file grows more than {limits.ratio} times when it is inflated, as a decompression bomb does. Send it "
            "without compression.",
        )
    return ImportRefused(Refusal.DAMAGED, "The compressed file is cut off or damaged. Send it once more.")


def _short(error: Exception) -> str:
    """What a parser says, without what it quotes of the file at length."""
    return str(error).replace("\0", "\ufffd")[:300].rstrip(".")
