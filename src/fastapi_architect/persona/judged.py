"""An answer laid open for the checks, and what a check says."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fastapi_architect.persona.answer import Answer, CodeBlock, Passage, blocks, passages
from fastapi_architect.persona.evidence import Evidence
from fastapi_architect.persona.redaction import Redaction
from fastapi_architect.rules.catalog import all_rules

#: A file larger than this is no file of a program.
_MAX_BYTES = 4 * 1024 * 1024


class Wrong(msgspec.Struct, frozen=True):
    """A promise that an answer breaks.

    Attributes:
        promise: name of the check.
        what: what is wrong, quoting the answer.
        next_step: what to do about it.
    """

    promise: str
    what: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.what}; {self.next_step}"


class Judged:
    """An answer with its pieces, beside the evidence.

    Attributes:
        answer: the answer.
        evidence: what the tools said.
        rules: names of all rules there are.
        redaction: knows the project's secrets.
    """

    def __init__(
        self,
        answer: Answer,
        evidence: Evidence,
        *,
        rules: Iterable[str] | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        self.answer = answer
        self.evidence = evidence
        self.rules = frozenset(all_rules() if rules is None else rules)
        self.redaction = redaction or Redaction()

    @functools.cached_property
    def blocks(self) -> list[CodeBlock]:
        """Its blocks of code."""
        return blocks(self.answer)

    @functools.cached_property
    def passages(self) -> list[Passage]:
        """What it says outside of them."""
        return passages(self.answer)

    @functools.cached_property
    def made(self) -> frozenset[str]:
        """Files that need not be there: the answer's own code or a plan makes them."""
        return self.evidence.planned | {block.path for block in self.blocks if block.path}

    def file(self, path: str) -> str | None:
        """A file of the project as text; None where there is none, or not one below the root."""
        if path not in self._files:
            self._files[path] = read_file(self.evidence.root, path)
        return self._files[path]

    @functools.cached_property
    def _files(self) -> dict[str, str | None]:
        return {}


def read_file(root: Path | None, path: str) -> str | None:
    """A file of a project as text; None where there is none, it is huge, or it lies outside of the root."""
    if root is None or not path or path.startswith("/"):
        return None
    try:
        found = (root / path).resolve()
        if (
            not found.is_relative_to(root.resolve())
            or not found.is_file()
            or found.stat().st_size > _MAX_BYTES
        ):
            return None
        return found.read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError, RuntimeError):
        return None
