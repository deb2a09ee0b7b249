"""Where things go in a project."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A package of the project: its folder, relative to the project with forward slashes, and its dotted name."""

    folder: str
    name: str

    @classmethod
    def of(cls, folder: str, source_root: str = "") -> Place:
        """The package in that folder; `source_root` is the folder that is on the import path, such as "src"."""
        below = folder.removeprefix(f"{source_root}/") if source_root else folder
        return cls(folder, below.replace("/", "."))

    def below(self, part: str) -> Place:
        """A package in this one."""
        return Place(f"{self.folder}/{part}", f"{self.name}.{part}")
