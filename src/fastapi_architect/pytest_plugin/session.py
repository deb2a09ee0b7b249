"""One review a session, whose findings are items: collected, selected, run and reported as tests are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: Exit codes of the reviewing process that are the user's to mend.
_USAGE = 2
_KEY = "architect_review"


class ReviewedSession:
    """Takes part in one session, in the process that collects or, with pytest-xdist, in all of them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        #: What the process that started this one has found, where there is such a process.
        given = getattr(config, "workerinput", {}).get(_KEY)
        self._review: dict[str, Any] | None = json.loads(given) if given is not None else None

    def pytest_report_header(self) -> str:
        """Say what is reviewed."""
        return f"architect: reviews {self._path}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Review, before workers are started.

        Raises:
            pytest.UsageError: an option or the project's configuration has no meaning.
        """
        if self._review is None:
            self._review = _reviewed(self._request())

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the result to a worker of pytest-xdist."""
        node.workerinput[_KEY] = json.dumps(self._review)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the findings, before `-k`, `-m` and others choose."""
        assert self._review is not None
        items += Findings.from_parent(
            session, name="architect", nodeid="architect", review=self._review
        ).collect()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say the score, and what has no item."""
        if self._review is not None:
            terminalreporter.section("architect")
            for line in self._review["summary"]:
                terminalreporter.write_line(line)

    @property
    def _path(self) -> Path:
        return self._file("path") or self._config.rootpath

    def _request(self) -> dict[str, str | None]:
        baseline = self._file("baseline")
        return {
            "path": str(self._path),
            "gate": self._config.getoption("architect_gate") or self._config.getini("architect_gate") or None,
            "baseline": str(baseline) if baseline is not None else None,
        }

    def _file(self, name: str) -> Path | None:
        """A path of the command line, from where pytest was started; or of the configuration, from its folder."""
        given = self._config.getoption(f"architect_{name}")
        if given:
            return Path(self._config.invocation_params.dir, given)
        written = self._config.getini(f"architect_{name}")
        return Path(self._config.rootpath, written) if written else None


def _reviewed(request: dict[str, str | None]) -> dict[str, Any]:
    """The review, made in a process of its own: neither its modules nor its million objects are the tests' business.

    Raises:
        pytest.UsageError: what was asked for has no meaning; the message says the next step.
        RuntimeError: the review itself failed.
    """
    # -P: a module of the reviewed tree that is called like one of the standard library must not be imported.
    command = [sys.executable, "-P", "-m", "fastapi_architect.pytest_plugin.reviewing"]
    done = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode == _USAGE:
        raise pytest.UsageError(done.stderr.strip())
    if done.returncode != 0:
        message = f"the review ended with exit code {done.returncode}:\n{done.stderr.strip()}"
        raise RuntimeError(message)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Findings(pytest.Collector):
    """The collector of all items."""

    def __init__(self, *, review: dict[str, Any], **more: Any) -> None:
        super().__init__(**more)
        self._review = review

    def collect(self) -> Iterator[pytest.Item]:
        """The review itself, and each finding at or above the gate."""
        yield ReviewItem.from_parent(self, name="review", faults=self._review["faults"])
        taken: dict[str, int] = {}
        for finding in self._review["findings"]:
            name = finding["name"]
            taken[name] = number = taken.get(name, 0) + 1
            name = name if number == 1 else f"{name} #{number}"
            yield FindingItem.from_parent(self, name=name, finding=finding)


class ReviewFailed(Exception):
    """A rule failed: a fault of the tool, not of the reviewed code."""


class ReviewItem(pytest.Item):
    """The review took place; it fails where a rule failed, since what that rule looks for was not looked for."""

    def __init__(self, *, faults: list[str], **more: Any) -> None:
        super().__init__(**more)
        self._faults = faults

    def runtest(self) -> None:
        """Fail for a faulty rule.

        Raises:
            ReviewFailed: with what a maintainer needs.
        """
        if self._faults:
            raise ReviewFailed("\n".join(self._faults))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The faults, without a traceback of this file."""
        return (
            str(excinfo.value)
            if isinstance(excinfo.value, ReviewFailed)
            else super().repr_failure(excinfo, style)
        )


class FindingFailed(Exception):
    """A finding at or above the gate."""


class FindingItem(pytest.Item):
    """One finding, which fails."""

    def __init__(self, *, finding: dict[str, Any], **more: Any) -> None:
        super().__init__(**more)
        self._finding = finding
        self.user_properties += [
            (name, value) for name, value in finding["properties"].items() if value is not None
        ]

    def runtest(self) -> None:
        """Fail.

        Raises:
            FindingFailed: always.
        """
        raise FindingFailed(self._finding["issue"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, why, and how to fix it: a traceback of this file would say nothing."""
        text = self._finding["text"]
        return text if isinstance(excinfo.value, FindingFailed) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int, str]:
        """The place of the finding, for editors and reports."""
        return self._finding["file"], self._finding["line"] - 1, self.name
