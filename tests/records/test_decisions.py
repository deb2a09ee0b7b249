"""Decision records continue what a project has, never share a number, never leave it and never overwrite."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from fastapi_architect.__main__ import main
from fastapi_architect.records import decision, writing
from fastapi_architect.records.decision import Decision, Option
from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.listing import found, listed
from fastapi_architect.records.place import Folder, decisions_folder

DAY = date(2026, 11, 21)


def put(root: Path, *names: str, text: str = "# x\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write(root: Path, title: str = "Use PostgreSQL", **fields: object) -> str:
    file = decision.write(decisions_folder(root), Decision(title=title, day=DAY, **fields))  # type: ignore[arg-type]
    return file.relative_to(root).as_posix()


@pytest.mark.parametrize(
    ("there", "next_one"),
    [
        ((), "docs/decisions/0001-use-postgresql.md"),
        (("docs/adr/0007-x.md", "docs/adr/README.md"), "docs/adr/0008-use-postgresql.md"),
        (("docs/adr/ADR-009-x.md", "docs/adr/ADR-010-y.md"), "docs/adr/ADR-011-use-postgresql.md"),
        (("doc/adr/9_x_y.md",), "doc/adr/10_use_postgresql.md"),
        (("docs/adr/9999-x.md", "docs/adr/0001-y.md"), "docs/adr/10000-use-postgresql.md"),
        (("docs/architecture/decisions/001-x.rst",), "docs/architecture/decisions/002-use-postgresql.md"),
        (("docs/adr/2024-05-01-x.md",), "docs/adr/2026-11-21-use-postgresql.md"),
        (("docs/adr/20240501-x.md",), "docs/adr/20261121-use-postgresql.md"),
        (("docs/adr/template.md", "docs/adr/0003-x.png"), "docs/adr/0001-use-postgresql.md"),
    ],
)
def test_the_folder_and_style_that_are_there_are_continued(
    tmp_path: Path, there: tuple[str, ...], next_one: str
) -> None:
    put(tmp_path, *there)
    assert write(tmp_path) == next_one


def test_from_a_folder_below_the_record_goes_to_the_repository_s_own_place(tmp_path: Path) -> None:
    put(tmp_path, "docs/adr/0001-x.md", "backend/pyproject.toml", "backend/app/main.py", text="")
    (tmp_path / ".git").mkdir()
    assert decisions_folder(tmp_path / "backend/app").path == tmp_path / "docs/adr"
    assert decisions_folder(tmp_path / "backend/app/main.py").path == tmp_path / "docs/adr"


def test_without_a_folder_the_record_goes_beside_the_nearest_pyproject(tmp_path: Path) -> None:
    put(tmp_path, "backend/pyproject.toml", "backend/app/main.py", text="")
    (tmp_path / ".git").mkdir()
    assert decisions_folder(tmp_path / "backend/app").path == tmp_path / "backend/docs/decisions"


def test_adr_tools_and_the_configuration_name_the_folder(tmp_path: Path) -> None:
    put(tmp_path, ".adr-dir", text="arch/log\n")
    assert decisions_folder(tmp_path).path == tmp_path / "arch/log"
    assert decisions_folder(tmp_path, "why").path == tmp_path / "why"


@pytest.mark.parametrize("link", ["docs", "docs/decisions"])
def test_nothing_is_written_through_a_link_that_leads_outside(tmp_path: Path, link: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "decisions").mkdir(parents=True)
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside)
    with pytest.raises(RecordError, match="lies outside"):
        write(root)
    assert [each.name for each in outside.rglob("*")] == ["decisions"]


@pytest.mark.parametrize("named", ["../elsewhere", "/tmp"])
def test_adr_tools_cannot_lead_outside(tmp_path: Path, named: str) -> None:
    put(tmp_path / "root", ".adr-dir", text=named)
    with pytest.raises(RecordError, match="lies outside"):
        write(tmp_path / "root")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_folder_s_place_is_named(tmp_path: Path) -> None:
    put(tmp_path, "docs/decisions")
    with pytest.raises(RecordError, match="is a file"):
        write(tmp_path)


def test_forty_at_once_never_share_a_number(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from fastapi_architect.records import decision\n"
        "from fastapi_architect.records.place import decisions_folder\n"
        "for n in range(10):\n"
        "    decision.write(decisions_folder(Path(sys.argv[1])), decision.Decision(title=f'D {sys.argv[2]} {n}', day=date(2026, 1, 1)))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(each)], env=os.environ)
        for each in range(4)
    ]
    assert [each.wait(60) for each in running] == [0] * 4
    records = listed(decisions_folder(tmp_path))
    assert [each.number for each in records] == list(range(1, 41))
    assert [each.name for each in records if not each.title.startswith("D ")] == []
    assert not [each for each in (tmp_path / "docs/decisions").iterdir() if each.name.startswith(".")]


def test_a_record_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    put(tmp_path, "docs/adr/2026-11-21-use-postgresql.md", text="mine")
    with pytest.raises(RecordError, match="never overwritten"):
        write(tmp_path)
    assert (tmp_path / "docs/adr/2026-11-21-use-postgresql.md").read_text() == "mine"
    assert len(list((tmp_path / "docs/adr").iterdir())) == 1


@pytest.mark.parametrize("links", [True, False])
def test_a_name_taken_at_the_last_moment_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Somebody who does not ask for the lock writes the file between the numbering and the writing."""
    folder = decisions_folder(tmp_path)
    if not links:

        def no_links(*_: object, **__: object) -> None:
            raise PermissionError(1, "no links here")

        monkeypatch.setattr(os, "link", no_links)

    def text(_: int) -> str:
        put(tmp_path, "docs/decisions/0001-t.md", text="theirs")
        return "ours"

    with pytest.raises(RecordError, match="never overwritten"):
        writing.write_next(folder, "T", DAY, text)
    assert (tmp_path / "docs/decisions/0001-t.md").read_text() == "theirs"
    assert len(list(folder.path.iterdir())) == 1


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = decisions_folder(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(RecordError, match="no space left"):
        writing.write_next(folder, "T", DAY, lambda _: "x")
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": " "}, "needs a title"),
        ({"title": "two\nlines"}, "one line"),
        ({"title": "x" * 121}, "121 characters"),
        ({"title": "x", "options": (Option("a"),)}, "name another one"),
        ({"title": "x", "options": tuple(Option(n) for n in "abcd")}, "keep the three best"),
        ({"title": "x", "options": (Option("a"), Option("A "))}, "name of its own"),
        ({"title": "x", "status": "done"}, "no status"),
    ],
)
def test_what_is_no_decision_is_refused(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        write(tmp_path, **fields)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_record_holds_what_was_said_and_asks_for_the_rest(tmp_path: Path) -> None:
    options = (Option("RLS", ("one place",), ("every query pays",)), Option("Schemas"))
    name = write(
        tmp_path, "Keep tenants apart", options=options, drivers=("a leak ends us",), context="# 90 tenants"
    )
    sections = (tmp_path / name).read_text().split("\n## ")
    assert [each.split("\n")[0] for each in sections] == [
        "# 1. Keep tenants apart",
        "Context",
        "Decision drivers",
        "Options",
        "Decision",
        "Consequences",
    ]
    assert "\\# 90 tenants" in sections[1]
    assert "* a leak ends us" in sections[2]
    assert "* Good: one place\n* Bad: every query pays" in sections[3]
    assert sections[3].count("To be answered") == 2
    assert "To be answered" in sections[4]
    assert "To be answered" in sections[5]


def test_a_secret_does_not_get_into_a_record_or_its_name(tmp_path: Path) -> None:
    name = write(
        tmp_path, "Use the token ghp_0123456789abcdefghij0123456789abcdef", context="password=hunter2"
    )
    assert not [secret for secret in ("ghp_0", "hunter2") if secret in name + (tmp_path / name).read_text()]


@pytest.mark.parametrize(
    ("text", "title", "status"),
    [
        ("# 12. Use Redis\n\nDate: x\n\n## Status\n\nAccepted\n", "Use Redis", "Accepted"),
        ('---\nstatus: "accepted"\n---\n# Use Redis\n', "Use Redis", '"accepted"'),
        ("# ADR-0012: Use Redis\n\n* **Status:** superseded by 13\n", "Use Redis", "superseded by 13"),
        ("Use Redis\n=========\n\nnothing\n", "Use Redis", ""),
        ("nothing at all", "0012-x.md", ""),
    ],
)
def test_records_of_other_tools_are_listed(tmp_path: Path, text: str, title: str, status: str) -> None:
    put(tmp_path, "docs/adr/0012-x.md", text=text)
    [record] = listed(decisions_folder(tmp_path))
    assert (record.number, record.title, record.status) == (12, title, status)


def test_a_link_is_no_record(tmp_path: Path) -> None:
    put(tmp_path, "docs/adr/0001-x.md", "secret.txt")
    (tmp_path / "docs/adr/0002-y.md").symlink_to(tmp_path / "secret.txt")
    folder = decisions_folder(tmp_path)
    assert [each.name for each in listed(folder)] == ["0001-x.md"]
    with pytest.raises(RecordError, match="no record"):
        found(folder, "2")


def test_a_record_is_found_by_number_or_name(tmp_path: Path) -> None:
    put(tmp_path, "docs/adr/0001-use-redis.md", "docs/adr/0002-use-postgresql.md")
    folder: Folder = decisions_folder(tmp_path)
    assert found(folder, "2").name == found(folder, "postgres").name == "0002-use-postgresql.md"
    with pytest.raises(RecordError, match="say more"):
        found(folder, "use")


def test_control_signs_of_another_one_s_record_do_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "docs/adr/0001-x.md", text="# \x1b[2Jgone\u202e\n")
    assert main(["adr", "list", "--path", str(tmp_path)]) == 0
    assert main(["adr", "show", "1", "--path", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_the_command_writes_shows_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "pyproject.toml", text='[tool.fastapi-architect.records]\ndecisions = "why"\n')
    new = ["adr", "new", "Use Redis", "--option", "Redis: +fast; +known; -memory", "--option", "None: -slow"]
    assert main([*new, "--dry-run", "--path", str(tmp_path)]) == 0
    assert not (tmp_path / "why").exists()
    assert main([*new, "--path", str(tmp_path)]) == 0
    assert main(["adr", "new", "Use Valkey", "--supersedes", "1", "--path", str(tmp_path)]) == 0
    first = (tmp_path / "why/0001-use-redis.md").read_text()
    assert "* Good: fast\n* Good: known\n* Bad: memory\n" in first
    assert "(0001-use-redis.md)" in (tmp_path / "why/0002-use-valkey.md").read_text()
    assert (tmp_path / "why/0001-use-redis.md").read_text() == first
    capsys.readouterr()
    assert main(["adr", "list", "--path", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split("\n")[1].split() == [
        "2", "proposed", "Use", "Valkey", "(why/0002-use-valkey.md)"
    ]  # fmt: skip
