"""Files in PostgreSQL: whole or not at all, for nobody else, and no connection waits for a client."""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import anyio
import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.exc import ProgrammingError

from fastapi_architect.components.database import Base, Database, DatabaseSettings, bind_worker_setting
from fastapi_architect.components.database.privileges import grant_to_application
from fastapi_architect.components.problem_details import Unavailable
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.databases import (
    DatabaseTemplates,
    run_operations,
    schema_differences,
)
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.components.uploads import (
    DatabaseStorage,
    StorageFull,
    StoredChunk,
    Upload,
    Uploads,
    UploadSettings,
    database_storage,
    remove_orphans,
    remove_orphans_in_worker,
)
from fastapi_architect.components.uploads.migrations import (
    create_stored_files,
    create_uploads,
    drop_stored_files,
)
from fastapi_architect.components.uploads.tests.example import create_app
from fastapi_architect.components.uploads.tests.files import png
from fastapi_architect.components.uploads.tests.test_attacks import begin, eventually

ONE, TWO = "1" * 32, "2" * 32
PNG = {"Content-Type": "image/png"}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of them in a small file."""
    monkeypatch.setattr(database_storage, "CHUNK", 1_000)


@pytest.fixture
def stored(owner_database_url: str) -> Iterator[Callable[[], list[str]]]:
    """What lies in the database of this test: the key of each file and of each chunk."""
    engine = create_engine(owner_database_url)

    def keys() -> list[str]:
        with engine.connect() as connection:
            rows = connection.execute(
                text("SELECT key FROM stored_files UNION ALL SELECT key FROM stored_chunks")
            )
            return sorted(rows.scalars())

    yield keys
    engine.dispose()


@pytest.fixture
async def storage(database: Database) -> AsyncIterator[DatabaseStorage]:
    yield DatabaseStorage(database)
    await database.close()


@pytest.fixture
def uploads(database: Database) -> Uploads:
    return Uploads(UploadSettings(environment=Environment.LOCAL), database=database)


@pytest.fixture
def url(database: Database, uploads: Uploads) -> Iterator[str]:
    with serving(create_app(database, uploads)) as url:
        yield f"{url}/api/v1/uploads"


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, headers={"X-Name": "alice"}, timeout=10) as client:
        yield client


async def content_of(storage: DatabaseStorage, key: str) -> bytes:
    async with storage.read(key) as chunks:
        return b"".join([chunk async for chunk in chunks])


def test_a_file_goes_in_comes_out_and_is_gone(client: httpx2.Client, stored: Callable[[], list[str]]) -> None:
    name = f"/{uuid4()}"
    taken = client.put(name, params={"name": "cat.png"}, content=png(50_500), headers=PNG)

    assert taken.status_code == 201, taken.text
    assert client.get(f"{name}/content").content == png(50_500)
    assert len(stored()) == 1 + len(png(50_500)) // 1_000 + 1
    assert client.delete(name).status_code == 204
    assert stored() == []
    assert client.get(f"{name}/content").status_code == 404


def test_of_repetitions_at_once_one_is_kept(client: httpx2.Client, stored: Callable[[], list[str]]) -> None:
    name = f"/{uuid4()}"

    def send(padding: int) -> int:
        return client.put(name, params={"name": "a.png"}, content=png(padding), headers=PNG).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(send, [1_000] * 4))

    assert statuses == [201, 409, 409, 409]
    assert len(set(stored())) == 1
    assert client.get(f"{name}/content").content == png(1_000)


def test_while_a_slow_client_sends_nothing_is_held_and_what_it_leaves_is_nothing(
    url: str, client: httpx2.Client, database: Database, stored: Callable[[], list[str]]
) -> None:
    upload_id = uuid4()
    connection = begin(url, png(10_000), "Content-Length: 50000", upload_id)
    assert eventually(lambda: len(stored()) > 10)

    pools = (database.engine.pool, database.sync_engine.pool)
    assert [pool.checkedout() for pool in pools] == [0, 0]  # type: ignore[attr-defined]
    assert client.get(f"/{upload_id}").status_code == 404
    connection.close()
    assert eventually(lambda: stored() == [])


@pytest.mark.anyio
async def test_who_is_killed_in_the_middle_leaves_what_nobody_can_read_and_a_sweep_takes(
    storage: DatabaseStorage, database: Database, stored: Callable[[], list[str]]
) -> None:
    # Never left, as by a process that is gone.
    killed = storage.create(ONE)
    sink = await killed.__aenter__()
    await sink.write(b"x" * 3_500)

    assert len(stored()) == 4
    with pytest.raises(FileNotFoundError):
        await content_of(storage, ONE)
    async with database.sessions() as session:
        assert await remove_orphans(session, storage) == 0
        assert await remove_orphans(session, storage, older_than=-1) == 1
    assert stored() == []
    with pytest.raises(Unavailable):
        await sink.write(b"x" * 1_000)
    assert stored() == []


def test_a_worker_sweeps_what_no_upload_names_and_nothing_else(
    database: Database, stored: Callable[[], list[str]]
) -> None:
    storage = DatabaseStorage(database)

    async def store(key: str) -> None:
        async with storage.create(key) as sink:
            await sink.write(b"x" * 2_500)

    for key in (ONE, TWO):
        anyio.run(store, key)
    with database.sync_sessions.begin() as session:
        session.add(
            Upload(owner_id=uuid4(), storage_key=ONE, name="a", media_type="a/b", size=2_500, sha256="")
        )

    assert remove_orphans_in_worker(database, storage) == 0
    assert remove_orphans_in_worker(database, storage, older_than=-1) == 1
    assert set(stored()) == {ONE}
    database.sync_engine.dispose()


@pytest.mark.anyio
async def test_a_cancelled_upload_leaves_nothing(
    storage: DatabaseStorage, stored: Callable[[], list[str]]
) -> None:
    with anyio.CancelScope() as scope:
        async with storage.create(ONE) as sink:
            await sink.write(b"x" * 2_500)
            scope.cancel()
            await anyio.sleep(5)

    assert scope.cancelled_caught
    assert stored() == []


@pytest.mark.anyio
async def test_what_postgresql_lost_is_not_passed_over(
    storage: DatabaseStorage, owner_database_url: str, stored: Callable[[], list[str]]
) -> None:
    # As after a crash: the last chunk was committed, and had not come to the disk.
    crash = ("DELETE FROM stored_chunks WHERE number = 2", "UPDATE stored_files SET chunks = 2, size = 2000")

    async def receive() -> None:
        async with storage.create(ONE) as sink:
            await sink.write(b"x" * 3_000)
            engine = create_engine(owner_database_url)
            with engine.begin() as connection:
                for statement in crash:
                    connection.execute(text(statement))
            engine.dispose()

    with pytest.raises(Unavailable):
        await receive()
    assert stored() == []


@pytest.mark.anyio
async def test_who_reads_what_is_deleted_is_told(storage: DatabaseStorage) -> None:
    async with storage.create(ONE) as sink:
        await sink.write(b"x" * 3_500)

    async with storage.read(ONE) as chunks:
        assert len(await anext(chunks)) == 1_000
        await storage.delete(ONE)
        with pytest.raises(FileNotFoundError, match="deleted while it was read"):
            await anext(chunks)


@pytest.mark.anyio
async def test_a_database_that_has_enough_takes_no_more(database: Database) -> None:
    storage = DatabaseStorage(database, most_bytes=2_000)
    async with storage.create(ONE) as sink:
        await sink.write(b"x" * 2_000)

    with pytest.raises(StorageFull):
        async with storage.create(TWO):
            pass
    await storage.delete(ONE)
    async with storage.create(TWO):
        pass
    await database.close()


@pytest.mark.anyio
async def test_without_a_directory_files_lie_in_the_database_of_the_service(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ENVIRONMENT", "local")
    monkeypatch.delenv("UPLOADS_DIRECTORY", raising=False)
    uploads = Uploads(UploadSettings())
    async with uploads.run(create_app(database, uploads)):
        async with uploads.storage.create(ONE) as sink:
            await sink.write(b"x" * 2_500)

        assert await content_of(DatabaseStorage(database), ONE) == b"x" * 2_500
    await database.close()


def test_the_migration_makes_the_tables_of_the_models_and_shows_the_chunks_of_one_file(
    database_templates: DatabaseTemplates,
) -> None:
    def fill(owner_url: str) -> None:
        role = database_templates.application.role
        run_operations(
            owner_url, lambda op: grant_to_application(op, role), create_uploads, create_stored_files
        )

    with database_templates.copy("stored files", fill) as url:
        owner_url = database_templates.as_owner(url)
        ours = MetaData(naming_convention=Base.metadata.naming_convention)
        for name in ("uploads", "stored_files", "stored_chunks"):
            Base.metadata.tables[name].to_metadata(ours)
        assert schema_differences(owner_url, ours) == []
        settings = DatabaseSettings(
            url=SecretStr(database_templates.as_application(url)), environment=Environment.LOCAL
        )
        database = Database(settings)
        anyio.run(_store_two, database)
        for key, seen in (("", set()), (ONE, {ONE}), (TWO, {TWO})):
            with database.sync_sessions() as session:
                bind_worker_setting(session, database_storage.KEY, key)
                # No condition at all: a query that forgot it hands out nobody else's file.
                assert set(session.scalars(select(StoredChunk.key))) == seen
                session.add(StoredChunk(key="3" * 32, number=9, data=b""))
                with pytest.raises(ProgrammingError, match="row-level security"):
                    session.flush()
        database.sync_engine.dispose()
        owner = create_engine(owner_url)
        with owner.connect() as connection:
            storage_of_data = (
                "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'stored_chunks'::regclass"
            )
            found = connection.execute(text(f"{storage_of_data} AND attname = 'data'")).scalar_one()
        owner.dispose()
        assert found == "e"  # external: what is compressed already is not tried to be compressed again
        run_operations(owner_url, drop_stored_files)


async def _store_two(database: Database) -> None:
    storage = DatabaseStorage(database)
    for key in (ONE, TWO):
        async with storage.create(key) as sink:
            await sink.write(b"x" * 2_500)
        assert await content_of(storage, key) == b"x" * 2_500
