"""Revisions in their history: what each finds, what it leaves, and which may still have to run."""

from __future__ import annotations

from pathlib import Path

from tests.rules.kit import write

from fastapi_architect.analyses.migration_history import RECENT, Histories, RevisionInHistory, histories
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.review.config import Config
from fastapi_architect.review.reading import read
from fastapi_architect.source.tree import SourceTree

ENV = """
from alembic import context

def run_migrations_online():
    context.configure(target_metadata=None{options})
    with context.begin_transaction():
        context.run_migrations()
"""


def revision(name: str, *down: str, upgrade: str = "pass") -> str:
    """The file of a revision."""
    parents = repr(down[0]) if len(down) == 1 else repr(down) if down else "None"
    return (
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision = {name!r}\ndown_revision = {parents}\n\n\n"
        f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    pass\n"
    )


CREATE = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True))'
ADD = 'op.add_column("books", sa.Column("title", sa.String))'


def graph_of(revisions: dict[str, str], folder: Path, options: str = "") -> AppGraph:
    files = {f"migrations/versions/{name}.py": text for name, text in revisions.items()}
    files["migrations/env.py"] = ENV.format(options=options)
    files["alembic.ini"] = "[alembic]\nscript_location = migrations\n"
    return read(SourceTree.open(write(files, folder)), Config(), cache=False).graph


def placed(graph: AppGraph, name: str) -> RevisionInHistory | None:
    history = graph.migrations[0]
    return histories(graph).of(history.by_id[name])


def chain(length: int) -> dict[str, str]:
    """`r0`, `r1`, ...: each on the one before."""
    return {f"r{n}": revision(f"r{n}", *([f"r{n - 1}"] if n else [])) for n in range(length)}


def columns(place: RevisionInHistory | None, *, after: bool) -> set[str] | None:
    assert place is not None
    table = (place.after if after else place.before).table("books")
    return set(table.columns) if table is not None else None


def test_each_revision_has_the_schema_before_and_behind_it(tmp_path: Path) -> None:
    graph = graph_of({"a": revision("a", upgrade=CREATE), "b": revision("b", "a", upgrade=ADD)}, tmp_path)

    assert columns(placed(graph, "a"), after=False) is None
    assert columns(placed(graph, "a"), after=True) == {"id"}
    assert columns(placed(graph, "b"), after=False) == {"id"}
    assert columns(placed(graph, "b"), after=True) == {"id", "title"}


def test_a_table_exists_only_where_an_earlier_revision_made_it(tmp_path: Path) -> None:
    graph = graph_of({"a": revision("a", upgrade=CREATE), "b": revision("b", "a", upgrade=ADD)}, tmp_path)
    first, second = placed(graph, "a"), placed(graph, "b")
    assert first is not None
    assert second is not None

    assert first.existing("books") is None
    assert second.existing("books") is not None
    assert second.existing(None) is None


def test_the_head_is_what_all_revisions_make_together(tmp_path: Path) -> None:
    graph = graph_of({"a": revision("a", upgrade=CREATE), "b": revision("b", "a", upgrade=ADD)}, tmp_path)
    table = histories(graph).head(graph.migrations[0]).table("books")

    assert table is not None
    assert set(table.columns) == {"id", "title"}


def test_the_last_ten_before_a_head_are_recent(tmp_path: Path) -> None:
    graph = graph_of(chain(RECENT + 3), tmp_path)
    recent = [n for n in range(RECENT + 3) if (place := placed(graph, f"r{n}")) is not None and place.recent]

    assert recent == list(range(3, RECENT + 3))


def test_each_head_of_a_branched_history_has_its_own_last_ten(tmp_path: Path) -> None:
    branch = {f"s{n}": revision(f"s{n}", f"s{n - 1}" if n else "r0") for n in range(RECENT)}
    graph = graph_of({**chain(RECENT + 1), **branch}, tmp_path)
    old = [
        name for name in graph.migrations[0].by_id if not (place := placed(graph, name)) or not place.recent
    ]

    assert old == ["r0"]


def test_both_parents_of_a_merge_are_recent(tmp_path: Path) -> None:
    graph = graph_of(
        {"a": revision("a"), "b": revision("b", "a"), "c": revision("c", "a"), "d": revision("d", "b", "c")},
        tmp_path,
    )
    places = [placed(graph, name) for name in "abcd"]

    assert all(place is not None and place.recent for place in places)


def test_revisions_on_a_cycle_come_behind_all_others_and_are_not_recent(tmp_path: Path) -> None:
    graph = graph_of(
        {"a": revision("a", "b", upgrade=ADD), "b": revision("b", "a"), "c": revision("c", upgrade=CREATE)},
        tmp_path,
    )

    assert columns(placed(graph, "a"), after=False) == {"id"}
    assert [place.recent for name in "abc" if (place := placed(graph, name)) is not None] == [
        False,
        False,
        True,
    ]


def test_a_revision_of_another_graph_has_no_place(tmp_path: Path) -> None:
    one = graph_of({"a": revision("a")}, tmp_path / "one")
    other = graph_of({"b": revision("b")}, tmp_path / "other")

    assert histories(one).of(other.migrations[0].by_id["b"]) is None


def test_operations_are_asked_for_by_kind_and_of_recent_revisions_only(tmp_path: Path) -> None:
    files = chain(RECENT + 2)
    files["r0"] = revision("r0", upgrade=CREATE)
    files[f"r{RECENT}"] = revision(f"r{RECENT}", f"r{RECENT - 1}", upgrade=ADD)
    graph = graph_of(files, tmp_path)
    found = histories(graph)
    by_id = graph.migrations[0].by_id

    assert [o.kind for _, o in found.upgrades(by_id[f"r{RECENT}"], "add_column")] == ["add_column"]
    assert list(found.upgrades(by_id[f"r{RECENT}"], "create_table")) == []
    assert list(found.upgrades(by_id["r0"], "create_table")) == []


def test_statements_run_in_a_transaction_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    usual = placed(graph_of(chain(1), tmp_path / "usual"), "r0")
    without = placed(graph_of(chain(1), tmp_path / "without", ", transactional_ddl=False"), "r0")
    assert usual is not None
    assert without is not None

    assert usual.runs_in_transaction
    assert not without.runs_in_transaction


def test_a_history_without_an_environment_runs_in_a_transaction(tmp_path: Path) -> None:
    files = {f"migrations/versions/{name}.py": text for name, text in chain(1).items()}
    graph = read(SourceTree.open(write(files, tmp_path)), Config(), cache=False).graph
    place = placed(graph, "r0")
    assert place is not None

    assert place.history.environment is None
    assert place.runs_in_transaction


def test_two_folders_are_two_histories(tmp_path: Path) -> None:
    files = {
        "shop/migrations/versions/a.py": revision("a", upgrade=CREATE),
        "blog/migrations/versions/a.py": revision("a"),
    }
    graph = read(SourceTree.open(write(files, tmp_path)), Config(), cache=False).graph
    tables = {h.folder: histories(graph).head(h).table("books") is not None for h in graph.migrations}

    assert tables == {"blog/migrations/versions": False, "shop/migrations/versions": True}


def test_histories_are_replayed_once_for_a_graph(tmp_path: Path) -> None:
    graph = graph_of(chain(1), tmp_path)

    assert isinstance(histories(graph), Histories)
    assert histories(graph) is histories(graph)
