"""Sets of components to begin with. A preset takes what the catalogue holds of it."""

from __future__ import annotations

from fastapi_architect.builder.catalog import Catalog

_MINIMAL = (
    "service",
    "problem_details",
    "structured_logging",
    "http_security",
    "request_limits",
    "metrics",
    "health_checks",
    "api_versioning",
    "database",
    "access",
    "api_keys",
    "testing",
)
_STANDARD = (
    *_MINIMAL,
    "redis_pool",
    "rate_limiting",
    "cache",
    "idempotency",
    "accounts",
    "celery_tasks",
    "outbox",
    "mail",
    "outgoing_http",
)
_SAAS = (
    *_STANDARD,
    "tenancy",
    "audit_log",
    "webhooks",
    "browser_sessions",
    "oidc_login",
    "uploads",
    "websockets",
)

#: Preset to (what it is for, its components).
PRESETS = {
    "minimal": ("an API that other programs call with keys", _MINIMAL),
    "standard": ("accounts, caching, limits and background work", _STANDARD),
    "saas": ("organisations that share one service, with browsers, webhooks and an audit log", _SAAS),
}

#: What the skeleton itself is written with; no project is without.
REQUIRED = ("access", "database", "problem_details", "service", "testing")


def components_of(preset: str, catalog: Catalog) -> tuple[str, ...]:
    """The components of a preset that the catalogue holds."""
    return tuple(name for name in PRESETS[preset][1] if name in catalog.components)
