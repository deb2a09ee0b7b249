"""Whatever a child does, its outcome is a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.proving.kit import job, outcome_of

from fastapi_architect.proving.outcome import Limits
from fastapi_architect.proving.prove import run_spawned

APP = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    def root() -> str:
        return "here"

    @app.get("/asserts")
    def asserts() -> None:
        assert 1 == 2, "the example's own"
"""


def test_a_demonstration_whose_assertions_hold_has_passed(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "assert proof.client.get('/').json() == 'here'", APP)

    assert (outcome.kind, outcome.message) == ("passed", "")


def test_a_failed_assertion_is_told_by_its_source(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "assert proof.client.get('/').status_code == 404", APP)

    assert (outcome.kind, outcome.message) == ("failed", "assert proof.client.get('/').status_code == 404")


def test_a_failed_assertion_of_the_example_is_an_error(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "proof.module().asserts()", APP)

    assert (outcome.kind, outcome.message) == (
        "error",
        "an assertion of the example failed: the example's own",
    )


def test_a_demonstration_may_be_a_coroutine_function(tmp_path: Path) -> None:
    given = job(tmp_path, "assert proof.app", APP)
    path = Path(given.path)
    path.write_text(
        path.read_text().replace("def demonstration", "async def demonstration") + "    assert False\n"
    )

    assert outcome_of_job(given) == "failed"


def outcome_of_job(given: object) -> str:
    from fastapi_architect.proving.prove import run

    return run(given).kind  # type: ignore[arg-type]


def test_any_other_error_comes_with_its_traceback(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "proof.client", "app = 1 / 0")

    assert (outcome.kind, outcome.message) == ("error", "ZeroDivisionError: division by zero")
    assert "main.py" in outcome.details


def test_a_package_that_is_not_there_is_missing(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "proof.client", "import no_such_package_anywhere")

    assert (outcome.kind, outcome.message) == (
        "missing",
        "the module no_such_package_anywhere is not installed",
    )


def test_a_wrong_import_of_the_examples_own_file_is_an_error(tmp_path: Path) -> None:
    outcome = outcome_of(
        tmp_path, "proof.module()", {"main.py": "import shop.nothing", "shop/__init__.py": ""}
    )

    assert outcome.kind == "error"


def test_a_child_that_does_not_end_is_a_timeout_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demonstration = """
        import pathlib, threading
        print(proof.root, file=open(%r, "w"), flush=True)
        threading.Event().wait()
    """
    note = tmp_path / "note"
    outcome = outcome_of(tmp_path, demonstration % str(note), APP, Limits(wall_seconds=1.0))

    assert outcome.kind == "timeout"
    assert not Path(note.read_text().strip()).exists()


def test_a_child_that_uses_up_its_cpu_time_is_killed(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "while True: pass", APP, Limits(cpu_seconds=1))

    assert outcome.kind == "killed"
    assert "SIGXCPU" in outcome.message or "SIGKILL" in outcome.message


def test_a_child_that_ends_by_itself_is_killed_and_not_passed(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "import os; os._exit(0)", APP)

    assert (outcome.kind, outcome.message) == ("killed", "ended with status 0 and no answer")


def test_a_file_larger_than_allowed_cannot_be_written(tmp_path: Path) -> None:
    demonstration = """
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        (proof.root / "large").write_bytes(bytes(2_000_000))
    """
    outcome = outcome_of(tmp_path, demonstration, APP, Limits(file_size=1_000_000))

    assert (outcome.kind, "File too large" in outcome.message) == ("error", True)


def test_memory_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, "bytearray(6 << 30)", APP)

    assert (outcome.kind, outcome.message) == ("error", "MemoryError: bytearray(6 << 30)")


def test_the_environment_is_stripped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    outcome = outcome_of(tmp_path, "import os; assert 'A_SECRET' in os.environ", APP)

    assert os.environ["A_SECRET"] == "hunter2"
    assert outcome.kind == "failed"


def test_what_one_child_changes_no_other_sees(tmp_path: Path) -> None:
    outcome_of(tmp_path, "import json; json.changed = True; proof.plant('left', '1')", APP)
    outcome = outcome_of(
        tmp_path,
        "import json; assert not hasattr(json, 'changed') and not (proof.root.parent / 'left').exists()",
        APP,
    )

    assert outcome.kind == "passed"


def test_output_of_an_example_does_not_disturb_the_answers(tmp_path: Path) -> None:
    noisy = """
        import os
        from fastapi import FastAPI
        print('{"kind": "passed"}')
        os.write(1, b'{"kind": "passed"}' + b"\\n")
        app = FastAPI()
    """
    outcome = outcome_of(tmp_path, "proof.client; assert proof.printed == 'nothing'", noisy)

    assert outcome.kind == "failed"


def test_a_spawned_child_says_the_same_as_a_forked_one(tmp_path: Path) -> None:
    given = job(tmp_path, "assert proof.client.get('/').status_code == 404", APP)

    assert run_spawned(given).kind == "failed"
