"""What stays small, or is only shown, weighs less: a lower severity, or tentative."""

from __future__ import annotations

import textwrap

from tests.rules.kit import confidences_of, rule_named, severities_of, weights_of

from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.rules.kit import files_of

_LISTED = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Report(Base):
        __tablename__ = "reports"

        id: Mapped[int] = mapped_column(primary_key=True)


    @app.get("{path}")
    def reports(limit: int = 10) -> list[int]:
        with Session(engine) as session:
            return [report.id for report in session.scalars(select(Report).limit(limit))]
"""


_REDIS = """
    import redis
    from fastapi import FastAPI

    app = FastAPI()
    cache = redis.Redis()


    @app.get("/users/{{user}}/friends")
    def friends(user: int) -> list[bytes]:
        return list(cache.smembers({key}))
"""


def test_a_set_of_one_user_is_minor() -> None:
    files = {"main.py": _REDIS.format(key='f"friends:{user}"')}
    assert severities_of("redis-keyspace-command-in-request", files) == [Severity.MINOR]


def test_a_set_of_everybody_is_important() -> None:
    files = {"main.py": _REDIS.format(key='"friends"')}
    assert severities_of("redis-keyspace-command-in-request", files) == [Severity.IMPORTANT]


_PRICE = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    app = FastAPI()


    class Offer(BaseModel):
        price: float


    @app.post("/offers")
    def offer(given: Offer, months: int) -> float:
        return {answer}
"""


def test_a_price_that_nobody_reckons_with_is_tentative() -> None:
    files = {"main.py": _PRICE.format(answer="given.price")}
    assert confidences_of("money-as-float", files) == [Confidence.TENTATIVE]


def test_a_price_that_is_multiplied_is_tentative_where_nobody_is_charged() -> None:
    files = {"main.py": _PRICE.format(answer="given.price * months")}
    assert confidences_of("money-as-float", files) == [Confidence.TENTATIVE]


_INVOICES = """
    from sqlalchemy import Numeric
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Invoice(Base):
        __tablename__ = "invoices"

        id: Mapped[int] = mapped_column(primary_key=True)
        total: Mapped[int] = mapped_column(Numeric(12, 2))
"""


def test_a_price_that_is_multiplied_is_firm_where_somebody_is_charged() -> None:
    offers = _PRICE.format(answer="given.price * months")
    stripe = "import stripe\n" + textwrap.dedent(offers)
    for files in ({"main.py": offers, "models.py": _INVOICES}, {"main.py": stripe}):
        assert confidences_of("money-as-float", files) == [Confidence.FIRM]


_MAP = """
    import asyncio

    from fastapi import FastAPI

    app = FastAPI()
    locks: dict[str, asyncio.Lock] = {{}}


    def lock_of(name: str) -> asyncio.Lock:
        return locks.setdefault(name, asyncio.Lock())


    @app.post("/work")
    async def work(name: str) -> None:
        stored = {stored}
        async with lock_of(stored):
            pass
"""


def test_a_map_whose_keys_no_client_is_seen_to_write_is_minor() -> None:
    files = {"main.py": _MAP.format(stored='"projects"')}
    assert severities_of("unbounded-in-memory-growth", files) == [Severity.MINOR]


_WORKBOOK = """
    import io

    import openpyxl
    from fastapi import FastAPI

    app = FastAPI()


    @app.post("/report")
    async def report() -> int:
        stream = io.BytesIO()
        book = {book}
        book.save(stream)
        return len(stream.getvalue())
"""


def test_saving_a_workbook_that_the_application_filled_is_tentative() -> None:
    files = {"main.py": _WORKBOOK.format(book="openpyxl.Workbook()")}
    assert confidences_of("cpu-bound-work-on-loop", files) == [Confidence.TENTATIVE]


