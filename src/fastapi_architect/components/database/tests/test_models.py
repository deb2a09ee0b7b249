"""The mixins work in whatever order they stand."""

from typing import Any

import pytest
from sqlalchemy import MetaData, NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from fastapi_architect.components.database import Base, Database, Timestamped, Uuid7Id, Versioned


class OwnBase(Base):
    """Keeps the tables of this file to itself."""

    __abstract__ = True
    metadata = MetaData()


class VersionFirst(Versioned, Timestamped, Uuid7Id, OwnBase):
    __tablename__ = "version_first"
    title: Mapped[str] = mapped_column()


class VersionLast(OwnBase, Uuid7Id, Timestamped, Versioned):
    __tablename__ = "version_last"
    title: Mapped[str] = mapped_column()


@pytest.fixture
def sessions(database: Database, owner_database_url: str) -> async_sessionmaker[AsyncSession]:
    engine = create_engine(owner_database_url, poolclass=NullPool)
    OwnBase.metadata.create_all(engine)
    return database.sessions


@pytest.mark.anyio
@pytest.mark.parametrize("model", [VersionFirst, VersionLast])
async def test_a_write_that_has_not_seen_the_latest_version_fails(
    sessions: async_sessionmaker[AsyncSession], model: Any
) -> None:
    async with sessions() as session, sessions() as other:
        row = model(title="first")
        session.add(row)
        await session.commit()
        theirs = await other.get_one(model, row.id)
        theirs.title = "theirs"
        await other.commit()

        row.title = "ours"
        with pytest.raises(StaleDataError):
            await session.commit()


@pytest.mark.anyio
@pytest.mark.parametrize("model", [VersionFirst, VersionLast])
async def test_what_the_database_computed_is_there_after_a_change(
    sessions: async_sessionmaker[AsyncSession], model: Any
) -> None:
    async with sessions() as session:
        row = model(title="first")
        session.add(row)
        await session.commit()
        written = row.updated_at

        row.title = "second"
        await session.commit()

        assert row.updated_at > written
        assert row.version == 2
