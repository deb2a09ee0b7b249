"""Whether the process lives and whether it should get requests, for the platform, and nothing for strangers."""

from .component import HealthChecks, HealthSettings
from .readiness import Check, Readiness

__all__ = ["Check", "HealthChecks", "HealthSettings", "Readiness"]
