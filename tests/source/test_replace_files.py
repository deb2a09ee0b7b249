"""Files are replaced all together or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastapi_architect.source.replace_files import CannotReplace, Replacement, replace_files


def test_files_get_their_new_bytes_and_keep_their_mode(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_bytes(b"old\r\n")
    script.chmod(0o750)

    replace_files(tmp_path, {"run.py": Replacement(b"old\r\n", b"new\r\n")})

    assert script.read_bytes() == b"new\r\n"
    assert script.stat().st_mode & 0o777 == 0o750
    assert [each.name for each in tmp_path.iterdir()] == ["run.py"]


def test_nothing_is_written_when_one_file_has_changed_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"a")
    (tmp_path / "b.py").write_bytes(b"somebody's work")

    with pytest.raises(CannotReplace, match=r"b\.py has changed since"):
        replace_files(tmp_path, {"a.py": Replacement(b"a", b"A"), "b.py": Replacement(b"b", b"B")})

    assert (tmp_path / "a.py").read_bytes() == b"a"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "b.py"]


def test_what_was_renamed_is_put_back_when_a_later_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        (tmp_path / f"{name}.py").write_text(name)
    renamed = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if Path(target).name == "b.py":
            raise PermissionError(13, "Permission denied", str(target))
        return renamed(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(CannotReplace, match="no file was changed"):
        replace_files(tmp_path, {"a.py": Replacement(b"a", b"A"), "b.py": Replacement(b"b", b"B")})

    assert (tmp_path / "a.py").read_text() == "a"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "b.py"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_link_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_bytes(b"a")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")

    with pytest.raises(CannotReplace):
        replace_files(tmp_path, {"link.py": Replacement(b"a", b"A")})

    assert (tmp_path / "link.py").is_symlink()
