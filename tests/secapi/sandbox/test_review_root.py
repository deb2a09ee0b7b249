"""The review of an archive in a child process: what it finds, what it cannot do, and what survives it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.secapi.sandbox.archive import APP, FLAW, FLAWED, unpacked

from fastapi_architect.secapi.archives import unpack
from fastapi_architect.secapi.sandbox import (
    Cancelled,
    NotReviewed,
    Root,
    RootReview,
    SandboxLimits,
    review_root,
    roots_of,
)
from fastapi_architect.secapi.trust.policy import Policy

EXAMPLES = Path(__file__).parents[3] / "examples"
TOP = Root("")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    made = tmp_path / "private"
    made.mkdir()
    return made


def reviewed(tmp_path: Path, base: Path, files: Mapping[str, str | bytes], **options: object) -> RootReview:
    """One review, after which no folder is left."""
    found = review_root(unpacked(tmp_path, files), TOP, base=base, **options)  # type: ignore[arg-type]
    assert list(base.iterdir()) == []
    return found


def rules(found: RootReview) -> set[str]:
    return {each["rule"] for each in found.report["findings"]}


def not_analysed(found: RootReview) -> dict[str, str]:
    return {each["file"]: each["reason"] for each in found.report["not_analysed"]}


#: A child that does something in the middle of the analysis, when a file of that name is in the tree.
_POISONED = """
import sys
sys.path[:] = [*sys.path, *sys.argv[2:]]
from pathlib import Path
from fastapi_architect.review import pipeline
from fastapi_architect.secapi.sandbox import child
real = pipeline.asking.ask
def poisoned(rules, graph, *others):
    if any(path.rpartition("/")[2].startswith("poison") for path in graph.program.modules):
        %s
    return real(rules, graph, *others)
pipeline.asking.ask = poisoned
sys.exit(child.main(Path(sys.argv[1])))
"""

#: A child that says what it wants; `say` sends one message.
_LIAR = """
import os, sys
sys.path[:] = [*sys.path, *sys.argv[2:]]
from pathlib import Path
import msgspec
from fastapi_architect.secapi.sandbox import job as jobs
job = msgspec.json.decode((Path(sys.argv[1]) / jobs.JOB_FILE).read_bytes(), type=jobs.Job)
def say(kind, payload):
    data = jobs.HEAD.pack(kind, len(payload)) + payload
    while data:
        data = data[os.write(job.output, data):]
