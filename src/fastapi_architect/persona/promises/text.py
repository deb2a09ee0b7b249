"""Promises about the text: files that exist, few words, few follow-ups, no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.persona.answer import FILE, MAX_FOLLOW_UPS, NOTHING, PARTS, Citation, citations
from fastapi_architect.persona.judged import Judged, Wrong
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Words of prose that a person reads gladly; code and tables do not count.
MAX_WORDS = 500

_QUOTED_FILE = lazy_pattern(rf"`(?P<path>{FILE})`")
_SAID_WORD = lazy_pattern(r"\w[\w'’./:-]*")


def parts_are_filled(judged: Judged) -> Iterator[Wrong]:
    """All six parts are there."""
    for name, title in PARTS.items():
        if name != "follow_ups" and not judged.answer.part(name).strip():
            yield Wrong("parts", f"the part {title} is empty", "say it, or say why there is nothing to say")


def follow_ups_are_few(judged: Judged) -> Iterator[Wrong]:
    """At most three follow-ups."""
    number = len(judged.answer.follow_ups)
    if number > MAX_FOLLOW_UPS:
        yield Wrong(
            "follow-ups",
            f"{number} follow-ups, and {MAX_FOLLOW_UPS} are allowed",
            "keep the most important three",
        )


def is_short(judged: Judged) -> Iterator[Wrong]:
    """Under 500 words of prose, unless more was asked for."""
    number = words(judged)
    if number > MAX_WORDS and not judged.evidence.wordy:
        yield Wrong(
            "short",
            f"{number} words of prose, and {MAX_WORDS} are allowed",
            "say less: code first, and lists of findings as a table",
        )


def words(judged: Judged) -> int:
    """Words of prose: tables, code and citations left out."""
    said = [each.text for each in judged.passages if not each.in_table and each.text != NOTHING]
    return sum(len(_SAID_WORD.findall(re.sub(r"`[^`]*`", "code", text))) for text in said)


def files_exist(judged: Judged) -> Iterator[Wrong]:
    """Every file that is cited exists below the root, and so does the line."""
    seen: set[tuple[str, int]] = set()
    for passage in judged.passages:
        for cited in citations(passage.text):
            if (cited.path, cited.end) not in seen:
                seen.add((cited.path, cited.end))
                yield from _place(judged, cited)
        for match in _QUOTED_FILE.finditer(passage.text):
            path = match["path"]
            if (path, 0) not in seen and _is_named_as_place(path):
                seen.add((path, 0))
                if judged.file(path) is None and path not in judged.made:
                    yield _no_file(path)
    for block in judged.blocks:
        if block.line and (block.path, block.line) not in seen:
            yield from _place(judged, Citation(block.path, block.line, block.line))


def _is_named_as_place(path: str) -> bool:
    """A path with a folder; `/openapi.json` is an address, a bare name such as `alembic.ini` may be meant in general."""
    return "/" in path and not path.startswith("/")


def _place(judged: Judged, cited: Citation) -> Iterator[Wrong]:
    text = judged.file(cited.path)
    if text is None:
        yield _no_file(cited.path)
        return
    lines = text.count("\n") + (not text.endswith("\n"))
    if not 1 <= cited.line <= cited.end <= max(lines, 1):
        yield Wrong(
            "files",
            f"{cited.path}:{cited.end} is cited, and the file has {lines} lines",
            "cite a line that a tool named",
        )


def _no_file(path: str) -> Wrong:
    return Wrong(
        "files",
        f"there is no file {path} in the project",
        "cite files that a tool named, or show the new file",
    )


def holds_no_secret(judged: Judged) -> Iterator[Wrong]:
    """Nothing that looks like a secret of the project."""
    text = "\n".join(judged.answer.part(name) for name in PARTS)
    for kind in judged.redaction.kinds_in(text):
        yield Wrong("secrets", f"it shows {kind}", "name the place where it stands, never the value")
