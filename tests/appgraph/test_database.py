"""Engines, session factories, session providers and tables of an application."""

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.database import find_database, find_engines

APPLICATION = {
    "app/__init__.py": "",
    "app/settings.py": """
        from pydantic_settings import BaseSettings
        from pydantic import PostgresDsn, computed_field
        class Settings(BaseSettings):
            host: str
            @computed_field
            @property
            def database_url(self) -> PostgresDsn:
                return PostgresDsn.build(scheme="postgresql+asyncpg", host=self.host)
        settings = Settings()
        """,
    "app/db.py": """
        from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table
        from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from sqlalchemy.pool import NullPool
        from app.settings import settings
        engine = create_async_engine(str(settings.database_url), pool_size=20, max_overflow=5, echo=False)
        migrations = create_async_engine(str(settings.database_url), poolclass=NullPool)
        SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
        class Base(DeclarativeBase): pass
        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str]
        Index("ix_users_email", User.email, unique=True)
        groups = Table("groups", Base.metadata, Column("id", Integer, primary_key=True), Column("user", ForeignKey(User.id)))
        async def get_db():
            async with SessionLocal() as session:
                yield session
        async def get_db_committing():
            session = SessionLocal()
            try:
                yield session
                await session.commit()
            except Exception:
                await session.rollback()
            finally:
                await session.close()
        def count(session: AsyncSession):
            return session
        """,
}


def test_engines_know_their_dialect_through_settings_properties():
    database = find_database(program_of(APPLICATION))
    actual = [(e.variable, e.url.dialect, e.url.driver, e.is_async, e.connections) for e in database.engines]
    assert actual == [
        ("engine", "postgresql", "asyncpg", True, 25),
        ("migrations", "postgresql", "asyncpg", True, None),
    ]


@pytest.mark.parametrize(
    ("expression", "dialect", "driver"),
    [
        ('"sqlite:///./app.db"', "sqlite", ""),
        ('f"postgresql+psycopg://{user}:{password}@{host}/db"', "postgresql", "psycopg"),
        ('os.getenv("DATABASE_URL", "mysql+aiomysql://localhost/x")', "mysql", "aiomysql"),
        ('os.environ["URL"].replace("postgres://", "postgresql+asyncpg://")', "postgresql", "asyncpg"),
        ('URL.create("postgresql", host="x")', "postgresql", ""),
        ('"postgresql://" + host + "/db"', "postgresql", ""),
        ('os.environ["URL"]', "unknown", ""),
    ],
)
def test_the_dialect_is_read_from_the_many_ways_to_write_a_url(expression, dialect, driver):
    text = f"import os\nfrom sqlalchemy import create_engine, URL\nengine = create_engine({expression})\n"
    engine = find_engines(program_of(text))[0]
    assert (engine.url.dialect, engine.url.driver) == (dialect, driver)


def test_session_factories_know_what_expires():
    factory = find_database(program_of(APPLICATION)).session_factories[0]
    assert (factory.variable, factory.is_async, factory.expire_on_commit, factory.autoflush) == (
        "SessionLocal", True, False, True,
    )  # fmt: skip


def test_functions_that_make_and_give_out_a_session_are_providers_and_say_what_they_do_around_it():
    actual = [
        (p.function.name, p.is_async, p.yields, p.commits, p.rolls_back, p.closes, p.swallows)
        for p in find_database(program_of(APPLICATION)).session_providers
    ]
    assert actual == [
        ("get_db", True, True, False, False, True, False),
        ("get_db_committing", True, True, True, True, True, True),
    ]


def test_tables_hold_models_core_tables_and_detached_indexes():
    tables = find_database(program_of(APPLICATION)).table_named
    assert list(tables) == ["users", "groups"]
    assert [(i.name, i.columns, i.unique) for i in tables["users"].indexes] == [
        ("ix_users_email", ("email",), True)
    ]
    assert [(f.columns, f.table, f.target_columns) for f in tables["groups"].foreign_keys] == [
        (("user",), "users", ("id",))
    ]


def test_columns_of_a_single_table_subclass_belong_to_the_table():
    tables = find_database(
        program_of("""
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        class Base(DeclarativeBase): pass
        class Doc(Base):
            __tablename__ = "docs"
            id: Mapped[int] = mapped_column(primary_key=True)
        class Letter(Doc):
            stamp: Mapped[str | None]
        """)
    ).table_named
    assert [c.name for c in tables["docs"].columns] == ["id", "stamp"]


def test_classes_on_one_table_share_a_partial_index():
    tables = find_database(
        program_of("""
        from sqlalchemy import Index, text
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        class Base(DeclarativeBase): pass
        class Doc(Base):
            __tablename__ = "docs"
            __table_args__ = (Index("open", "state", postgresql_where=state.in_(["new", "open"])),)
            id: Mapped[int] = mapped_column(primary_key=True)
            state: Mapped[str]
        class Letter(Doc):
            stamp: Mapped[str | None]
        """)
    ).table_named
    assert [index.name for index in tables["docs"].indexes] == ["open"]


def test_a_synchronous_session_dependency_with_scoped_session():
    database = find_database(
        program_of("""
        from sqlalchemy import create_engine
        from sqlalchemy.orm import sessionmaker, scoped_session
        engine = create_engine("sqlite://")
        Factory = scoped_session(sessionmaker(bind=engine, autoflush=False))
        def get_db():
            db = Factory()
            try:
                yield db
            finally:
                db.close()
        """)
    )
    assert [(f.scoped, f.autoflush, f.is_async) for f in database.session_factories] == [(True, False, False)]
    assert [(p.function.name, p.is_async, p.closes, p.commits) for p in database.session_providers] == [
        ("get_db", False, True, False)
    ]


def test_the_dialect_is_known_from_the_type_of_a_setting_and_from_callers():
    engines = find_engines(
        program_of("""
        from pydantic import PostgresDsn
        from pydantic_settings import BaseSettings
        from sqlalchemy import create_engine
        class Settings(BaseSettings):
            url: PostgresDsn
        settings = Settings()
        typed = create_engine(str(settings.url))
        def make(url: str):
            return create_engine(url)
        make("mysql://h/d")
        """)
    )
    assert [e.url.dialect for e in engines] == ["postgresql", "mysql"]


def test_a_session_of_another_library_is_no_database_session():
    text = "from boto3 import Session\ndef get_aws():\n    session = Session()\n    return session\n"
    assert find_database(program_of(text)).session_providers == ()


def test_a_session_whose_maker_is_not_known_is_recognised_by_the_annotation():
    providers = find_database(
        program_of("""
        from collections.abc import AsyncIterator
        from sqlalchemy.ext.asyncio import AsyncSession
        async def get_session(resources) -> AsyncIterator[AsyncSession]:
            async with resources.sessions() as session:
                yield session
        """)
    ).session_providers
    assert [(p.function.name, p.is_async, p.closes) for p in providers] == [("get_session", True, True)]