_ROWS = """
    from fastapi import FastAPI
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Team(Base):
        __tablename__ = "teams"

        id: Mapped[int] = mapped_column(primary_key=True)


    class {model}(Base):
        __tablename__ = "rows"

        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str]
        team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
        shelf_id: Mapped[int] = mapped_column(index=True)


    {code}
"""


def _rows(model: str, code: str) -> dict[str, str]:
    text = textwrap.dedent(_ROWS).replace("{model}", model).replace("{code}", textwrap.dedent(code).strip())
    return {"main.py": text}


_COUNTED = """
    @app.get("/count/{team}")
    def count(team: int) -> int:
        with Session(engine) as session:
            return len(session.scalars(select(Book).where(Book.COLUMN == team)).all())
"""


def test_counting_the_rows_of_one_team_in_python_is_minor() -> None:
    files = _rows("Book", _COUNTED.replace("COLUMN", "team_id"))
    assert severities_of("full-table-materialised", files) == [Severity.MINOR]


def test_counting_the_rows_of_anything_else_in_python_is_important() -> None:
    files = _rows("Book", _COUNTED.replace("COLUMN", "shelf_id"))
    assert severities_of("full-table-materialised", files) == [Severity.IMPORTANT]


_SEARCHED = """
    @app.get("/rows/{token}")
    def row(token: str) -> int | None:
        with Session(engine) as session:
            return session.scalars(select(MODEL.id).where(MODEL.token == token)).first()
"""


def test_searching_invitations_without_an_index_is_minor() -> None:
    files = _rows("Invitation", _SEARCHED.replace("MODEL", "Invitation"))
    assert severities_of("missing-index-for-query-predicate", files) == [Severity.MINOR]


def test_searching_orders_without_an_index_is_important() -> None:
    files = _rows("Order", _SEARCHED.replace("MODEL", "Order"))
    assert severities_of("missing-index-for-query-predicate", files) == [Severity.IMPORTANT]


def test_searching_a_list_of_choices_is_minor() -> None:
    rows = _rows("Rating", _SEARCHED.replace("MODEL", "Rating"))["main.py"]
    key = "id: Mapped[int] = mapped_column(primary_key=True)"
    for columns, severity in (
        ("name: Mapped[str]; color: Mapped[str]", Severity.MINOR),
        ("name: Mapped[str]; is_default: Mapped[bool]", Severity.MINOR),
        ("name: Mapped[str]; total: Mapped[int]", Severity.IMPORTANT),
        ("color: Mapped[str]", Severity.IMPORTANT),
    ):
        found = severities_of(
            "missing-index-for-query-predicate", {"main.py": rows.replace(key, f"{key}; {columns}")}
        )
        assert found == [severity], columns


def test_all_rows_that_are_made_by_hand_are_minor() -> None:
    files = {
        "main.py": _LISTED.format(path="/reports").replace("limit: int = 10", "").replace(".limit(limit)", "")
    }
    files["main.py"] = (
        files["main.py"].replace("list[int]", "list[Report]").replace("report.id for", "report for")
    )
    assert severities_of("list-endpoint-without-pagination", files) == [Severity.IMPORTANT]
    for model in ("Folder", "Group", "Team", "Label"):
        few = {
            path: text.replace("Report", model).replace("reports", f"{model.lower()}s")
            for path, text in files.items()
        }
        assert severities_of("list-endpoint-without-pagination", few) == [Severity.MINOR]


