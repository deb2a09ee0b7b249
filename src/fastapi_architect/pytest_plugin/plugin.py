"""What pytest loads in every session of an environment with this package: options, and nothing else until they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_GATE = (
    "lowest severity that fails: critical, important, minor, info or none (default: the project's own gate)"
)
_BASELINE = "leave out the findings listed in FILE (default: the project's own baseline)"
_PATH = "folder of the backend (default: pytest's rootdir)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options, and the same in pytest's configuration."""
    group = parser.getgroup("architect", "review of the FastAPI backend")
    group.addoption(
        "--architect",
        action="store_true",
        help="review the backend once; each finding at the gate is a failed test",
    )
    for name, metavar, text in (
        ("gate", "SEVERITY", _GATE),
        ("baseline", "FILE", _BASELINE),
        ("path", "FOLDER", _PATH),
    ):
        group.addoption(f"--architect-{name}", metavar=metavar, default=None, help=text)
        parser.addini(f"architect_{name}", text, type="string", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the session, where that was asked for."""
    if config.getoption("architect"):
        from fastapi_architect.pytest_plugin.session import ReviewedSession

        config.pluginmanager.register(ReviewedSession(config), "architect-session")
