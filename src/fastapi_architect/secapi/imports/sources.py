"""Who found something. Findings are recognised, closed and reopened among those of the same source, and no others.

`engine` is ours, wherever it ran. A tool whose SARIF was imported is `sarif:TOOL`, or `sarif:TOOL:CATEGORY` where the run
names a category: GitHub's word for what keeps several analyses by one tool apart, such as one for each language
(docs.github.com, "SARIF support for code scanning", runAutomationDetails object: the part of the id before its last slash).
"""

from __future__ import annotations

import hashlib
import re

#: Our own engine: scans of archives, and reports that it wrote elsewhere.
ENGINE = "engine"
_PREFIX = "sarif:"
_MOST = 200
_OTHER_SIGNS = re.compile(r"[^a-z0-9._+-]+")
_OTHER_SIGNS_OF_CATEGORIES = re.compile(r"[^\w./:=@+-]+", re.ASCII)


def source_of(tool: str, automation_id: str = "") -> str:
    """Return the source of a run.

    Args:
        tool: name of the tool's driver.
        automation_id: `automationDetails.id` of the run.
    """
    category = automation_id.rpartition("/")[0].strip("/")
    name = _PREFIX + _legible(tool, tool.strip().lower().replace(" ", "-"), _OTHER_SIGNS)
    if category:
        name += ":" + _legible(category, category, _OTHER_SIGNS_OF_CATEGORIES)
    return name if len(name) <= _MOST else f"{name[: _MOST - 17]}~{_digest(name)}"


def _legible(text: str, wanted: str, others: re.Pattern[str]) -> str:
    """The text in signs that an address can hold, with a digest where that would make two texts one."""
    made = others.sub("-", wanted)
    return made if made == wanted and made else f"{made.strip('-') or 'tool'}~{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
