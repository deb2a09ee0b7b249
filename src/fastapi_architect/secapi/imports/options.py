"""What whoever submits a file says about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ImportKind(StrEnum):
    """What a file claims to be."""

    SARIF = "sarif"
    REPORT = "report"


class ImportOptions(msgspec.Struct, frozen=True):
    """What a submission says besides its file.

    Attributes:
        root: folder of the repository that paths begin at, "" for its top.
        checkout: address or path of the repository on the machine where the tool ran, "" where its addresses are relative.
    """

    root: str = ""
    checkout: str = ""
