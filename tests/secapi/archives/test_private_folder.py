"""Folders of scans: private, gone at the end, and swept when their owner was killed."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fastapi_architect.secapi.archives.private_folder import private_folder, sweep


def test_a_folder_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    base = tmp_path / "scans"
    with private_folder(base) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "content").write_text("x")
    assert list(base.iterdir()) == []


def test_a_folder_is_gone_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_folder(tmp_path):
        1 / 0  # noqa: B018
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_worker_is_swept_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from fastapi_architect.secapi.archives.private_folder import private_folder\n"
        "with private_folder(Path(sys.argv[1])) as folder:\n    (folder / 'x').touch()\n"
        "    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with private_folder(tmp_path) as mine, subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        assert sweep(tmp_path) == 0
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert sweep(tmp_path) == 1
        assert list(tmp_path.iterdir()) == [mine.parent]


def test_a_folder_whose_owner_died_before_it_was_locked_is_swept_and_one_that_is_being_made_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new-died").mkdir()
    while_making: list[int] = []
    make = Path.rename

    def rename(self: Path, target: Path) -> Path:
        while_making.append(sweep(tmp_path))
        return make(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with private_folder(tmp_path) as mine:
        assert while_making == [0]
        assert sweep(tmp_path) == 1
        assert list(tmp_path.iterdir()) == [mine.parent]