def _migration(
    rule: str,
    table: str,
    body: str,
    compose: str = "",
    *,
    between: str = "CREATE INDEX CONCURRENTLY ix_id ON other (id)",
    last: int = 7,
) -> list[tuple[Severity, Confidence]]:
    """A table, a statement that says how much the project minds locks, some time, and what is done then."""
    first = f"""
        import sqlalchemy as sa
        from alembic import op

        revision = "0001"
        down_revision = None


        def upgrade() -> None:
            op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", sa.Integer))
    """
    opening = textwrap.dedent(first).partition("    op.create_table")[0]

    def revision(number: int, does: str) -> str:
        own = opening.replace('"0001"', f'"{number:04}"')
        return own.replace("down_revision = None", f'down_revision = "{number - 1:04}"') + f"    {does}\n"

    files = {
        "requirements.txt": "psycopg==3.3.9\n",
        "migrations/env.py": "from alembic import context\n",
        "migrations/versions/0001.py": first,
        "migrations/versions/0002.py": revision(2, f"op.execute('{between}')"),
        **{f"migrations/versions/{n:04}.py": revision(n, "pass") for n in range(3, last)},
        f"migrations/versions/{last:04}.py": revision(last, body),
    }
    return weights_of(rule, files | ({"compose.yaml": compose} if compose else {}))


_INDEXED = 'op.create_index("ix_at", "orders", ["at"])'


def test_an_index_beside_a_rewrite_of_its_table_is_minor() -> None:
    rule = "index-built-with-write-lock"
    rewrite = f'op.alter_column("orders", "at", type_=sa.BigInteger())\n    {_INDEXED}'
    assert [severity for severity, _ in _migration(rule, "orders", rewrite)] == [Severity.MINOR]
    assert [severity for severity, _ in _migration(rule, "orders", _INDEXED)] == [Severity.IMPORTANT]


def test_an_index_is_minor_where_the_project_minds_no_locks_and_on_a_young_table() -> None:
    rule = "index-built-with-write-lock"
    for between, last, severity in (
        ("SELECT 1", 7, Severity.MINOR),
        ("SET lock_timeout = 5000", 7, Severity.IMPORTANT),
        ("CREATE INDEX CONCURRENTLY ix_id ON other (id)", 6, Severity.MINOR),
        ("CREATE INDEX CONCURRENTLY ix_id ON other (id)", 7, Severity.IMPORTANT),
    ):
        found = _migration(rule, "orders", _INDEXED, between=between, last=last)
        assert [weight for weight, _ in found] == [severity], (between, last)


def test_a_brin_index_is_minor() -> None:
    rule = "index-built-with-write-lock"
    for method, severity in (("BRIN", Severity.MINOR), ("btree", Severity.IMPORTANT)):
        found = _migration(rule, "orders", f'op.execute("CREATE INDEX ix_at ON orders USING {method} (at)")')
        assert [weight for weight, _ in found] == [severity]


def test_an_index_is_minor_where_one_release_runs_at_a_time() -> None:
    compose = "services:\n  api:\n    image: shop\n    command: uvicorn main:app\n    deploy:\n      replicas: COPIES\n"
    for copies, severity in (("1", Severity.MINOR), ("2", Severity.IMPORTANT)):
        found = _migration(
            "index-built-with-write-lock", "orders", _INDEXED, compose.replace("COPIES", copies)
        )
        assert [weight for weight, _ in found] == [severity]


def test_an_index_on_a_new_column_of_a_small_table_is_minor() -> None:
    for table, severity in (("role_group", Severity.MINOR), ("orders", Severity.IMPORTANT)):
        added = f'op.add_column("{table}", sa.Column("parent", sa.Integer))'
        body = f'{added}\n    op.create_index("ix_parent", "{table}", ["parent"])'
        found = _migration("index-built-with-write-lock", table, body)
        assert [weight for weight, _ in found] == [severity]


def test_an_index_is_tentative_where_its_transaction_locks_everybody_out_anyway() -> None:
    for before, confidence in (
        ('op.drop_constraint("uq_at", "orders")', Confidence.TENTATIVE),
        ('op.drop_column("orders", "other")', Confidence.TENTATIVE),
        ('op.add_column("orders", sa.Column("other", sa.Integer))', Confidence.FIRM),
    ):
        found = _migration("index-built-with-write-lock", "orders", f"{before}\n    {_INDEXED}")
        assert [sure for _, sure in found] == [confidence], before


