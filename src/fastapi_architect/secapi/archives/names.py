"""Names of members as labels. No name ever becomes a place on the disk, so all that is asked is whether people can read it."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from fastapi_architect.secapi.archives.limits import ArchiveLimits
from fastapi_architect.source.tree import printable

_DRIVE = re.compile(r"[A-Za-z]:")
#: Control characters, marks that reorder or hide text, half characters, and line separators.
_UNREADABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHOWN = 200
#: What is not opened; its own name is all that a review would learn from it.
_ARCHIVES = (
    ".7z", ".bz2", ".egg", ".gz", ".jar", ".rar", ".tar", ".tbz", ".tbz2", ".tgz", ".txz", ".war", ".whl", ".xz", ".zip", ".zst",
)  # fmt: skip


class Label(msgspec.Struct, frozen=True):
    """The name of a member.

    Attributes:
        path: relative, with forward slashes; shortened and escaped where `problem` says why it is not used.
        problem: why the member is skipped, None when it is not.
    """

    path: str
    problem: str | None = None


def label_of(name: str, limits: ArchiveLimits, *, backslashes: bool = False) -> Label:
    """What a member is called in the tree.

    Args:
        name: as the archive writes it; bytes that are not UTF-8 as lone surrogates.
        limits: of depth and length.
        backslashes: they separate folders, as in zip files that some tools of Windows write.
    """
    problem, path = _judged(name.replace("\\", "/") if backslashes else name, limits)
    if problem is None:
        return Label(path)
    shown = printable(name[:_SHOWN].encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"))
    return Label(shown + ("…" if len(name) > _SHOWN else ""), problem)


def is_archive(path: str) -> bool:
    """Whether the name is that of an archive or of a compressed file."""
    return path.lower().endswith(_ARCHIVES)


def _judged(name: str, limits: ArchiveLimits) -> tuple[str | None, str]:
    if len(name.encode("utf-8", "surrogatepass")) > limits.name_bytes:
        return f"its name is longer than {limits.name_bytes} bytes", ""
    if "\0" in name:
        return "a NUL byte in its name", ""
    categories = {unicodedata.category(character) for character in name}
    if "Cs" in categories:
        return "its name is not UTF-8", ""
    if categories & _UNREADABLE:
        return "invisible or control characters in its name", ""
    if name.startswith("/") or _DRIVE.match(name):
        return "an absolute path", ""
    if "\\" in name:
        return "a backslash in its name", ""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if any(part == ".." for part in parts):
        return "a path that leads out of the archive", ""
    if any(_reads_as_dots(part) for part in parts):
        return "a name that reads like `..`", ""
    if len(parts) > limits.depth:
        return f"deeper than {limits.depth} folders", ""
    return (None, "/".join(parts)) if parts else ("an empty name", "")


def _reads_as_dots(part: str) -> bool:
    plain = unicodedata.normalize("NFKC", part).strip()
    return plain in {".", ".."} or "/" in plain
