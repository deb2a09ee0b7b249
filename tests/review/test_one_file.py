"""A file reviewed by itself has the findings that a review of its whole project has in it."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
from msgspec.structs import replace

from fastapi_architect.findings.baseline import Baseline
from fastapi_architect.findings.finding import Finding
from fastapi_architect.review import pipeline
from fastapi_architect.review.config import load
from fastapi_architect.review.one_file import NEED_EVERYTHING, FileReview, review_file
from fastapi_architect.review.remembered import Remembered
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import NoSuchPath

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

from generate import write_tree  # noqa: E402


def request_for(path: Path, remembered: Remembered | None = None) -> pipeline.Request:
    return pipeline.Request(path, load(path, all_rules().values()), cache=False, remembered=remembered)


def whole(folder: Path) -> dict[str, set[Finding]]:
    """By file what a review of everything finds, without what counts over the whole project."""
    found: dict[str, set[Finding]] = {}
    for finding in pipeline.review(request_for(folder)).findings:
        if finding.rule.name not in NEED_EVERYTHING:
            found.setdefault(finding.location.path, set()).add(replace(finding, fingerprint=""))
    return found


def one(path: Path, remembered: Remembered | None = None) -> FileReview:
    return review_file(request_for(path, remembered))


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.mark.parametrize("example", ["bookshop_vulnerable", "bookshop"])
def test_every_file_of_the_examples_has_the_findings_of_the_whole(example: str) -> None:
    folder = ROOT / "examples" / example
    expected = whole(folder)
    remembered = Remembered()
    names = {path.relative_to(folder).as_posix() for path in sorted((folder / "app").rglob("*.py"))[::8]}
    for name in sorted(names | {each for each in expected if each.endswith(".py")}):
        path = folder / name
        assert set(one(path, remembered).findings) == expected.get(name, set()), name


def test_files_of_a_generated_backend_have_the_findings_of_the_whole(tmp_path: Path) -> None:
    write_tree(tmp_path, 4)
    (tmp_path / "requirements.txt").write_text("fastapi\nsqlalchemy\n", encoding="utf-8")
    expected = whole(tmp_path)
    assert len(expected) > 5
    remembered = Remembered()
    read = []
    for path in [*map(tmp_path.joinpath, sorted(expected)), *sorted(tmp_path.rglob("*.py"))[::9]]:
        if path.suffix != ".py":
            continue
        found = one(path, remembered)
        assert set(found.findings) == expected.get(found.path, set()), found.path
        read.append(found.files / found.of)
    assert min(read) < 0.8  # it does not agree by reading everything


#: What stands between the request and the statement, file by file.
FLOW = {
    "requirements.txt": "fastapi\nsqlalchemy\n",
    "app/__init__.py": "",
    "app/main.py": """
        from fastapi import FastAPI
        from app.books import routes
        from app.other import routes as other
        app = FastAPI()
        app.include_router(routes.router)
        app.include_router(other.router)
    """,
    "app/db.py": """
        from sqlalchemy import create_engine
        engine = create_engine("postgresql://db/shop")
    """,
    "app/books/__init__.py": "",
    "app/books/routes.py": """
        from fastapi import APIRouter
        from app import services
        router = APIRouter()

        @router.get("/books")
        def search(title: str):
            return services.search(title)
    """,
    "app/services/__init__.py": "from app.services.searching import search\n",
    "app/services/searching.py": """
        from app.store import Store

        def search(title):
            return Store().matching(f"title = '{title}'")
    """,
    "app/store.py": """
        from sqlalchemy import text
        from app.db import engine

        class Store:
            def matching(self, condition):
                with engine.connect() as connection:
                    return connection.execute(text("SELECT * FROM books WHERE " + condition)).all()
    """,
    "app/other/__init__.py": "",
    "app/other/routes.py": """
        from fastapi import APIRouter
        from app.other.counting import count
        router = APIRouter()

        @router.get("/count")
        def counted(n: int):
            return count(n)
    """,
    "app/other/counting.py": "def count(n):\n    return n + 1\n",
}


def test_a_rule_that_needs_everything_is_said_not_to_have_been_asked(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    assert set(one(tmp_path / "app/main.py").not_asked) == NEED_EVERYTHING


def rules_in(found: FileReview) -> set[str]:
    return {finding.rule.name for finding in found.findings}


def test_request_data_is_followed_from_other_files_into_the_file(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    found = one(tmp_path / "app/store.py")
    assert "sql-injection-raw-statement" in rules_in(found)
    assert set(found.findings) == whole(tmp_path)["app/store.py"]
    (injection,) = (f for f in found.findings if f.rule.name == "sql-injection-raw-statement")
    assert {step.location.path for step in injection.trace} >= {"app/books/routes.py"}
    assert injection.routes == ("GET /books",)


def test_routers_beside_the_files_own_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    found = one(tmp_path / "app/store.py")
    assert found.of == 11
    assert found.files < found.of
    assert one(tmp_path / "app/other/counting.py").files < found.of


def test_a_caller_that_knows_only_the_protocol_is_read(tmp_path: Path) -> None:
    files = {
        "app/ports.py": """
            from typing import Protocol

            class Searching(Protocol):
                def matching(self, condition: str) -> list: ...
        """,
        "app/store.py": """
            from sqlalchemy import text
            from app.db import engine
            from app.ports import Searching

            class Store(Searching):
                def matching(self, condition: str) -> list:
                    with engine.connect() as connection:
                        return connection.execute(text("SELECT * FROM books WHERE " + condition)).all()
        """,
        "app/services/searching.py": """
            from app.ports import Searching

            def search(title, store: Searching):
                return store.matching(f"title = '{title}'")
        """,
        "app/books/routes.py": """
            from fastapi import APIRouter
            from app import services
            from app.wiring import store
            router = APIRouter()

            @router.get("/books")
            def search(title: str):
                return services.search(title, store())
        """,
        "app/wiring.py": """
            from app.ports import Searching

            def store() -> Searching:
                from app.store import Store
                return Store()
        """,
    }
    write(tmp_path, FLOW | files)
    assert set(one(tmp_path / "app/store.py").findings) == whole(tmp_path).get("app/store.py", set())


MODELS = {
    "requirements.txt": "fastapi\nsqlalchemy\nalembic\npsycopg\n",
    "app/__init__.py": "",
    "app/main.py": "from fastapi import FastAPI\nfrom app import db\napp = FastAPI()\n",
    "app/db.py": """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import DeclarativeBase
        engine = create_engine("postgresql://db/shop")

        class Base(DeclarativeBase):
            pass
    """,
    "app/mixins/__init__.py": """
        from sqlalchemy.orm import Mapped, mapped_column
        from app.mixins.stamps import Stamped

        class Common(Stamped):
            id: Mapped[int] = mapped_column(primary_key=True)
    """,
    "app/mixins/stamps.py": """
        from datetime import datetime
        from sqlalchemy.orm import Mapped, mapped_column

        class Stamped:
            made: Mapped[datetime] = mapped_column()
    """,
    "app/users.py": """
        from sqlalchemy.orm import Mapped, mapped_column, relationship
        from app.db import Base
        from app.mixins import Common

        class User(Common, Base):
            __tablename__ = "users"
            orders: Mapped[list["Order"]] = relationship("Order", back_populates="user")
    """,
    "app/orders.py": """
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import Mapped, mapped_column, relationship
        from app.db import Base
        from app.mixins import Common

        class Order(Common, Base):
            __tablename__ = "orders"
            user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
            user: Mapped["User"] = relationship("User", back_populates="orders")
    """,
}


@pytest.mark.parametrize("name", ["app/users.py", "app/orders.py", "app/mixins/stamps.py"])
def test_tables_that_refer_to_each_other_by_name_are_read_together(tmp_path: Path, name: str) -> None:
    write(tmp_path, MODELS)
    expected = whole(tmp_path)
    assert "foreign-key-without-index" in {f.rule.name for f in expected["app/orders.py"]}
    assert set(one(tmp_path / name).findings) == expected.get(name, set())


def test_an_index_that_only_a_migration_makes_counts(tmp_path: Path) -> None:
    revision = """
        from alembic import op
        revision = "1"
        down_revision = None

        def upgrade():
            op.create_index("ix_orders_user_id", "orders", ["user_id"])

        def downgrade():
            op.drop_index("ix_orders_user_id")
    """
    write(tmp_path, MODELS | {"migrations/env.py": "", "migrations/versions/1_index.py": revision})
    found = one(tmp_path / "app/orders.py")
    assert "foreign-key-without-index" not in rules_in(found)
    assert set(found.findings) == whole(tmp_path).get("app/orders.py", set())


def test_functions_that_the_configuration_names_are_read(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    configuration = '[tool.fastapi-architect.project]\nauthentication = ["app.guards.who"]\n'
    write(tmp_path, {"pyproject.toml": configuration, "app/guards.py": "def who():\n    return 1\n"})
    assert set(one(tmp_path / "app/store.py").findings) == whole(tmp_path)["app/store.py"]


def test_a_file_that_does_not_parse_is_said_and_does_not_fail(tmp_path: Path) -> None:
    write(tmp_path, FLOW | {"app/store.py": "def broken(:\n"})
    found = one(tmp_path / "app/store.py")
    assert found.findings == ()
    assert [each.file for each in found.not_analysed] == ["app/store.py"]


@pytest.mark.parametrize("name", ["requirements.txt", "ignored/a.py"])
def test_what_a_review_leaves_out_is_an_error_that_names_the_next_step(tmp_path: Path, name: str) -> None:
    write(tmp_path, FLOW | {".gitignore": "ignored/\n", "ignored/a.py": "x = 1\n"})
    with pytest.raises(NoSuchPath, match=r"Pass a file that ends in \.py"):
        one(tmp_path / name)


def test_a_suppression_in_the_file_counts_and_those_of_others_are_not_judged(tmp_path: Path) -> None:
    store = FLOW["app/store.py"].replace(
        "return connection",
        "# architect: allow(sql-injection-raw-statement): tested\n                    return connection",
    )
    noisy = "x = 1  # architect: allow(no-such-rule): because\n"
    write(tmp_path, FLOW | {"app/store.py": store, "app/other/counting.py": noisy})
    found = one(tmp_path / "app/store.py")
    assert "sql-injection-raw-statement" not in rules_in(found)
    assert [each.finding.rule.name for each in found.suppressed] == ["sql-injection-raw-statement"]
    assert found.notes == ()


def test_a_baseline_is_refused_since_its_entries_belong_to_the_whole_project(tmp_path: Path) -> None:
    write(tmp_path, FLOW)
    request = replace(request_for(tmp_path / "app/store.py"), baseline=Baseline(()))
    with pytest.raises(ValueError, match="whole project"):
        review_file(request)
