"""`architect show` as typed by a person: what it prints, what it answers to a mistake, and by which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BOOKSHOP = Path(__file__).parents[2] / "examples" / "bookshop"


def architect(*arguments: str, cwd: Path = BOOKSHOP) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastapi_architect", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_a_route_of_the_bookshop_is_shown_as_text() -> None:
    done = architect("show", "GET /orders/{id}")
    assert done.returncode == 0, done.stderr
    for said in (
        "GET /api/v1/orders/{order_id}  app.orders.router.read_order",
        "CORSMiddleware",
        "get_current_user",
        "yields AsyncSession",
        "searches by orders.id ==: index",
        "order_id: UUID  path, required",
        "Findings (0)",
    ):
        assert said in done.stdout


def test_the_same_as_json_is_written_to_a_file(tmp_path: Path) -> None:
    done = architect(
        "show",
        "/api/v1/orders",
        str(BOOKSHOP),
        "--format",
        "json",
        "-o",
        str(tmp_path / "out.json"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "")
    document = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert [each["route"] for each in document["routes"]] == ["POST /api/v1/orders", "GET /api/v1/orders"]
    assert all("findings" in each for each in document["routes"])


def test_without_findings_no_rule_is_asked() -> None:
    done = architect("show", "GET /orders/{id}", "--no-findings", "--format", "json")
    assert "findings" not in json.loads(done.stdout)["routes"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["GET /order"], "did you mean"),
        ([""], "the route is empty"),
        ([], "ROUTE"),
        (["GET /orders", "--app", "bakery"], "there is no application 'bakery'; there are: app/main.py:app"),
        (["GET /orders", "nowhere"], "nowhere"),
        (["GET", "/orders"], "quote the route: architect show 'GET /orders'"),
    ],
)
def test_a_mistake_is_a_usage_error_that_names_the_next_step(arguments: list[str], said: str) -> None:
    done = architect("show", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
