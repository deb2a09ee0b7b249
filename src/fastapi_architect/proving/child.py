"""The disposable child: takes one job, runs its demonstration, says what came of it.

`python -m fastapi_architect.proving.child` reads one job as JSON from standard input and writes its outcome
as JSON to standard output. `proving.server` does the same in a fork of a process that has imported
everything already.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import inspect
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi_architect.proving import sandbox
from fastapi_architect.proving.outcome import Job, Kind, Outcome

#: Characters of output and tracebacks that are kept.
_KEPT_OUTPUT = 8000


def load_rule(module: str, path: str) -> Any:
    """The `rule` of a rule file, loaded from its path under its own dotted name.

    Raises:
        ImportError: there is no such file.
        AttributeError: it defines no `rule`.
    """
    spec = importlib.util.spec_from_file_location(module, path)
    if spec is None or spec.loader is None:
        message = f"{path} is not a Python file"
        raise ImportError(message)
    loaded: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded
    spec.loader.exec_module(loaded)
    return loaded.rule


def run_job(job: Job, folder: Path) -> Outcome:
    """Run a demonstration in this process, which is not fit for anything else afterwards.

    Args:
        job: what to run.
        folder: an empty temporary folder; whoever made it removes it.
    """
    begin = time.perf_counter()
    output = sandbox.Output()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        kind, message, details = _demonstrate(job, folder, output)
    printed = output.getvalue()[-_KEPT_OUTPUT:] if kind == "error" else ""
    details = f"{details}\n{printed}".strip() if printed else details
    return Outcome(kind, message, details[-_KEPT_OUTPUT:], round(time.perf_counter() - begin, 3))


def _demonstrate(job: Job, folder: Path, output: sandbox.Output) -> tuple[Kind, str, str]:
    from fastapi_architect.proving.proof import ChildProof

    try:
        demonstration = load_rule(job.module, job.path).demonstration
        root = sandbox.enter(folder, job.files)
        sandbox.limit(job.limits)
        proof = ChildProof(root, job.postgres, output)
        proof.install()
    except Exception as error:
        return "error", _told(error), traceback.format_exc()
    try:
        result = demonstration(proof)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except AssertionError as error:
        if _raised_by(error, job.path):
            return "failed", _told(error), "\n".join(proof.server_errors[-1:])
        return "error", f"an assertion of the example failed: {_told(error)}", traceback.format_exc()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {Path(path).parts[0].removesuffix(".py") for path in job.files}:
            return "error", _told(error), traceback.format_exc()
        return "missing", f"the module {error.name} is not installed", traceback.format_exc()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return "error", _told(error), "\n".join((*proof.server_errors[-1:], traceback.format_exc()))
    finally:
        with contextlib.suppress(
            Exception
        ):  # the outcome is known; how an application shuts down is not asked
            proof.close()
    return "passed", "", ""


def _raised_by(error: AssertionError, path: str) -> bool:
    """Whether the assertion is the demonstration's own, not one of the example or of a library."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename) == Path(path)


def _told(error: BaseException) -> str:
    """An error in one line; for a bare assertion, its source."""
    if str(error):
        return f"{type(error).__name__}: {error}" if not isinstance(error, AssertionError) else str(error)
    frames = traceback.extract_tb(error.__traceback__)
    line = frames[-1].line if frames else ""
    return (
        f"{type(error).__name__}: {line}"
        if not isinstance(error, AssertionError)
        else (line or "assertion failed")
    )


def main() -> int:
    """Run the one job on standard input."""
    job = Job.from_json(sys.stdin.read())
    with tempfile.TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True) as folder:
        outcome = run_job(job, Path(folder).resolve())
        sys.stdout.write(json.dumps(outcome.to_dict()) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
