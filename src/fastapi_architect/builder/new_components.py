"""Components that come into a project, and what for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fastapi_architect.builder.catalog import ComponentSpec
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.lock import LockedComponent, locked
from fastapi_architect.builder.site import Site


class NewComponents(msgspec.Struct, frozen=True):
    """Components of a plan.

    Attributes:
        requested: as somebody named them.
        copied: those that are not there.
        serving: those that the service will use and does not yet; others come for the fixtures of tests only.
    """

    requested: Sequence[ComponentSpec]
    copied: Sequence[ComponentSpec]
    serving: Sequence[ComponentSpec]

    @property
    def all(self) -> list[ComponentSpec]:
        """Both, in registry order."""
        both = {spec.name: spec for spec in (*self.copied, *self.serving)}
        return sorted(both.values(), key=lambda spec: spec.order)

    @property
    def for_tests(self) -> list[ComponentSpec]:
        """What is copied for the tests only."""
        return [spec for spec in self.copied if spec not in self.serving]

    def locked(self, site: Site, files: Sequence[NewFile]) -> list[LockedComponent]:
        """How the lock holds them."""
        made = [
            LockedComponent(
                spec.name,
                spec.version,
                locked(file for file in files if file.id.startswith(f"{spec.name}/")),
                for_tests=spec not in self.serving,
            )
            for spec in self.copied
        ]
        known = {each.name: each for each in site.lock.components}
        used = [known[spec.name] for spec in self.serving if spec.name in known]
        return [*made, *(msgspec.structs.replace(each, for_tests=False) for each in used)]