def test_rewriting_the_rows_of_a_table_of_codes_is_tentative() -> None:
    rule = "data-backfill-in-schema-transaction"
    for table, confidence in (("fuel_code", Confidence.TENTATIVE), ("orders", Confidence.FIRM)):
        body = f'op.add_column("{table}", sa.Column("done", sa.Integer))\n    op.execute("UPDATE {table} SET done = 1")'
        assert [sure for _, sure in _migration(rule, table, body)] == [confidence]


def test_a_rename_is_tentative_where_one_copy_of_the_server_runs() -> None:
    body = 'op.alter_column("orders", "at", new_column_name="placed")'
    compose = """
        services:
          api:
            build: .
            command: uvicorn main:app
            deploy:
              replicas: COPIES
    """
    for copies, confidence in (("1", Confidence.TENTATIVE), ("2", Confidence.FIRM)):
        found = _migration("rename-breaks-running-code", "orders", body, compose.replace("COPIES", copies))
        assert [sure for _, sure in found] == [confidence]


def test_counting_what_belongs_to_one_row_in_a_table_chosen_at_run_time_is_minor() -> None:
    choice = '\n    TABLES = {"book": Book.__table__}\n' + _COUNTED.replace("COLUMN", "shelf_id")
    chosen = choice.replace("select(Book)", 'select(TABLES["book"])')
    assert severities_of("full-table-materialised", _rows("Book", chosen)) == [Severity.MINOR]


def test_an_index_beside_a_filling_of_a_new_column_is_minor() -> None:
    """The lock of ADD COLUMN lasts as long as the UPDATE of every row; one of few rows adds little to it."""
    added = 'op.add_column("orders", sa.Column("slug", sa.String(64)))'
    for update, severity in (
        ("UPDATE orders SET slug = 'a'", Severity.MINOR),
        ("UPDATE orders SET slug = 'a' WHERE slug IS NULL", Severity.MINOR),
        ("UPDATE orders SET slug = 'a' WHERE at = 7", Severity.IMPORTANT),
    ):
        body = f'{added}\n    op.execute("{update}")\n    op.create_index("ix_slug", "orders", ["slug"])'
        found = _migration("index-built-with-write-lock", "orders", body)
        assert [weight for weight, _ in found] == [severity], update


_ENGINE = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    app = FastAPI()


    @app.post("{path}")
    def restore() -> None:
        engine = create_engine("postgresql+psycopg://database/shop")
        with engine.begin() as connection:
            connection.execute(text("SELECT 1"))
"""


def test_an_engine_for_an_operation_of_administrators_is_minor_and_tentative() -> None:
    rule = "engine-created-per-call"
    few = {"main.py": _ENGINE.format(path="/admin/backups/restore")}
    assert weights_of(rule, few) == [(Severity.MINOR, Confidence.TENTATIVE)]
    many = {"main.py": _ENGINE.format(path="/orders")}
    assert weights_of(rule, many) == [(Severity.IMPORTANT, Confidence.CERTAIN)]


_GROWING = """
    @app.get("/rows/{token}")
    def row(token: str) -> int | None:
        with Session(engine) as session:
            return session.scalars(select(Ticket.id).where(Ticket.token == token)).first()


    class Note(Base):
        __tablename__ = "notes"

        id: Mapped[int] = mapped_column(primary_key=True)


    @app.post("/notes")
    def add_note() -> None:
        with Session(engine) as session:
            session.add(Note())
            session.commit()
