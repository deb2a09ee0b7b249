"""File names: what a client calls a file is shown to people and is never a path."""

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

MAX_LENGTH = 200


def display_name(given: str) -> str:
    """Return the name without folders and without characters that do not print.

    Direction marks go, too: with one of them `exe.gpj` reads as `jpg.exe` from the right.
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    printable = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character)[0] != "C"
    ).strip(" .")
    path = PurePosixPath(printable)
    # `.tar.gz` is one ending: a name that is cut keeps it whole.
    suffix = "".join(path.suffixes[-2:] if path.suffixes[-2:-1] == [".tar"] else path.suffixes[-1:])[:20]
    return f"{printable.removesuffix(suffix)[: MAX_LENGTH - len(suffix)]}{suffix}" if printable else "file"


def content_disposition(name: str) -> str:
    """Return the header that makes browsers save the file under this name (RFC 6266), and never show it."""
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\%' else "_"
        for character in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
