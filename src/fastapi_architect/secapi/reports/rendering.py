"""A report in each format, from the same material."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .as_csv import csv_of
from .as_html import html_of
from .as_json import json_of
from .as_sarif import sarif_of
from .material import Material
from .models import ReportFormat
from .rebuilding import UnreadableReport

_RENDERERS: Mapping[ReportFormat, Callable[[Material], str]] = MappingProxyType(
    {
        ReportFormat.JSON: json_of,
        ReportFormat.SARIF: sarif_of,
        ReportFormat.HTML: html_of,
        ReportFormat.CSV: csv_of,
    }
)
#: What is sent as `Content-Type`, and the ending of the file.
MEDIA_TYPES: Mapping[ReportFormat, str] = MappingProxyType(
    {
        ReportFormat.JSON: "application/json",
        ReportFormat.SARIF: "application/sarif+json",
        ReportFormat.HTML: "text/html; charset=utf-8",
        ReportFormat.CSV: "text/csv; charset=utf-8; header=present",
    }
)


class NotRendered(Exception):
    """The report cannot be made; another attempt would end alike.

    Args:
        code: a stable word.
        message: a sentence for those who asked for it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def render(material: Material, report_format: ReportFormat, most: int) -> bytes:
    """Return the report.

    Args:
        material: what it says.
        report_format: as what it is read.
        most: bytes that it may have.

    Raises:
        NotRendered: it would be larger, or the document of the engine cannot be read.
    """
    try:
        made = _RENDERERS[report_format](material).encode("utf-8", "replace")
    except UnreadableReport as error:
        raise NotRendered(
            "report-unreadable", f"The result of the scan cannot be read: {error}. Scan the backend again."
        ) from error
    if len(made) > most:
        smaller = " or ask for it as CSV" if report_format is not ReportFormat.CSV else ""
        raise NotRendered(
            "report-too-large",
            f"The report has {len(made)} bytes, and {most} are the most: read the findings page by page{smaller}.",
        )
    return made
