"""The name of the next record, in the style of those that are there: 0007-..., adr-007-..., 2026-11-21-..."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Endings of files that are records.
ENDINGS = (".md", ".markdown", ".rst", ".adoc", ".txt")
_NUMBERED = lazy_pattern(
    r"(?P<prefix>(?:adr|phr|decision)[-_ ]?)?(?P<number>\d{1,6})(?P<separator>[-_. ]+)(?P<slug>.*?)(?P<ending>\.\w+)",
    re.IGNORECASE,
)
_DATED = lazy_pattern(r"(?P<day>\d{4}-\d{2}-\d{2}|\d{8})(?P<separator>[-_ ])(?P<slug>.*?)(?P<ending>\.\w+)")
_LONGEST_SLUG = 60


class Style(msgspec.Struct, frozen=True):
    """How records are named.

    Attributes:
        prefix: what stands before the number: "ADR-".
        width: digits, with zeros in front.
        separator: what stands behind the number.
        joint: what joins the words.
        ending: .md or .markdown.
        day: format of the date that stands there instead of a number; empty: a number does.
    """

    prefix: str = ""
    width: int = 4
    separator: str = "-"
    joint: str = "-"
    ending: str = ".md"
    day: str = ""

    def name(self, number: int, title: str, day: date) -> str:
        """The file's name."""
        first = day.strftime(self.day) if self.day else f"{number:0{self.width}d}"
        return f"{self.prefix}{first}{self.separator}{slug(title, self.joint)}{self.ending}"


class Numbered(msgspec.Struct, frozen=True):
    """A record's file: its number is 0 where the folder is kept by dates."""

    number: int
    name: str
    slug: str


def style_of(names: Iterable[str]) -> tuple[Style, int]:
    """The style of these files, and the next number; a folder without records gets `0001-...`."""
    found = [name for name in sorted(names) if name.lower().endswith(ENDINGS)]
    dated = [match for name in found if (match := _DATED.fullmatch(name))]
    numbered = [
        match for name in found if not _DATED.fullmatch(name) and (match := _NUMBERED.fullmatch(name))
    ]
    if len(dated) > len(numbered):
        last = dated[-1]
        form = "%Y-%m-%d" if "-" in last["day"] else "%Y%m%d"
        return Style(separator=last["separator"], joint=_joint(last), ending=_ending(last), day=form), 0
    if not numbered:
        return Style(), 1
    last = max(numbered, key=lambda match: int(match["number"]))
    padded = any(match["number"].startswith("0") for match in numbered)
    width = max(len(match["number"]) for match in numbered) if padded else 1
    style = Style(last["prefix"] or "", width, last["separator"], _joint(last), _ending(last))
    return style, int(last["number"]) + 1


def numbered(names: Iterable[str]) -> list[Numbered]:
    """The records among these files, in order; an index or a template is none."""
    found = []
    for name in names:
        if name.lower().endswith(ENDINGS):
            if match := _DATED.fullmatch(name):
                found.append(Numbered(0, name, match["slug"]))
            elif match := _NUMBERED.fullmatch(name):
                found.append(Numbered(int(match["number"]), name, match["slug"]))
    return sorted(found, key=lambda each: (each.number, each.name))


def slug(title: str, joint: str = "-") -> str:
    """The title as part of a file's name: letters and digits of any script, at most 60."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", title).lower())
    made = joint.join(words) or "untitled"
    if len(made) <= _LONGEST_SLUG:
        return made
    return made[: _LONGEST_SLUG + 1].rpartition(joint)[0] or made[:_LONGEST_SLUG]


def _joint(last: re.Match[str]) -> str:
    return "_" if "_" in last["slug"] and "-" not in last["slug"] else "-"


def _ending(last: re.Match[str]) -> str:
    """The records are Markdown, whatever the older ones are."""
    return last["ending"] if last["ending"].lower() in (".md", ".markdown") else ".md"
