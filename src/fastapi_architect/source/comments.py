"""Comments that speak to this tool: `# architect: allow(rule-name): reason`."""

from __future__ import annotations

import io
import re

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

#: "architect:" or "Architect:".
_MARK = "rchitect:"
_COMMENT = lazy_pattern(r"#\s*architect:", re.IGNORECASE)


class SourceComment(msgspec.Struct, frozen=True):
    """One comment.

    Attributes:
        line: its line, from 1.
        column: column of the number sign, from 0, in UTF-8 bytes.
        text: the comment from the number sign to the end of the line.
        own_line: nothing but white space precedes it.
    """

    line: int
    column: int
    text: str
    own_line: bool


def find_comments(text: str) -> list[SourceComment]:
    """The comments that say `architect:`, in order; those of other tools may stand before it (`# noqa  # architect: ...`).

    A number sign inside a string is no comment, so that the text is tokenised where it holds the mark at all.
    What cannot be tokenised gives the comments up to that place.
    """
    import tokenize

    if _MARK not in text:
        return []
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            spoken = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
            if spoken is not None:
                line, column = token.start
                own_line = not token.line[:column].strip()
                before = token.line[: column + spoken.start()]
                found.append(
                    SourceComment(line, len(before.encode()), token.string[spoken.start() :], own_line)
                )
    except (tokenize.TokenError, SyntaxError):
        pass  # the parser says what is wrong with the file; here only its readable part matters
    return found