%s
"""


# ── the same as on the command line ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["bookshop", "bookshop_vulnerable"])
def test_the_report_of_an_archive_is_the_one_of_the_folder(name: str, tmp_path: Path, base: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    archive, content = tmp_path / "upload", tmp_path / "content"
    content.mkdir()
    with tarfile.open(archive, "w:gz") as made:
        made.add(folder, name)
    found = review_root(unpack(archive, content), TOP, base=base)
    command = [
        sys.executable,
        "-m",
        "fastapi_architect",
        "review",
        str(folder),
        "--format",
        "json",
        "--no-cache",
    ]
    wanted = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    differ = {"root", "review_time_ms"}
    assert {k: v for k, v in found.report.items() if k not in differ} == {
        k: v for k, v in wanted.items() if k not in differ
    }


def test_what_the_archive_lacks_stands_in_the_report(tmp_path: Path, base: Path) -> None:
    found = reviewed(tmp_path, base, {"main.py": APP, "../evil.py": APP, "broken.py": "def"})
    assert not_analysed(found) == {
        "../evil.py": "a path that leads out of the archive",
        "broken.py": "syntax error: invalid syntax, line 1",
    }


def test_progress_is_told_by_stage(tmp_path: Path, base: Path) -> None:
    told: list[tuple[str, int, int]] = []
    reviewed(tmp_path, base, {"main.py": APP}, progress=lambda *each: told.append(each))
    assert list(dict.fromkeys(stage for stage, _, _ in told))[:2] == ["reading", "understanding"]


# ── walls ────────────────────────────────────────────────────────────────────────────────────────────────────────

_CANARIES = (
    "sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py", "argparse.py", "json.py", "msgspec.py", "typing.py",
    "fastapi_architect/__init__.py", "fastapi_architect/__main__.py", "app/__init__.py", "yaml/__init__.py", "__main__.py",
)  # fmt: skip


def test_nothing_of_the_archive_is_ever_imported(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "canary")
    canary = f"import pathlib\npathlib.Path({place!r}).write_text(__file__)\n"
    files: dict[str, str | bytes] = dict.fromkeys(_CANARIES, canary)
    files |= {"main.py": APP, "evil.pth": f"import pathlib; pathlib.Path({place!r}).touch()"}
    files["pyproject.toml"] = "[tool.pytest.ini_options]\npythonpath = ['.']\n"
    # A worker that was started carelessly must not lend its own weakness to the child.
    lying = tmp_path / "lying"
    lying.mkdir()
    (lying / "sitecustomize.py").write_text(canary)
    monkeypatch.setenv("PYTHONPATH", str(lying))
    monkeypatch.setenv("PYTHONSTARTUP", str(lying / "sitecustomize.py"))
    found = reviewed(tmp_path, base, files)
    assert found.report["files"] == len(_CANARIES) + 1
    assert not Path(place).exists()


def probe(tmp_path: Path, base: Path, code: str) -> str:
    """What came of what the child of a review tries."""
    tries = f"""
        import errno, os
        def attempt():
            {code}
        try:
            said = repr(attempt())
        except BaseException as error:
            said = type(error).__name__
        print(said, file=sys.stderr, end="", flush=True)
        os._exit(9)
    """
    with pytest.raises(NotReviewed) as caught:
        review_root(unpacked(tmp_path, {"poison.py": APP}), TOP, base=base, boot=_POISONED % tries.strip())
    return caught.value.errors


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Walls that this machine lets a child raise."""
    folder = tmp_path_factory.mktemp("walls")
    (folder / "base").mkdir()
    return review_root(unpacked(folder, {"main.py": APP}), TOP, base=folder / "base").walls.standing


