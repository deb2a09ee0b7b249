"""This service is vulnerable on purpose, so it refuses to start where somebody could reach it."""

from app.core.config import settings


def require_test_environment() -> None:
    """Stop the process unless whoever starts it says that this is a test.

    Raises:
        RuntimeError: if BOOKSHOP_VULNERABLE_I_KNOW is not "tests".
    """
    if settings.vulnerable_i_know != "tests":
        raise RuntimeError(
            "bookshop_vulnerable holds security flaws on purpose and must never be deployed. "
            "Set BOOKSHOP_VULNERABLE_I_KNOW=tests to start it inside a test."
        )
