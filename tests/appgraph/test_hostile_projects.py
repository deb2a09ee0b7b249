"""Whatever a project's files hold, reading them ends, soon and without an exception."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.background import find_background
from fastapi_architect.appgraph.commands import find_commands
from fastapi_architect.appgraph.containers import read_compose, read_dockerfile, read_env_file
from fastapi_architect.appgraph.database import find_database
from fastapi_architect.appgraph.migrations import find_migrations
from fastapi_architect.appgraph.requirements import find_packages
from fastapi_architect.appgraph.schema_replay import replay
from fastapi_architect.appgraph.schemas import find_schemas
from fastapi_architect.appgraph.settings import find_settings
from fastapi_architect.appgraph.sql_statements import parse_sql
from fastapi_architect.appgraph.values import classify
from fastapi_architect.source.location import Location

WORDS = """
CREATE INDEX CONCURRENTLY ON ALTER TABLE ADD COLUMN UPDATE SET WHERE FROM USER ENV CMD COPY services: image: command:
uvicorn gunicorn celery -w --workers sh -c && a:b [ ] { } ( ) ' " ; , = $ # & * | \\ $$ /* -- == >= [project] dependencies
[[package]] name version 1.0
"""
PIECES = st.sampled_from([*WORDS.split(), "\n"])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=25).map(" ".join)
MANIFESTS = [
    "pyproject.toml", "requirements.txt", "Pipfile", "Pipfile.lock", "setup.cfg", "setup.py", "uv.lock", "poetry.lock",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_no_text_makes_a_reader_of_files_fail(text):
    packages, _ = find_packages(dict.fromkeys(MANIFESTS, text))
    packages.version_of("a")
    read_dockerfile("Dockerfile", text)
    read_compose("compose.yml", text)
    read_env_file(".env", text)
    parse_sql(text)
    find_commands(text, Location("f", 1), "script")
    classify(text)


LONG = {
    "spaces in SQL": lambda: parse_sql("create index " + " " * 100_000),
    "quotes in SQL": lambda: parse_sql("'" * 100_000),
    "columns in SQL": lambda: parse_sql("alter table t " + "add column a int, " * 8_000),
    "angle brackets in a value": lambda: classify("<" * 100_000),
    "braces in a value": lambda: classify("{{" * 100_000),
    "options of COPY": lambda: read_dockerfile("D", "COPY " + "--x " * 30_000),
    "shells in shells": lambda: find_commands("sh -c " * 3_000 + "uvicorn", Location("f", 1), "script"),
    "many requirements": lambda: find_packages({"pyproject.toml": "[project]\ndependencies=[" + '"a>=1",\n' * 5_000 + "]"}),
    "deep JSON": lambda: find_packages({"Pipfile.lock": "[" * 100_000}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LONG))
def test_long_texts_take_linear_time(name):
    begun = time.process_time()
    LONG[name]()
    assert time.process_time() - begun < 3


CODE = """
from alembic import op
from celery import Celery
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from sqlalchemy import Column, ForeignKey, Table, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
revision = "a"
down_revision = "a"
T = T
Alias = Alias | None
class A(A): pass
class B(C, BaseModel): x: "B | C"
class C(B): __tablename__ = C.__tablename__
class Base(DeclarativeBase): pass
class M(Base):
    __tablename__ = f"{__tablename__}"
    __table_args__ = (*__table_args__, items())
    id: Mapped[Alias] = mapped_column(ForeignKey(M.id), *id, primary_key=unknown)
    m: Mapped["M"] = relationship(m, secondary=m, lazy=m)
    n = relationship(lambda: N, backref=n)
    class Config: pass
class N(M, N): x = Column()
class Settings(BaseSettings):
    a: str = a
    b: str = Settings().b
def items(): return [items(), *items()]
def make(url): return create_engine(make(url))
def upgrade():
    op.create_table(upgrade(), *items(), **kw)
    op.add_column()
    op.execute()
    op.alter_column("t")
    op.drop_index(None)
    for op in op: op.execute(f"{op}")
app = Celery(app)
app.conf.update(app.conf, **app.conf)
app.conf.beat_schedule = {**app.conf.beat_schedule, 1: {2: 3}}
@app.task(name=go)
def go(): go.delay(*go, **go)
t = Table()
u = Table(t, u, *t)
"""


def test_code_that_refers_to_itself_is_read_to_the_end():
    program = program_of(CODE)
    assert "B" in {schema.name for schema in find_schemas(program)}
    assert "M" in {model.name for model in find_database(program).models}
    history = find_migrations(program)[0]
    assert history.cycles == ("a",)
    assert replay(history.revisions).head.opaque
    assert [task.function.name for task in find_background(program).tasks] == ["go"]
    assert [each.name for each in find_settings(program).classes] == ["Settings"]
