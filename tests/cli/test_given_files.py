"""Files named one by one, as a commit hook does: understood within their projects, and reported alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

GUARD = """
    from fastapi import Depends, HTTPException
    from fastapi.security import HTTPBearer

    scheme = HTTPBearer()


    def current_user(token=Depends(scheme)) -> str:
        if not token:
            raise HTTPException(401)
        return "somebody"
"""
MAIN = """
    from fastapi import Depends, FastAPI

    from app.guard import current_user
    from app.orders import router

    app = FastAPI(dependencies=[Depends(current_user)])
    app.include_router(router)
"""
ORDERS = """
    import time

    from fastapi import APIRouter

    router = APIRouter()


    @router.post("/orders")
    async def place_order(number: str) -> None:
        time.sleep(1)
"""


def files_of(project: Path) -> None:
    for name, text in {"__init__": "", "guard": GUARD, "main": MAIN, "orders": ORDERS}.items():
        file = project / "app" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), "utf-8")
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\n", "utf-8")


def git(folder: Path, *arguments: str) -> None:
    names = {
        f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **names}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "shop"
    files_of(project)
    git(tmp_path, "init", "-q", "-b", "main", str(project))
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    return project


def review(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastapi_architect", "review", "--format", "concise", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_a_file_is_understood_within_its_project_and_reported_alone(shop: Path) -> None:
    done = review(shop, "app/orders.py", "app/guard.py")
    assert done.returncode == 1, done.stderr
    assert "app/orders.py:11:5: important blocking-sleep-in-async" in done.stdout
    (shop / "app" / "slow.py").write_text(
        "import time\n\n\ndef wait() -> None:\n    time.sleep(1)\n", "utf-8"
    )
    calling = ORDERS.replace("import time", "from app.slow import wait").replace("time.sleep(1)", "wait()")
    (shop / "app" / "orders.py").write_text(textwrap.dedent(calling), "utf-8")
    # What `wait` does stands in a file that was not named.
    assert (
        "app/orders.py:11:5: important blocking-call-through-sync-helper"
        in review(shop, "app/orders.py").stdout
    )
    (shop / "app" / "slow.py").write_text("def wait() -> None: ...\n", "utf-8")
    assert "blocking" not in review(shop, "app/orders.py").stdout


def test_findings_of_other_files_neither_show_nor_fail(shop: Path) -> None:
    done = review(shop, "app/guard.py", "app/main.py", "--select", "blocking-sleep-in-async")
    assert (done.returncode, done.stdout) == (0, "architect: nothing found\n")
    assert review(shop, "--select", "blocking-sleep-in-async").returncode == 1


def test_a_deleted_file_is_left_out_and_the_others_are_reviewed(shop: Path) -> None:
    (shop / "app" / "guard.py").unlink()
    done = review(shop, "app/guard.py", "app/orders.py")
    assert done.returncode == 1
    assert "app/guard.py is deleted, and left out" in done.stderr
    alone = review(shop, "app/guard.py")
    assert (alone.returncode, alone.stdout) == (0, "")
    assert "nothing is left to review" in alone.stderr


def test_a_renamed_file_is_reported_by_its_new_name(shop: Path) -> None:
    git(shop, "mv", "app/orders.py", "app/purchases.py")
    done = review(shop, "app/orders.py", "app/purchases.py")
    assert "app/purchases.py:11:5: important blocking-sleep-in-async" in done.stdout
    assert "app/orders.py is deleted" in done.stderr


def test_each_project_of_a_monorepo_is_its_own_context(shop: Path) -> None:
    for name in ("one", "two"):
        files_of(shop / name)
    (shop / "two" / "pyproject.toml").write_text(
        "[tool.fastapi-architect]\nignore = ['async_patterns']\n", "utf-8"
    )
    done = review(shop, "one/app/orders.py", "two/app/orders.py", "--select", "blocking-sleep-in-async")
    assert done.returncode == 1, done.stderr
    assert "one/app/orders.py:11:5: " in done.stdout
    assert "two/app/orders.py" not in done.stdout
    deeper = review(
        shop / "one", "app/orders.py", "../two/app/guard.py", "--select", "blocking-sleep-in-async"
    )
    assert deeper.stdout.startswith("app/orders.py:11:5: ")


def test_a_report_of_one_document_wants_one_project(shop: Path) -> None:
    for name in ("one", "two"):
        files_of(shop / name)
    done = review(shop, "one/app/orders.py", "two/app/orders.py", "--report", "sarif=out.sarif")
    assert done.returncode == 2
    assert "the files lie in 2 projects" in done.stderr
    assert not (shop / "out.sarif").exists()
    assert done.stdout == ""


def test_the_project_may_be_named(shop: Path) -> None:
    inner = shop / "inner"
    inner.mkdir()
    (inner / "requirements.txt").write_text("fastapi\n", "utf-8")
    (inner / "jobs.py").write_text("x = 1\n", "utf-8")
    assert (
        review(
            shop, "app/orders.py", "inner/jobs.py", "--project", ".", "--report", "json=out.json"
        ).returncode
        == 1
    )
    assert json.loads((shop / "out.json").read_text("utf-8"))["left_out"]
    outside = review(shop, "app/orders.py", "--project", "inner")
    assert outside.returncode == 2
    assert "app/orders.py lies outside inner" in outside.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["app/orders.py", "nowhere.py"], "there is nothing at nowhere.py"),
        (["app", "app/orders.py"], "app is a folder; name one folder, or any number of files"),
        (["app", "--project", "."], "--project belongs to files"),
        (["app/orders.py", "--project", "nowhere"], "there is no folder nowhere"),
        (["--write-baseline", "x", "--report", "json=y"], "leave --report out"),
        (["--report", "sarif"], "'sarif' is no FORMAT=FILE"),
        (["--report", "papyrus=x"], "formats are text, concise"),
        (["--report", "json=nowhere/x.json"], "nowhere/x.json cannot be written"),
        (["--report", "json=x", "--report", "sarif=x"], "two reports would be written to one file"),
    ],
)
def test_a_mistake_is_a_usage_error_and_nothing_is_written(
    shop: Path, arguments: list[str], said: str
) -> None:
    before = sorted(shop.rglob("*"))
    done = review(shop, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert sorted(shop.rglob("*")) == before


def test_several_reports_come_of_one_review(shop: Path) -> None:
    reports = {
        form: shop.parent / f"out.{form}"
        for form in ("json", "sarif", "gitlab", "markdown", "html", "github")
    }
    done = review(shop, *(part for form, file in reports.items() for part in ("--report", f"{form}={file}")))
    assert done.returncode == 1
    assert "blocking-sleep-in-async" in done.stdout
    for form, file in reports.items():
        assert "blocking-sleep-in-async" in file.read_text("utf-8"), form
    (entry,) = [
        e
        for e in json.loads(reports["gitlab"].read_text("utf-8"))
        if e["check_name"] == "blocking-sleep-in-async"
    ]
    assert entry["location"]["path"] == "app/orders.py"


def test_reports_name_files_from_the_root_of_the_repository(shop: Path) -> None:
    files_of(shop / "services" / "orders")
    report = shop / "out.json"
    review(shop, "services/orders", "--report", f"gitlab={report}", "--select", "blocking-sleep-in-async")
    assert [e["location"]["path"] for e in json.loads(report.read_text("utf-8"))] == [
        "services/orders/app/orders.py"
    ]