"""


def test_searching_a_table_that_nobody_adds_to_any_more_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    assert severities_of(rule, _rows("Ticket", _GROWING)) == [Severity.MINOR]
    adding = _GROWING.replace("session.add(Note())", "session.add_all([Note(), Ticket(token='')])")
    assert severities_of(rule, _rows("Ticket", adding)) == [Severity.IMPORTANT]
    named = "\n\n    def ticket(number: int) -> Ticket | None:\n        RETURNED\n"
    for returned, severity in (
        ("return None", Severity.MINOR),
        ("return Ticket(token='')", Severity.IMPORTANT),
    ):
        assert severities_of(rule, _rows("Ticket", _GROWING + named.replace("RETURNED", returned))) == [
            severity
        ]
    handed_on = _GROWING + "\n\n    class Store:\n        model = Ticket\n"
    assert severities_of(rule, _rows("Ticket", handed_on)) == [Severity.IMPORTANT]


_SWEPT = """
    from sqlalchemy import delete


    @app.get("/rows/{token}")
    def row(token: str) -> int | None:
        with Session(engine) as session:
            return session.scalars(select(Ticket.id).where(Ticket.token == token)).first()


    def sweep(now: datetime) -> None:
        with Session(engine) as session:
            session.execute(delete(Ticket).where(Ticket.COLUMN < now))
            session.commit()
"""


def test_searching_a_table_whose_expired_rows_are_deleted_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    for column, severity in (("expires_at", Severity.MINOR), ("made_at", Severity.IMPORTANT)):
        files = _rows("Ticket", _SWEPT.replace("COLUMN", column))
        files["main.py"] = files["main.py"].replace(
            "token: Mapped", f"{column}: Mapped[datetime]\n    token: Mapped"
        )
        assert severities_of(rule, files) == [severity]


def test_a_search_of_those_who_edit_a_type_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    for path, severity in (("/order_types", Severity.MINOR), ("/orders", Severity.IMPORTANT)):
        searched = _SEARCHED.replace("MODEL", "Order").replace('get("/rows', f'put("{path}')
        assert severities_of(rule, _rows("Order", searched)) == [severity]


def test_searching_definitions_whose_instances_are_rows_of_another_table_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    other = "\n\n    class NAME(Base):\n        __tablename__ = 'other'\n\n        id: Mapped[int] = mapped_column(primary_key=True)\n"
    for name, severity in (("SignalInstance", Severity.MINOR), ("SignalPart", Severity.IMPORTANT)):
        text = _SEARCHED.replace("MODEL", "Signal") + other.replace("NAME", name)
        assert severities_of(rule, _rows("Signal", text)) == [severity]


def test_searching_what_administrators_have_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    for model, severity in (
        ("AdminRequest", Severity.MINOR),
        ("AdministratorMail", Severity.MINOR),
        ("AdminAuditEntry", Severity.IMPORTANT),
        ("Badminton", Severity.IMPORTANT),
    ):
        assert severities_of(rule, _rows(model, _SEARCHED.replace("MODEL", model))) == [severity], model


_USED_UP = """
    @app.post("/rows/{token}")
    def use(token: str) -> None:
        with Session(engine) as session:
            found = session.scalars(select(MODEL).where(MODEL.token == token)).one()
            session.DOES(found)
            session.commit()
