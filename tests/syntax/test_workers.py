from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fastapi_architect.source.tree import SourceTree
from fastapi_architect.syntax import ir, workers
from fastapi_architect.syntax.workers import parse_all

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="one process is used where there is no fork")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceTree:
    monkeypatch.setattr(workers, "_WORTH_FORKING", 0)
    for number in range(20):
        (tmp_path / f"m{number:02}.py").write_text(
            f"def f{number}():\n    return g({number})\n" * (number + 1)
        )
    (tmp_path / "broken.py").write_text("def (\n")
    return SourceTree.open(tmp_path)


def test_the_modules_are_the_same_whatever_the_number_of_processes(tree: SourceTree):
    one = parse_all(tree, tree.python_files)

    for jobs in (2, 3, 50):
        several = parse_all(tree, tree.python_files, jobs=jobs)
        assert (list(several), several) == (list(tree.python_files), one)


def test_processes_are_used(tree: SourceTree, monkeypatch: pytest.MonkeyPatch):
    mine = os.getpid()
    real = workers.parse_file

    def parse_file(data: bytes, path: str, max_bytes: int) -> ir.ParsedModule | ir.Unparsed:
        assert os.getpid() != mine
        return real(data, path, max_bytes)

    monkeypatch.setattr(workers, "parse_file", parse_file)
    assert len(parse_all(tree, tree.python_files, jobs=2)) == 21


def test_one_process_is_used_while_other_threads_live(tree: SourceTree, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert len(parse_all(tree, tree.python_files, jobs=2)) == 21
    finally:
        stop.set()
        thread.join()


def test_a_file_that_kills_its_process_is_the_only_one_lost(
    tree: SourceTree, monkeypatch: pytest.MonkeyPatch
):
    expected = parse_all(tree, tree.python_files)
    real = workers.parse_file

    def parse_file(data: bytes, path: str, max_bytes: int) -> ir.ParsedModule | ir.Unparsed:
        if path in {"m07.py", "m13.py"}:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(data, path, max_bytes)

    monkeypatch.setattr(workers, "parse_file", parse_file)
    found = parse_all(tree, tree.python_files, jobs=2)

    for path in ("m07.py", "m13.py"):
        assert found[path] == ir.Unparsed("Python's parser crashed on it", 0, 2 * (int(path[1:3]) + 1))
        expected[path] = found[path]
    assert found == expected


def test_a_process_killed_from_outside_loses_nothing(
    tree: SourceTree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    expected = parse_all(tree, tree.python_files)
    mark = tmp_path / "killed"
    real = workers.parse_file

    def parse_file(data: bytes, path: str, max_bytes: int) -> ir.ParsedModule | ir.Unparsed:
        if path == "m07.py" and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(data, path, max_bytes)

    monkeypatch.setattr(workers, "parse_file", parse_file)
    assert parse_all(tree, tree.python_files, jobs=2) == expected


def test_an_interrupt_reaches_the_caller_and_leaves_no_process(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from fastapi_architect.source.tree import SourceTree\n"
        "from fastapi_architect.syntax import workers\n"
        # Whoever starts the tests in the background has them ignore interrupts.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "workers._WORTH_FORKING = 0\n"
        "def parse_file(data, path, max_bytes):\n"
        "    os.write(1, b'%d\\n' % os.getpid())\n"
        "    time.sleep(60)\n"
        "workers.parse_file = parse_file\n"
        "tree = SourceTree.open(Path(sys.argv[1]))\n"
        "try:\n"
        "    workers.parse_all(tree, tree.python_files, jobs=2)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    process = subprocess.Popen([sys.executable, program, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    children = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)

    assert rest == "interrupted\n"
    for child in children:
        deadline = time.monotonic() + 5
        while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_state_of_the_garbage_collector_is_put_back(
    tree: SourceTree, enabled: bool, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(data: bytes, path: str, max_bytes: int) -> ir.ParsedModule:
        assert not gc.isenabled()
        raise KeyboardInterrupt

    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        parse_all(tree, tree.python_files, jobs=2)
        assert gc.isenabled() == enabled
        monkeypatch.setattr(workers, "parse_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            parse_all(tree, tree.python_files)
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_ends_with_everything_done(tree: SourceTree, jobs: int):
    seen: list[tuple[int, int]] = []
    parse_all(tree, tree.python_files, jobs=jobs, progress=lambda done, total: seen.append((done, total)))

    assert seen == sorted(seen)
    assert seen[-1] == (21, 21)


def test_a_tree_larger_than_a_batch_is_parsed_whole(tree: SourceTree, monkeypatch: pytest.MonkeyPatch):
    expected = parse_all(tree, tree.python_files)
    monkeypatch.setattr(workers, "_BATCH_BYTES", 1000)

    assert parse_all(tree, tree.python_files, jobs=2) == expected


def test_a_file_that_is_gone_or_too_large_is_a_value(tree: SourceTree):
    (tree.root / "m03.py").unlink()
    found = parse_all(tree, tree.python_files, max_bytes=500)

    assert found["m03.py"] == ir.Unparsed("no such file or directory", 0, 0)
    assert found["m19.py"] == ir.Unparsed("larger than 500 bytes (560 bytes)", 0, 0)
