"""The project of the builder's tests, for what `add` suggests and records."""

from __future__ import annotations

from tests.builder.conftest import shop

__all__ = ["shop"]
