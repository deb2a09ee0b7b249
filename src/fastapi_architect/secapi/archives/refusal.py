"""Why an archive is not taken. The code is stable, the sentence is for its sender."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Codes of refused archives; never renamed, as clients and stored scans hold them."""

    UPLOAD_TOO_LARGE = "archive-upload-too-large"
    NOT_AN_ARCHIVE = "archive-not-recognised"
    UNSUPPORTED_FORMAT = "archive-format-unsupported"
    ENCRYPTED = "archive-encrypted"
    TRUNCATED = "archive-truncated"
    CORRUPT = "archive-corrupt"
    HEADER_MISMATCH = "archive-headers-contradict"
    OVERLAPPING = "archive-members-overlap"
    TOO_MANY_MEMBERS = "archive-too-many-members"
    TOO_LARGE = "archive-too-large"
    COMPRESSION_RATIO = "archive-decompression-bomb"
    TOOK_TOO_LONG = "archive-took-too-long"


class ArchiveRefused(Exception):
    """The archive is not taken; sending the same one again ends alike.

    Attributes:
        code: which limit or form it breaks.
        message: what that means and what to send instead.
    """

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NoRoom(Exception):
    """The disk of this machine is full: not the archive's fault, so that a later attempt may succeed."""


class UnpackingCancelled(Exception):
    """Nobody wants the result any more."""
