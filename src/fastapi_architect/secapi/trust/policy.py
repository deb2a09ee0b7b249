"""What the maintainers of a project decided about its reviews, outside of the archive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fastapi_architect.findings.finding import Selectable
from fastapi_architect.review.config import Config, parse
from fastapi_architect.secapi.trust.claims import Claim


class Policy(msgspec.Struct, frozen=True):
    """What counts besides the code itself; JSON can hold it.

    Attributes:
        settings: the table `[tool.fastapi-architect]` as the maintainers wrote it, outside of the archive.
        accepted: names of proposals that count.
        accepted_kinds: kinds of claims that always count, such as "comment".
    """

    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    accepted_kinds: frozenset[str] = frozenset()

    def config(self, rules: Iterable[Selectable]) -> Config:
        """The settings, validated.

        Raises:
            ConfigError: they say something that has no meaning; call it when they are saved.
        """
        return parse(self.settings, rules)

    def accepts(self, claim: Claim) -> bool:
        """Whether a claim counts."""
        return claim.kind in self.accepted_kinds or claim.name in self.accepted
