# ruff: noqa: E501 - samples of code
"""Migrations are read as Alembic reads them, and replayed to the schema that a database has in the end."""

from textwrap import dedent

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.migrations import find_migrations
from fastapi_architect.appgraph.schema_replay import replay

INI = "[alembic]\nscript_location = %(here)s/alembic\nsqlalchemy.url = sqlite:///app.db\n"
ENV = """
from alembic import context
from sqlalchemy import create_engine
from app.models import Base
target_metadata = Base.metadata
def run_migrations_online():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, transaction_per_migration=True,
            render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
"""


def revision(name: str, down: str, body: str = "pass", downgrade: str = "pass", more: str = "") -> str:
    head = f'"""{name} message"""\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = "{name}"\ndown_revision = {down}\n'
    return f"{head}{dedent(more)}\ndef upgrade():\n{_indented(body)}\n\ndef downgrade():\n{_indented(downgrade)}\n"


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in dedent(text).strip().splitlines())


def history_of(files: dict[str, str], config: dict[str, str] | None = None):
    return find_migrations(program_of({f"alembic/versions/{n}": t for n, t in files.items()}), config)[0]


def operations(body: str, more: str = ""):
    return history_of({"a.py": revision("a", "None", body, more=more)}).revisions[0].upgrades


def graphs_of(folders: dict[str, str], config: dict[str, str] | None = None):
    """Identifiers that Alembic runs as one graph, of revisions by path."""
    found = find_migrations(program_of({"alembic/env.py": ENV, **folders}), config)
    return [sorted(r.id for r in history.revisions) for history in found]


def test_scripts_beside_the_versions_that_nothing_follows_are_not_run():
    files = {
        "alembic/versions/a.py": revision("a", "None"),
        "alembic/temp/z.py": revision("z", "'...'"),
    }
    assert graphs_of(files) == [["a"]]


def test_folders_that_share_identifiers_are_graphs_of_their_own():
    files = {f"alembic/versions/{each}/a.py": revision("a", "None") for each in ("postgresql", "sqlite")}
    assert graphs_of(files) == [["a"], ["a"]]


def test_folders_whose_revisions_follow_each_other_are_one_graph():
    files = {
        "alembic/versions/b.py": revision("b", "'a'"),
        "alembic/versions/2023/a.py": revision("a", "None"),
    }
    assert graphs_of(files) == [["a", "b"]]


def test_configured_folders_are_one_graph_whatever_they_hold():
    files = {"alembic/one/a.py": revision("a", "None"), "plugin/revisions/a.py": revision("a", "None")}
    ini = f"{INI}version_locations = %(here)s/alembic/one %(here)s/alembic/two\n"
    assert graphs_of({**files, "alembic/two/a.py": revision("a", "None")}, {"alembic.ini": ini}) == [
        ["a"],
        ["a", "a"],
    ]


def test_folders_below_are_read_where_the_configuration_says_so():
    files = {
        "alembic/versions/a.py": revision("a", "None"),
        "alembic/versions/old/b.py": revision("b", "None"),
    }
    ini = f"{INI}recursive_version_locations = true\n"
    assert graphs_of(files, {"alembic.ini": ini}) == [["a", "b"]]


FIRST = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("email", sa.String(length=50), nullable=False),
    sa.Column("old", sa.Text()),
    sa.Column("org_id", sa.Integer()),
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("email", name="uq_email"),
)
op.create_table("orgs", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(9)))
op.create_index(op.f("ix_users_org"), "users", ["org_id"], unique=False)
"""
SECOND = """
with op.batch_alter_table("users", schema=None) as batch_op:
    batch_op.add_column(sa.Column("age", sa.BigInteger(), nullable=False, server_default="0"))
    batch_op.drop_column("old")
    batch_op.alter_column("email", new_column_name="mail", type_=sa.String(80), existing_nullable=False)
    batch_op.create_foreign_key("fk_org", "orgs", ["org_id"], ["id"], ondelete="CASCADE")
for name in ("a", "b"):
    op.add_column("orgs", sa.Column(name, sa.Integer(), nullable=True))
add("orgs", "c")
op.rename_table("orgs", "organisations")
op.execute("CREATE INDEX ix_c ON organisations (c)")
op.drop_index("ix_users_org", table_name="users")
op.execute("UPDATE users SET age = 1")
"""
HELPER = """
def add(table, column):
    op.add_column(table, sa.Column(column, sa.Boolean()))
