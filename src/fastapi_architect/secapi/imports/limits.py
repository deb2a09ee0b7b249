"""How much of an imported file is taken, and why one is not taken."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ImportLimits(msgspec.Struct, frozen=True):
    """Limits of one file. A file beyond any of them is refused whole: nobody has to guess what is missing.

    The numbers of SARIF are those of GitHub code scanning, so that what is uploaded there is taken here.
    Source: docs.github.com, "SARIF results exceed one or more limits", column of maximum values.

    Attributes:
        sent_bytes: of the file as it is sent, compressed or not.
        total_bytes: of the text in it.
        ratio: bytes of text for one that was sent, once `ratio_after` bytes of it have been inflated.
        seconds: of wall clock.
        runs: in a file.
        results, rules, extensions: in a run; findings: in a report of ours.
        locations, flow_locations: of a result.
        tags: of a rule.
    """

    sent_bytes: int = 10_000_000
    total_bytes: int = 200_000_000
    ratio: int = 400
    ratio_after: int = 4_000_000
    seconds: float = 60.0

    runs: int = 20
    results: int = 25_000
    rules: int = 25_000
    extensions: int = 100
    findings: int = 25_000
    locations: int = 1_000
    flow_locations: int = 10_000
    tags: int = 20


class Refusal(StrEnum):
    """Codes of refused files; never renamed, as clients and stored scans hold them."""

    TOO_LARGE = "import-too-large"
    COMPRESSION_RATIO = "import-decompression-bomb"
    DAMAGED = "import-damaged"
    NOT_JSON = "import-not-json"
    TOO_DEEP = "import-nested-too-deeply"
    WRONG_SHAPE = "import-wrong-shape"
    NOT_SARIF = "import-not-sarif"
    SARIF_VERSION = "import-sarif-version"
    NO_RUNS = "import-no-runs"
    TOO_MANY_RUNS = "import-too-many-runs"
    TOO_MANY_RESULTS = "import-too-many-results"
    TOO_MANY_RULES = "import-too-many-rules"
    TOO_MANY_EXTENSIONS = "import-too-many-extensions"
    TOO_MANY_LOCATIONS = "import-too-many-locations"
    TOO_MANY_FLOW_LOCATIONS = "import-too-many-flow-locations"
    TOO_MANY_TAGS = "import-too-many-tags"
    NOT_A_REPORT = "import-not-a-report"
    REPORT_VERSION = "import-report-version"
    REPORT_PARTIAL = "import-report-partial"
    TOO_MUCH_READ = "import-too-much-read"
    #: Of the process that reads it.
    TOOK_TOO_LONG = "import-took-too-long"
    DIED = "import-died"
    RESULT_INVALID = "import-result-invalid"


class ImportRefused(Exception):
    """The file is not taken; sending the same one again ends alike.

    Attributes:
        code: which limit or form it breaks.
        message: what that means and what to send instead.
        errors: for the log of the service: it may quote the file.
    """

    def __init__(self, code: Refusal, message: str, errors: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = errors


def at_most(most: int, count: int, code: Refusal, what: str, instead: str) -> None:
    """Refuse what is more than a limit.

    Args:
        most: the limit.
        count: what there is.
        code: of the refusal.
        what: is counted, in the plural, with its place.
        instead: what to do.

    Raises:
        ImportRefused: there is more.
    """
    if count > most:
        raise ImportRefused(code, f"There are {count:,} {what}, and {most:,} are the most. {instead}")
