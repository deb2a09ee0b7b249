"""A marked block in a Markdown file that is somebody else's."""

from __future__ import annotations

from fastapi_architect.persona.clients.errors import ClientError

BEGIN = "<!-- fastapi-architect: begin (written by `architect agent install`) -->"
END = "<!-- fastapi-architect: end -->"
_MARK = "<!-- fastapi-architect: "


def block(text: str) -> str:
    """The text between its marks."""
    return f"{BEGIN}\n{text.strip()}\n{END}\n"


def find(text: str, path: str) -> tuple[int, int] | None:
    """Where the block stands, its last line break included; None: nowhere.

    Raises:
        ClientError: a mark has no partner, with the place.
    """
    begins, ends = (_lines(text, f"{_MARK}{word}") for word in ("begin", "end"))
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        line = text.count("\n", 0, min(begins + ends)) + 1
        message = f"{path}:{line}: the marks of fastapi-architect do not pair up; restore them, or delete the lines with {_MARK!r}"
        raise ClientError(message)
    end = text.find("\n", ends[0])
    return begins[0], len(text) if end < 0 else end + 1


def appended(text: str, made: str) -> tuple[str, str]:
    """The text with the block behind it, and what was appended."""
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else newline if text.endswith("\n") else 2 * newline
    chunk = gap + made.replace("\n", newline)
    return text + chunk, chunk


def _lines(text: str, beginning: str) -> list[int]:
    """Where lines that begin so start."""
    found, position = [], text.find(beginning)
    while position >= 0:
        if position == 0 or text[position - 1] == "\n":
            found.append(position)
        position = text.find(beginning, position + 1)
    return found
