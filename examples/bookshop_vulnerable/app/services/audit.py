"""The audit trail: who tried what."""

import logging
from typing import Any

logger = logging.getLogger("app.audit")


def record_attempt(action: str, details: dict[str, Any]) -> None:
    """Write down that somebody tries to do something."""
    logger.info("attempted %s: %s", action, details)  # finding: sensitive-data-logged