"""


def test_searching_tokens_that_are_deleted_when_they_are_used_is_minor() -> None:
    rule = "missing-index-for-query-predicate"
    for model, does, severity in (
        ("ResetToken", "delete", Severity.MINOR),
        ("ResetToken", "refresh", Severity.IMPORTANT),
        ("Receipt", "delete", Severity.IMPORTANT),
    ):
        files = _rows(model, _USED_UP.replace("MODEL", model).replace("DOES", does))
        assert severities_of(rule, files) == [severity], (model, does)


def test_a_view_has_no_index_of_its_own() -> None:
    rows = _rows("Order", _SEARCHED.replace("MODEL", "Order"))["main.py"]
    for table, severities in (("v_order", []), ("vorder", [Severity.IMPORTANT])):
        files = {"main.py": rows.replace('__tablename__ = "rows"', f'__tablename__ = "{table}"')}
        assert severities_of("missing-index-for-query-predicate", files) == severities


def test_rewriting_rows_is_minor_where_the_project_minds_no_locks() -> None:
    body = (
        'op.add_column("orders", sa.Column("done", sa.Integer))\n    op.execute("UPDATE orders SET done = 1")'
    )
    for between, severity in (
        ("SELECT 1", Severity.MINOR),
        ("SET lock_timeout = 5000", Severity.IMPORTANT),
    ):
        found = _migration("data-backfill-in-schema-transaction", "orders", body, between=between)
        assert [weight for weight, _ in found] == [severity]


def test_a_rename_is_tentative_where_nothing_shows_that_the_old_release_serves_on() -> None:
    body = 'op.alter_column("orders", "at", new_column_name="placed")'
    for between, confidence in (
        ("SELECT 1", Confidence.TENTATIVE),
        ("SET lock_timeout = 5000", Confidence.FIRM),
    ):
        found = _migration("rename-breaks-running-code", "orders", body, between=between)
        assert [sure for _, sure in found] == [confidence]


def test_clearing_the_cache_by_its_keys_is_minor() -> None:
    for path, severity in (
        ("/cache/clear", Severity.MINOR),
        ("/admin/sessions", Severity.MINOR),
        ("/sessions", Severity.IMPORTANT),
    ):
        text = _REDIS.format(key='"friends"').replace("/users/{user}/friends", path).replace("user: int", "")
        files = {"main.py": text.replace('smembers("friends")', 'keys("session:*")')}
        assert severities_of("redis-keyspace-command-in-request", files) == [severity], path


_UPLOAD = """
    from fastapi import FastAPI, UploadFile

    app = FastAPI()


    @app.post("PATH")
    async def upload(file: UploadFile) -> int:
        return len(str(await file.read()))
"""


def test_an_upload_of_administrators_is_minor() -> None:
    for path, severity in (("/admin/licence", Severity.MINOR), ("/pictures", Severity.IMPORTANT)):
        files = {"main.py": _UPLOAD.replace("PATH", path)}
        assert severities_of("upload-read-without-limit", files) == [severity]


_TAKEN = """
    @app.post("/rows")
    def add(token: str) -> None:
        with Session(engine) as session:
            if session.scalars(select(MODEL).where(MODEL.token == token)).first() is None:
                session.add(MODEL(token=token))
                session.commit()
"""


def test_adding_a_second_row_of_what_people_make_by_hand_is_minor() -> None:
    rule = "check-then-insert-without-unique-constraint"
    for model, severity in (("Role", Severity.MINOR), ("Order", Severity.IMPORTANT)):
        assert severities_of(rule, _rows(model, _TAKEN.replace("MODEL", model))) == [severity]
    for_few = _TAKEN.replace("MODEL", "Order").replace("/rows", "/admin/rows")
    assert severities_of(rule, _rows("Order", for_few)) == [Severity.MINOR]


def test_queries_of_a_loop_that_only_administrators_start_are_minor() -> None:
    name = "n-plus-one-lazy-attribute-in-loop"
    rule = rule_named(name)
    assert rule is not None
    for prefix, severity in (("/", Severity.IMPORTANT), ("/admin/", Severity.MINOR)):
        files = {
            path: text.replace('@app.get("/', f'@app.get("{prefix}')
            for path, text in files_of(rule.bad).items()
        }
        assert set(severities_of(name, files)) == {severity}


def test_searching_in_a_file_of_one_machine_without_an_index_is_minor() -> None:
    searching = _rows("Order", _SEARCHED.replace("MODEL", "Order"))["main.py"]
    memory = 'create_engine("sqlite://")'
    assert memory in searching
    for address, severity in (
        ('"sqlite:////srv/app.db"', Severity.MINOR),
        ('f"sqlite:///{__file__}.db"', Severity.MINOR),
        ('"postgresql://shop"', Severity.IMPORTANT),
    ):
        files = {"main.py": searching.replace(memory, f"create_engine({address})")}
        assert severities_of("missing-index-for-query-predicate", files) == [severity], address
