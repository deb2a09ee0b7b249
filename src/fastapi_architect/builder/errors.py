"""Why nothing was built. Every message names the next step."""

from __future__ import annotations


class BuildError(Exception):
    """What was asked for cannot be built here; no file was changed."""


class CatalogError(Exception):
    """A `component.toml` of ours is wrong; the message names the file and the key."""


class NoSuchComponent(BuildError):
    """There is no component of that name; the message names the nearest one."""
