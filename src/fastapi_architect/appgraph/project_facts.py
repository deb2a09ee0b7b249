"""What a project tells about itself in its configuration, so that the graph need not guess."""

from __future__ import annotations

import msgspec


class ProjectFacts(msgspec.Struct, frozen=True):
    """Facts from `[tool.fastapi-architect.project]`.

    Attributes:
        authentication: dotted names of dependencies that authenticate.
        permissions: dotted names of dependencies that check a role, scope or permission.
        public_routes: "GET /health" to the reason why it is public.
        exposure: "public" or "internal".
        data_classes: "Model.field" or "Model" to secret, personal, internal or public.
        gateway: protections that something in front provides (rate-limit, https, ...) to path patterns.
        sanitizers: dotted names of functions to the kinds of sink for which their result is harmless.
    """

    authentication: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    public_routes: dict[str, str] = msgspec.field(default_factory=dict)
    exposure: str = "public"
    data_classes: dict[str, str] = msgspec.field(default_factory=dict)
    gateway: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    sanitizers: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def names_authentication(self, full_name: str) -> bool:
        """The name, or its last parts, is listed as authenticating."""
        return _listed(full_name, self.authentication)

    def names_permission(self, full_name: str) -> bool:
        """The name, or its last parts, is listed as a permission check."""
        return _listed(full_name, self.permissions)


def _listed(full_name: str, names: frozenset[str]) -> bool:
    return any(full_name == name or full_name.endswith(f".{name}") for name in names)
