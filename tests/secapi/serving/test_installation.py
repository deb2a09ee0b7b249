"""What an installation keeps lies in its folder, or it says where else."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from fastapi_architect.secapi.serving.installation import environment, only_one


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL itself")
def test_of_root_too_everything_lies_in_the_folder_unless_nobody_else_may_go_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    with tempfile.TemporaryDirectory(prefix="installation-") as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        Path(folder).chmod(0o755)
        with only_one(data):
            environment(data, stack, given)
        assert (data / "postgresql" / "data").is_dir()
        assert data.stat().st_mode & 0o777 == 0o711
        assert capsys.readouterr().err == ""

        closed = Path(folder) / "closed"
        closed.mkdir(mode=0o700)
        with only_one(closed / "data"):
            environment(closed / "data", stack, given)
        assert f"cannot go into {closed / 'data'}" in capsys.readouterr().err
