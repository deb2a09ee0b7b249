"""Exporting pinned trees, on a made-up repository."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "ecosystem" / "checkout.py"
SPEC = importlib.util.spec_from_file_location("ecosystem_checkout", PATH)
assert SPEC is not None
assert SPEC.loader is not None
checkout = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = checkout
SPEC.loader.exec_module(checkout)


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def project(commit: str, **more: Any) -> Any:
    values: dict[str, Any] = {
        "name": "shop",
        "repository": "owner/shop",
        "commit": commit,
        "roots": ("api",),
        "style": "",
        "kloc": 0.0,
        "pair": 1,
        "unseen": False,
    }
    return checkout.Project(**{**values, **more})


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "api").mkdir(parents=True)
    (work / "api" / "main.py").write_text("first = 1\n")
    (work / "api" / "logo.png").write_bytes(b"large")
    git("init", "-q", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-qm", "first", cwd=work)
    (work / "api" / "main.py").write_text("second = 2\nthird = 3\n")
    git("commit", "-qam", "second", cwd=work)
    git("clone", "-q", "--bare", str(work), str(tmp_path / "mirrors" / "owner+shop"), cwd=tmp_path)
    return tmp_path / "mirrors"


def head(mirrors: Path, revision: str = "HEAD") -> str:
    return git("rev-parse", revision, cwd=mirrors / "owner+shop")


def test_the_tree_of_the_pinned_commit_is_exported_not_the_newest(mirrors: Path, tmp_path: Path) -> None:
    folder = checkout.export(project(head(mirrors, "HEAD~1")), mirrors, tmp_path / "trees")
    assert (folder / "api" / "main.py").read_text() == "first = 1\n"
    assert checkout.count_lines(folder) == 1


def test_a_changed_pin_replaces_the_tree(mirrors: Path, tmp_path: Path) -> None:
    checkout.export(project(head(mirrors, "HEAD~1")), mirrors, tmp_path / "trees")
    folder = checkout.export(project(head(mirrors)), mirrors, tmp_path / "trees")
    assert checkout.count_lines(folder) == 2


def test_a_missing_mirror_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(checkout.CheckoutError, match=r"git clone --bare https://github\.com/owner/shop"):
        checkout.export(project("0" * 40), tmp_path, tmp_path / "trees")


def test_a_commit_that_the_mirror_lacks_is_refused(mirrors: Path, tmp_path: Path) -> None:
    with pytest.raises(checkout.CheckoutError, match=f"has no commit {'0' * 40}"):
        checkout.export(project("0" * 40), mirrors, tmp_path / "trees")


def test_a_root_that_is_not_in_the_tree_is_refused(mirrors: Path, tmp_path: Path) -> None:
    with pytest.raises(checkout.CheckoutError, match="no folder 'web'"):
        checkout.export(project(head(mirrors), roots=("web",)), mirrors, tmp_path / "trees")


def forget(mirrors: Path, path: str) -> None:
    """Removes the content of a file from the mirror, as stored copies do with very large ones."""
    blob = git("rev-parse", f"HEAD:{path}", cwd=mirrors / "owner+shop")
    (mirrors / "owner+shop" / "objects" / blob[:2] / blob[2:]).unlink()


def test_an_asset_that_the_mirror_leaves_out_is_skipped(mirrors: Path, tmp_path: Path) -> None:
    forget(mirrors, "api/logo.png")
    folder = checkout.export(project(head(mirrors)), mirrors, tmp_path / "trees")
    assert [path.name for path in (folder / "api").iterdir()] == ["main.py"]


def test_source_that_the_mirror_leaves_out_is_an_error(mirrors: Path, tmp_path: Path) -> None:
    forget(mirrors, "api/main.py")
    with pytest.raises(checkout.CheckoutError, match=r"lacks api/main\.py"):
        checkout.export(project(head(mirrors)), mirrors, tmp_path / "trees")


def test_at_least_ten_projects_are_pinned_and_half_of_them_or_more_unseen() -> None:
    projects = checkout.load_projects()
    assert len(projects) >= 10
    assert sum(p.unseen for p in projects) * 2 >= len(projects)


def test_of_each_pair_one_or_both_are_unseen() -> None:
    pairs: dict[int, list[bool]] = {}
    for pinned in checkout.load_projects():
        pairs.setdefault(pinned.pair, []).append(pinned.unseen)
    assert {tuple(sorted(pair)) for pair in pairs.values()} <= {(False, True), (True, True)}


def test_the_speed_set_has_three_large_trees() -> None:
    sizes = [p.kloc for p in checkout.load_projects() if p.speed]
    assert len(sizes) >= 3
    assert min(sizes) >= 80
    assert max(sizes) > 150