ATTEMPTS = {
    "connect": ("import socket; socket.create_connection(('127.0.0.1', 9), 1)", "PermissionError"),
    "unix socket": ("import socket; socket.socket(socket.AF_UNIX)", "PermissionError"),
    "fork": ("return os.fork()", "PermissionError"),
    "spawn": ("import subprocess; subprocess.run(['true'])", "PermissionError"),
    "exec": ("os.execv('/bin/true', ['true'])", "PermissionError"),
    "kill its parent": ("os.kill(os.getppid(), 0)", "PermissionError"),
    "read a file of the system": ("return open('/etc/passwd').read()", "PermissionError"),
    "list the root": ("return os.listdir('/root')", "PermissionError"),
    "write elsewhere": ("open('/tmp/architect-was-here', 'w')", "PermissionError"),
    "make a file": ("open('made', 'w')", "PermissionError"),
    "fill a file": ("f = open('status', 'r+b'); f.write(b'x' * 5_000_000); f.flush()", "OSError"),
    "open many files": ("return [open('status') for _ in range(100)]", "OSError"),
    "take memory": ("return len(bytearray(6 * 2**30))", "MemoryError"),
    "read the environment": (
        "return sorted(os.environ)",
        "['HOME', 'LANG', 'MALLOC_ARENA_MAX', 'TMPDIR', 'TZ']",
    ),
    "make a thread": (
        "import threading; t = threading.Thread(target=int); t.start(); return t.join()",
        "None",
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_child_that_is_taken_over_can_do_little(
    name: str, tmp_path: Path, base: Path, standing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {
        "file-system": ("read a", "list", "write e", "make a f"),
        "system-calls": ("connect", "unix", "fork", "spawn", "exec", "kill"),
    }
    for wall, begins in needed.items():
        if name.startswith(begins) and wall not in standing:
            pytest.skip(f"this machine does not offer the wall {wall}")
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    code, wanted = ATTEMPTS[name]
    assert probe(tmp_path, base, code) == wanted


def test_the_network_is_away_even_where_system_calls_cannot_be_filtered(
    tmp_path: Path, base: Path, standing: tuple[str, ...]
) -> None:
    if "no-network" not in standing:
        pytest.skip("this machine does not offer name spaces")
    boot = _POISONED.replace("from fastapi_architect.secapi.sandbox import child", (
        "from fastapi_architect.secapi.sandbox import child, walls\ndef _none(library): raise OSError('taken out')\n"
        "walls._seccomp = _none"
    )) % "import socket\n        socket.create_connection(('127.0.0.1', 9), 1)"  # fmt: skip
    with pytest.raises(NotReviewed) as caught:
        review_root(unpacked(tmp_path, {"poison.py": APP}), TOP, base=base, boot=boot)
    assert "Network is unreachable" in caught.value.errors


def test_a_wall_that_cannot_be_raised_is_said_and_the_review_goes_on(tmp_path: Path, base: Path) -> None:
    boot = (_LIAR % "").replace("def say", (
        "from fastapi_architect.secapi.sandbox import child, walls\n"
        "def _none(*_): raise OSError('not in this container')\n"
        "walls._seccomp = walls._landlock = walls._unshare = _none\nsys.exit(child.main(Path(sys.argv[1])))\ndef say"
    ))  # fmt: skip
    found = reviewed(tmp_path, base, {"main.py": FLAWED}, boot=boot)
    assert set(found.walls.missing) == {"system-calls", "file-system", "no-network"}
    assert found.walls.missing["system-calls"] == "not in this container"
    assert "no-processes" in found.walls.standing
    assert FLAW in rules(found)


# ── children that die ────────────────────────────────────────────────────────────────────────────────────────────

DEATHS = {
    "crash": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it failed"),
    "exit": ("import os; os._exit(5)", "it failed"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "it crashed (SIGSEGV)"),
    "memory": ("held = bytearray(6 * 2**30)", "it ran out of memory"),
    "exception": ("raise RuntimeError('poison')", "it failed"),
}


def tree_with(guilty: Mapping[str, str], others: int) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {f"app/module{number}.py": f"x = {number}\n" for number in range(others)}
    return {**files, "main.py": FLAWED, **guilty}


@pytest.mark.parametrize(
    "name",
    [name if name == "segfault" else pytest.param(name, marks=pytest.mark.matrix) for name in DEATHS],
)
def test_the_file_that_ends_the_analysis_is_found_and_the_rest_is_reviewed(
    name: str, tmp_path: Path, base: Path
) -> None:
    code, how = DEATHS[name]
    found = reviewed(tmp_path, base, tree_with({"app/poison.py": "x = 1\n"}, 6), boot=_POISONED % code)
    assert found.guilty == {"app/poison.py": how}
    assert not_analysed(found) == {"app/poison.py": f"the analysis of it was ended: {how}"}
    assert FLAW in rules(found)
    assert found.runs <= 6


def test_a_file_that_loops_for_ever_is_found_by_its_processor_time(tmp_path: Path, base: Path) -> None:
    limits = SandboxLimits(cpu_base=2, cpu_factor=0)
    found = reviewed(
        tmp_path,
        base,
        tree_with({"poison.py": "x = 1\n"}, 2),
        boot=_POISONED % "while True: pass",
        limits=limits,
    )
    assert found.guilty == {"poison.py": "it used up its processor time"}


@pytest.mark.matrix
def test_several_guilty_files_are_all_found(tmp_path: Path, base: Path) -> None:
    guilty = {"a/poison1.py": "", "poison2.py": "", "z/poison3.py": ""}
    found = reviewed(tmp_path, base, tree_with(guilty, 4), boot=_POISONED % "import os; os._exit(5)")
    assert set(found.guilty) == set(guilty)
    assert set(not_analysed(found)) == set(guilty)
    assert found.report["files"] == 5
    assert FLAW in rules(found)


def test_a_file_that_ends_the_parser_is_known_without_a_search(tmp_path: Path, base: Path) -> None:
    boot = """
import os, sys
sys.path[:] = [*sys.path, *sys.argv[2:]]
from pathlib import Path
from fastapi_architect.secapi.sandbox import child
from fastapi_architect.syntax import workers
real = workers.parse_file
def parse_file(data, *others):
    if b"poison" in data:
        os._exit(11)
    return real(data, *others)
workers.parse_file = parse_file
sys.exit(child.main(Path(sys.argv[1])))
"""
    found = reviewed(tmp_path, base, tree_with({"app/poison.py": "poison = 1\n"}, 60), boot=boot)
    assert (found.guilty, found.runs) == ({"app/poison.py": "it failed"}, 3)
    assert found.report["files"] == 61


def test_a_child_that_somebody_killed_is_run_again_and_no_file_is_blamed(tmp_path: Path, base: Path) -> None:
    mark = tmp_path / "once"
    boot = (
        _LIAR
        % f"""
from fastapi_architect.secapi.sandbox import child
if not Path({str(mark)!r}).exists():
    Path({str(mark)!r}).touch()
    import signal
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(child.main(Path(sys.argv[1])))
"""
    )
    found = reviewed(tmp_path, base, {"main.py": FLAWED}, boot=boot)
    assert (found.guilty, found.runs) == ({}, 2)


def test_code_that_nothing_lives_through_fails_with_a_reason(tmp_path: Path, base: Path) -> None:
    with pytest.raises(NotReviewed) as caught:
        reviewed(tmp_path, base, {"main.py": APP}, boot="import sys; sys.stderr.write('no'); sys.exit(3)")
    assert caught.value.code == "scan-died"
    assert caught.value.errors == "no"
    assert list(base.iterdir()) == []


def test_settings_of_a_policy_that_have_no_meaning_are_said_and_no_file_is_blamed(
    tmp_path: Path, base: Path
) -> None:
    with pytest.raises(NotReviewed) as caught:
        reviewed(tmp_path, base, {"main.py": APP}, policy=Policy(settings={"gaet": "info"}))
    assert caught.value.code == "scan-policy-invalid"
    assert "did you mean 'gate'" in caught.value.message


@pytest.mark.matrix
def test_the_search_is_bounded(tmp_path: Path, base: Path) -> None:
    files = tree_with({f"poison{number}.py": "" for number in range(16)}, 0)
    found = reviewed(
        tmp_path, base, files, boot=_POISONED % "import os; os._exit(5)", limits=SandboxLimits(runs=7)
    )
    assert found.runs == 7
    assert set(found.guilty) == set(not_analysed(found)) >= {f"poison{number}.py" for number in range(16)}


# ── children that say too much, or nothing ───────────────────────────────────────────────────────────────────────

WORDS = {
    "a huge result": ("say(b'R', b'x' * 3_000_000)", "it wanted to say 3,000,000 bytes at once"),
    "a huge message": ("say(b'P', b'x' * 50_000)", "it wanted to say 50,000 bytes at once"),
    "endless progress": (
        "while True: say(b'P', b'{\"stage\":\"x\",\"done\":1,\"total\":2}')", "it does not stop talking"),
    "another language": ("say(b'Q', b'')", "it said what nobody understands"),
    "invalid JSON": ("say(b'R', b'{')", "its result was no valid JSON"),
    "a lone surrogate": (
        r"say(b'R', b'{\"report\": {\"x\": \"\\ud800\"}, \"proposals\": [], \"proposed\": []}')",
        "its result was no valid JSON",
    ),
    "two results": ("say(b'R', b'{}'); say(b'R', b'{}')", "it went on after its result"),
    "nothing": ("", "it ended without a result"),
    "endless errors": ("sys.stderr.write('x' * 2_000_000); sys.exit(4)", "it failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_whatever_a_child_says_the_worker_stays_small_and_says_what_was_wrong(
    name: str, tmp_path: Path, base: Path
) -> None:
    code, wrong = WORDS[name]
    limits = SandboxLimits(result_bytes=2_000_000, runs=1)
    with pytest.raises(NotReviewed) as caught:
        reviewed(tmp_path, base, {"main.py": APP}, boot=_LIAR % code, limits=limits)
    assert wrong in caught.value.message
    assert len(caught.value.errors) <= 8_000


@pytest.mark.parametrize(
    "report", ["[]", "{}", '{"agent": "somebody"}', '{"agent":"backend-reviewer","findings":[{}]}', "[" * 50_000 + "]" * 50_000]
)  # fmt: skip
def test_a_result_that_is_no_report_is_refused(report: str, tmp_path: Path, base: Path) -> None:
    boot = (
        _LIAR
        % f"say(b'R', b'{{\"report\": ' + {report.encode()!r} + b', \"proposals\": [], \"proposed\": []}}')"
    )
    with pytest.raises(NotReviewed) as caught:
        reviewed(tmp_path, base, {"main.py": APP}, boot=boot, limits=SandboxLimits(runs=1))
    assert caught.value.code in {"scan-result-invalid", "scan-died"}


def test_what_a_database_cannot_hold_is_replaced_in_the_report(tmp_path: Path, base: Path) -> None:
    source = FLAWED.replace("SELECT '{q}'", "SELECT \\x00\\ud800 '{q}'")
    found = reviewed(tmp_path, base, {"main.py": source, "z.py": b"\xed\xa0\x80x = '\x00'"})
    text = json.dumps(found.report)
    assert "\\u0000" not in text
    text.encode()


# ── time and cancellation ────────────────────────────────────────────────────────────────────────────────────────

_SLEEPS = _LIAR % 'say(b\'P\', b\'{"stage":"asleep","done":0,"total":0}\')\nimport time; time.sleep(100)'


def children_of_this_process() -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if "ps -o" not in line and "job" in line]


def test_a_child_that_does_not_end_is_ended(tmp_path: Path, base: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(NotReviewed) as caught:
        reviewed(tmp_path, base, {"main.py": APP}, boot=_SLEEPS, seconds=1.5)
    assert time.monotonic() - begin < 20
    assert caught.value.code == "scan-took-too-long"
    assert children_of_this_process() == []


def test_a_child_that_closes_its_pipes_and_stays_is_ended(tmp_path: Path, base: Path) -> None:
    boot = _LIAR % "os.close(job.output); os.close(2); import time; time.sleep(100)"
    with pytest.raises(NotReviewed):
        reviewed(tmp_path, base, {"main.py": APP}, boot=boot, seconds=2)
    assert children_of_this_process() == []


def test_cancelling_ends_the_child_and_what_it_started(tmp_path: Path, base: Path) -> None:
    started = tmp_path / "grandchild"
    boot = (
        _LIAR
        % f"""
import subprocess, time
grandchild = subprocess.Popen(["sleep", "98765"])
Path({str(started)!r}).write_text(str(grandchild.pid))
time.sleep(100)
"""
    )
    with pytest.raises(Cancelled):
        reviewed(tmp_path, base, {"main.py": APP}, boot=boot, cancelled=started_is_there(started))
    assert list(base.iterdir()) == []
    grandchild = int(started.read_text())
    for _ in range(100):
        if not is_running(grandchild):
            return
        time.sleep(0.05)
    pytest.fail("what the child started is still there")


def started_is_there(path: Path) -> Callable[[], bool]:
    return lambda: path.exists() and path.read_text() != ""


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_dies_with_the_worker_that_started_it(tmp_path: Path, base: Path) -> None:
    boot = _POISONED % f"Path({str(base)!r}); import time; time.sleep(100)"
    code = f"""
import sys
from pathlib import Path
from fastapi_architect.secapi.sandbox import Root, review_root
from tests.secapi.sandbox.archive import APP, unpacked
def progress(*told):
    print(*told, flush=True)
review_root(unpacked(Path({str(tmp_path)!r}), {{"poison.py": APP}}), Root(""), base=Path({str(base)!r}), progress=progress, boot={boot!r})
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as worker:
        assert worker.stdout is not None
        while not worker.stdout.readline().startswith(b"understanding"):
            pass
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(worker.pid)], capture_output=True, text=True, check=True
        )
        [child] = [int(number) for number in listed.stdout.split()]
        worker.kill()
        worker.wait()
    for _ in range(100):
        if not is_running(child):
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its worker")


def test_roots_are_reviewed_one_by_one(tmp_path: Path, base: Path) -> None:
    files = {
        "services/a/pyproject.toml": "[project]\n", "services/a/main.py": FLAWED,
        "services/b/requirements.txt": "fastapi\n", "services/b/main.py": APP, "services/b/x.py": "def",
    }  # fmt: skip
    found = unpacked(tmp_path, files)
    results = {root.path: review_root(found, root, base=base) for root in roots_of(found)}
    assert {path: (FLAW in rules(each), not_analysed(each)) for path, each in results.items()} == {
        "a": (True, {}),
        "b": (False, {"x.py": "syntax error: invalid syntax, line 1"}),
    }
