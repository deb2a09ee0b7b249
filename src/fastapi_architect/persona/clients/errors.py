"""Why an agent was not installed. Every message names the next step."""

from __future__ import annotations


class ClientError(Exception):
    """A client's files cannot be written or read as they are; nothing was changed."""


def at(path: str, text: str, position: int, problem: str) -> ClientError:
    """The error at a place of a text.

    Args:
        path: of the file.
        text: what it holds.
        position: index into the text.
        problem: what is wrong there, and the next step.
    """
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return ClientError(f"{path}:{line}:{column}: {problem}")