"""


def test_the_replayed_schema_is_the_one_that_alembic_makes(tmp_path):
    files = {"a.py": revision("a", "None", FIRST), "b.py": revision("b", '"a"', SECOND, more=HELPER)}
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "alembic" / "versions" / name).write_text(text)
    env = """
        from alembic import context
        from sqlalchemy import create_engine
        with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """
    (tmp_path / "alembic" / "env.py").write_text(dedent(env))
    config = Config()
    config.set_main_option("script_location", str(tmp_path / "alembic"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{tmp_path}/x.db")
    command.upgrade(config, "head")
    inspector = sa.inspect(sa.create_engine(f"sqlite:///{tmp_path}/x.db"))

    head = replay(history_of(files).revisions).head
    actual, expected = {}, {}
    for name, table in head.tables.items():
        actual[name] = {
            "columns": {
                c.name: (c.type.name.upper(), c.type.length, c.nullable) for c in table.columns.values()
            },
            "primary": list(table.primary_key),
            "indexes": sorted((i.name, list(i.columns)) for i in table.indexes),
            "uniques": sorted(list(u.columns) for u in table.uniques),
            "foreign": sorted(
                (list(f.columns), f.table, list(f.target_columns), f.ondelete) for f in table.foreign_keys
            ),
        }
    for name in set(inspector.get_table_names()) - {"alembic_version"}:
        expected[name] = {
            "columns": {c["name"]: _type(c) for c in inspector.get_columns(name)},
            "primary": inspector.get_pk_constraint(name)["constrained_columns"],
            "indexes": sorted((i["name"], i["column_names"]) for i in inspector.get_indexes(name)),
            "uniques": sorted(u["column_names"] for u in inspector.get_unique_constraints(name)),
            "foreign": sorted(
                (
                    f["constrained_columns"],
                    f["referred_table"],
                    f["referred_columns"],
                    f["options"].get("ondelete"),
                )
                for f in inspector.get_foreign_keys(name)
            ),
        }
    assert actual == expected


def _type(column) -> tuple:
    name = {"VARCHAR": "STRING", "BIGINT": "BIGINTEGER"}.get(
        type(column["type"]).__name__, type(column["type"]).__name__
    )
    return name, getattr(column["type"], "length", None), column["nullable"]


GRAPHS = {
    "line": {"a": "None", "b": '"a"', "c": '"b"'},
    "merge": {"a": "None", "b": '"a"', "c": '"a"', "d": '("b", "c")'},
    "heads": {"a": "None", "b": '"a"', "c": '"a"'},
    "long branches": {
        "a": "None", "x1": '"a"', "x2": '"x1"', "x3": '"x2"', "b1": '"a"', "b2": '"b1"', "m": '("x3", "b2")', "n": '"m"',
    },
    "two merges": {
        "a": "None", "b": '"a"', "c": '"a"', "d": '"b"', "e": '("d", "c")', "f": '"c"', "g": '("f", "e")',
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_heads_and_order_equal_those_of_alembics_script_directory(name, tmp_path):
    (tmp_path / "versions").mkdir()
    files = {f"{i}.py": revision(i, down) for i, down in GRAPHS[name].items()}
    for file, text in files.items():
        (tmp_path / "versions" / file).write_text(text)
    (tmp_path / "env.py").write_text("")
    script = ScriptDirectory(str(tmp_path))
    history = history_of(files)
    assert sorted(history.heads) == sorted(script.get_heads())
    assert sorted(history.roots) == sorted(script.get_bases())
    order = [r.id for r in history.revisions]
    assert all(order.index(parent) < order.index(r.id) for r in history.revisions for parent in r.down)
    if len(history.heads) == 1:
        assert order == [r.revision for r in script.walk_revisions()][::-1]
    assert history.is_sound == (len(script.get_heads()) == 1)


def test_what_breaks_a_graph_is_named():
    history = history_of(
        {
            "a.py": revision("a", "None"),
            "b.py": revision("b", '"lost"'),
            "c1.py": revision("c", '"d"'),
            "d.py": revision("d", '"c"'),
            "e1.py": revision("e", '"a"'),
            "e2.py": revision("e", '"a"'),
        }
    )
    assert [(r.id, parent) for r, parent in history.missing] == [("b", "lost")]
    assert history.cycles == ("c", "d")
    assert [(i, [r.path for r in found]) for i, found in history.duplicates] == [
        ("e", ["alembic/versions/e1.py", "alembic/versions/e2.py"])
    ]


def test_the_environment_is_read_from_alembic_ini_and_env_py():
    program = program_of({"alembic/env.py": ENV, "alembic/versions/a.py": revision("a", "None")})
    environment = find_migrations(program, {"alembic.ini": INI})[0].environment
    assert (environment.script_location, environment.url) == ("alembic", "sqlite:///app.db")
    assert str(environment.url_location) == "alembic.ini:3"
    assert (environment.transaction_per_migration, environment.render_as_batch, environment.transactional_ddl) == (
        True, True, True,
    )  # fmt: skip
    assert environment.target_metadata is not None


def test_a_broken_alembic_ini_leaves_the_folder_of_env_py():
    program = program_of({"alembic/env.py": ENV, "alembic/versions/a.py": revision("a", "None")})
    assert (
        find_migrations(program, {"alembic.ini": "no section\n[["})[0].environment.script_location
        == "alembic"
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('op.create_index("i", "t", ["a"], postgresql_concurrently=True)', ("create_index", "t", ("a",), "i", True, False)),
        ('op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a, lower(b))")', ("create_index", "t", ("a", "lower(b)"), "i", True, False)),
        ('op.execute(sa.text("DROP INDEX CONCURRENTLY i"))', ("drop_index", None, (), "i", True, False)),
        ('op.execute("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id) NOT VALID")', ("create_foreign_key", "t", ("a",), "f", False, True)),
        ('op.execute("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID")', ("create_check_constraint", "t", (), "k", False, True)),
        ('op.execute("ALTER TABLE t VALIDATE CONSTRAINT k")', ("validate_constraint", "t", (), "k", False, False)),
        ('op.execute("alter table only public.t add column if not exists a int not null default 3")', ("add_column", "public.t", ("a",), None, False, False)),
        ('op.execute("ALTER TABLE t ALTER COLUMN a SET NOT NULL")', ("alter_column", "t", ("a",), None, False, False)),
        ('op.execute("ALTER TABLE t RENAME COLUMN a TO b")', ("alter_column", "t", ("a",), "b", False, False)),
        ('op.execute("-- note\\nUPDATE t SET a = \'x;y\' WHERE b")', ("update", "t", ("a",), None, False, False)),
        ('op.get_bind().execute(sa.text("DELETE FROM t"))', ("delete", "t", (), None, False, False)),
        ('c = op.get_bind()\nc.execute(sa.text("INSERT INTO t SELECT 1"))', ("insert", "t", (), None, False, False)),
        ('t = sa.table("t", sa.column("a"))\nop.execute(t.update().where(t.c.a == 1).values(a=2))', ("update", "t", (), None, False, False)),
        ('op.bulk_insert(sa.table("t"), [{"a": 1}])', ("bulk_insert", "t", (), None, False, False)),
        ('op.execute("CREATE EXTENSION citext")', ("sql", None, (), "citext", False, False)),
        ('op.execute(make())', ("execute", None, (), None, False, False)),
        ('op.drop_constraint("k", "t", type_="unique")', ("drop_constraint", "t", (), "k", False, False)),
        ('op.create_unique_constraint("k", "t", ["a", "b"], schema="s")', ("create_unique_constraint", "s.t", ("a", "b"), "k", False, False)),
    ],
)  # fmt: skip
def test_operations_are_the_same_whether_written_with_op_or_as_sql(body, expected):
    found = operations(body)
    actual = [(o.kind, o.table, o.columns, o.name, o.concurrently, o.not_valid) for o in found]
    assert actual == [expected]


def test_several_statements_in_one_text_are_several_operations():
    found = operations('op.execute("UPDATE a SET x=1; ALTER TABLE b ADD COLUMN y int, DROP COLUMN z;")')
    assert [(o.kind, o.table, o.columns) for o in found] == [
        ("update", "a", ("x",)),
        ("add_column", "b", ("y",)),
        ("drop_column", "b", ("z",)),
    ]


def test_an_operation_says_in_what_surroundings_it_runs():
    found = operations("""
        with op.get_context().autocommit_block():
            op.create_index("i", "t", ["a"], postgresql_concurrently=True)
        if op.get_bind().dialect.name == "postgresql":
            op.drop_table("u")
        for name in names():
            op.drop_column("t", name)
        """)
    assert [(o.kind, o.in_autocommit, o.conditional, o.repeated) for o in found] == [
        ("create_index", True, False, False),
        ("drop_table", False, True, False),
        ("drop_column", False, False, True),
    ]


def test_an_alteration_says_what_changes():
    found = operations("""
        op.alter_column("t", "a", existing_type=sa.Integer(), type_=sa.BigInteger(), nullable=False)
        op.alter_column("t", "b", server_default=None)
        """)
    first, second = (o.alteration for o in found)
    assert (first.nullable, first.type.name, first.existing_type.name, first.drops_default) == (
        False, "BigInteger", "Integer", False,
    )  # fmt: skip
    assert (second.nullable, second.type, second.drops_default) == (None, None, True)


@pytest.mark.parametrize(
    ("downgrade", "kind"),
    [("pass", "empty"), ("raise NotImplementedError", "raises"), ('op.drop_table("t")', "written")],
)
def test_a_downgrade_is_empty_refused_or_written(downgrade, kind):
    history = history_of({"a.py": revision("a", "None", "pass", downgrade)})
    assert history.revisions[0].downgrade_kind == kind


def test_a_revision_names_the_application_modules_it_imports():
    program = program_of(
        {
            "app/__init__.py": "",
            "app/models.py": "class User: pass",
            "alembic/versions/a.py": revision("a", "None", more="from app.models import User"),
        }
    )
    assert [m.path for m in find_migrations(program)[0].revisions[0].imported_modules] == ["app/models.py"]


def test_the_schema_before_a_revision_is_known():
    history = history_of(
        {
            "a.py": revision("a", "None", 'op.create_table("t", sa.Column("a", sa.Integer()))'),
            "b.py": revision("b", '"a"', 'op.drop_column("t", "a")'),
        }
    )
    step = replay(history.revisions).by_id["b"]
    assert (list(step.before.table("t").columns), list(step.after.table("t").columns)) == (["a"], [])
    assert step.before.table("t").since == "a"


def test_what_is_not_understood_makes_a_table_opaque_and_never_fails():
    history = history_of(
        {"a.py": revision("a", "None", 'op.add_column("t", make())\nop.execute("DO $$ BEGIN; END $$")')}
    )
    head = replay(history.revisions).head
    assert head.opaque
    assert head.table("t").opaque


def test_a_recursive_function_ends():
    found = operations("walk()", more='def walk():\n    op.drop_table("t")\n    walk()\n')
    assert [o.kind for o in found] == ["drop_table"]


def test_columns_that_a_function_of_the_file_gives_belong_to_the_table():
    history = history_of({
        "a.py": revision(
            "a", "None", 'op.create_table("t", sa.Column("a", sa.Integer()), *stamps(), extra())',
            more="""
            def stamps():
                return [sa.Column("made", sa.DateTime()), sa.Column("changed", sa.DateTime())]
            def extra():
                return sa.Column("extra", sa.Text())
            """,
        ),
        "b.py": revision("b", '"a"', 'op.create_table("u", sa.Column("a", sa.Integer()), *unknown())'),
    })  # fmt: skip
    head = replay(history.revisions).head
    assert list(head.table("t").columns) == ["a", "made", "changed", "extra"]
    assert (head.table("t").opaque, head.table("u").opaque) == (False, True)


def test_a_unique_index_that_becomes_a_constraint_is_one_constraint():
    history = history_of({
        "a.py": revision("a", "None", """
            op.create_table("t", sa.Column("a", sa.Integer()))
            op.create_index("ix_a", "t", ["a"], unique=True, postgresql_concurrently=True)
            op.execute("ALTER TABLE t ADD CONSTRAINT uq_a UNIQUE USING INDEX ix_a")
            """),
    })  # fmt: skip
    table = replay(history.revisions).head.table("t")
    assert ([u.columns for u in table.uniques], table.indexes) == ([("a",)], ())
