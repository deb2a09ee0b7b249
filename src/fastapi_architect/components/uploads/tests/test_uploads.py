"""Files go in and come out, and only those of their owner."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import alembic.autogenerate
import anyio
import httpx2
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import MetaData, create_engine, inspect

from fastapi_architect.components.access import require
from fastapi_architect.components.database import Base, Database
from fastapi_architect.components.testing.servers import for_sqlalchemy
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.components.uploads import (
    DEFAULT_KINDS,
    LocalStorage,
    StorageFull,
    Uploads,
    remove_orphans,
)
from fastapi_architect.components.uploads.migrations import create_uploads, drop_uploads
from fastapi_architect.components.uploads.tests.conftest import LIMIT, Disk
from fastapi_architect.components.uploads.tests.example import create_app
from fastapi_architect.components.uploads.tests.files import PDF, multipart, png

BOB = {"X-Name": "bob"}


def put(client: httpx2.Client, content: bytes, name: str = "cat.png", **headers: str) -> httpx2.Response:
    return client.put(
        f"/uploads/{uuid4()}",
        params={"name": name},
        content=content,
        headers={"Content-Type": "image/png"} | headers,
    )


def test_a_file_goes_in_and_comes_out(client: httpx2.Client, disk: Disk) -> None:
    taken = put(client, png(50_000), name="K\u00e4tzchen.png")

    assert taken.status_code == 201, taken.text
    upload = taken.json()
    assert upload["name"] == "K\u00e4tzchen.png"
    assert len(disk.files()) == 1
    assert client.get(f"/uploads/{upload['id']}").json() == upload
    came = client.get(f"/uploads/{upload['id']}/content")
    assert came.content == png(50_000)
    assert came.headers["content-type"] == "image/png"
    assert came.headers["x-content-type-options"] == "nosniff"
    assert came.headers["content-disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''K%C3%A4tzchen.png" in came.headers["content-disposition"]
    assert "sandbox" in came.headers["content-security-policy"]


def test_several_files_go_in_at_once(client: httpx2.Client) -> None:
    body, headers = multipart(("a.png", "image/png", png()), ("b.pdf", "application/pdf", PDF))

    taken = client.post("/uploads", content=body, headers=headers)

    assert taken.status_code == 201, taken.text
    assert [upload["name"] for upload in taken.json()] == ["a.png", "b.pdf"]
    assert client.get(f"/uploads/{taken.json()[1]['id']}/content").content == PDF


def test_all_files_are_taken_or_none(client: httpx2.Client, disk: Disk) -> None:
    body, headers = multipart(("a.png", "image/png", png()), ("b.pdf", "application/pdf", b"no document"))

    assert client.post("/uploads", content=body, headers=headers).status_code == 415
    assert disk.files() == []
    assert client.get("/uploads").json()["items"] == []


def test_a_list_is_read_in_pages(client: httpx2.Client) -> None:
    made = [put(client, png(), name=f"{number}.png").json() for number in range(5)]
    newest_first = [upload["id"] for upload in reversed(made)]

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get("/uploads", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [upload["id"] for upload in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(newest_first)
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    assert client.get("/uploads", params={"limit": -1}).status_code == 422
    assert client.get("/uploads", params={"limit": 10**9}).status_code == 422


def test_the_documentation_says_what_is_taken(url: str) -> None:
    paths = httpx2.get(f"{url.removesuffix('/api/v1/uploads')}/openapi.json").json()["paths"]

    single = paths["/api/v1/uploads/{upload_id}"]["put"]["requestBody"]["content"]
    several = paths["/api/v1/uploads"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert list(single) == [kind.media_type for kind in DEFAULT_KINDS]
    assert "image/png" in several["encoding"]["files"]["contentType"]


def test_a_deleted_file_is_gone(client: httpx2.Client, disk: Disk) -> None:
    upload = put(client, png()).json()

    assert client.delete(f"/uploads/{upload['id']}").status_code == 204
    assert disk.files() == []
    assert client.get(f"/uploads/{upload['id']}/content").status_code == 404
    assert client.delete(f"/uploads/{upload['id']}").status_code == 404


def test_nobody_reaches_somebody_else_s_file(client: httpx2.Client) -> None:
    upload = put(client, png()).json()

    foreign = [
        client.get(f"/uploads/{upload['id']}", headers=BOB),
        client.get(f"/uploads/{upload['id']}/content", headers=BOB),
        client.delete(f"/uploads/{upload['id']}", headers=BOB),
    ]
    missing = client.get(f"/uploads/{uuid4()}", headers=BOB)

    assert [answer.status_code for answer in foreign] == [404, 404, 404]
    assert {answer.json()["detail"] for answer in foreign} == {missing.json()["detail"]}
    assert client.get("/uploads", headers=BOB).json()["items"] == []
    again = client.put(
        f"/uploads/{upload['id']}",
        params={"name": "a.png"},
        content=png(10),
        headers={"Content-Type": "image/png"} | BOB,
    )
    assert again.status_code == 409
    assert client.get(f"/uploads/{upload['id']}/content").content == png()


def test_a_repetition_is_noticed(client: httpx2.Client, disk: Disk) -> None:
    upload_id = uuid4()

    def send() -> int:
        return client.put(
            f"/uploads/{upload_id}",
            params={"name": "a.png"},
            content=png(),
            headers={"Content-Type": "image/png"},
        ).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda _: send(), range(4)))
    assert statuses == [201, 409, 409, 409]
    assert len(disk.files()) == 1


def test_files_at_once_do_not_share_the_last_room(client: httpx2.Client, disk: Disk) -> None:
    # Five times LIMIT is allowed; each alone finds room for itself.
    content = png(LIMIT - 1_000)
    for _ in range(3):
        assert put(client, content).status_code == 201

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(lambda _: put(client, content).status_code, range(6)))
    assert statuses == [201, 201, 413, 413, 413, 413]
    assert len(disk.files()) == 5
    assert put(client, content, **BOB).status_code == 201


def test_a_file_that_the_storage_lost_is_not_an_error_of_the_server(
    client: httpx2.Client, disk: Disk
) -> None:
    upload = put(client, png()).json()
    (disk.outside / disk.files()[0]).unlink()

    assert client.get(f"/uploads/{upload['id']}/content").status_code == 404


@pytest.mark.anyio
async def test_what_a_crash_left_is_swept_away(
    client: httpx2.Client, disk: Disk, uploads: Uploads, database: Database
) -> None:
    kept = put(client, png()).json()
    async with uploads.storage.create("0" * 32) as sink:
        await sink.write(b"finished, and nobody owns it")
    (disk.directory / "partial" / ("1" * 32)).write_bytes(b"never finished")

    async with database.sessions() as session:
        assert await remove_orphans(session, uploads.storage) == 0
        assert await remove_orphans(session, uploads.storage, older_than=-1) == 2
    assert len(disk.files()) == 1
    assert client.get(f"/uploads/{kept['id']}/content").status_code == 200


@pytest.mark.anyio
async def test_a_cancelled_upload_leaves_nothing(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    with anyio.move_on_after(0.05):
        async with storage.create("0" * 32) as sink:
            await sink.write(b"x" * 300_000)
            await anyio.sleep(5)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.anyio
async def test_a_full_disk_is_not_filled_further(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        async with LocalStorage(tmp_path, keep_free=2**62).create("0" * 32):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["../../etc/passwd", "", "a/b", "0" * 31, "0" * 32 + "\n", "\u0660" * 32])
async def test_no_key_leads_out_of_the_directory(tmp_path: Path, key: str) -> None:
    storage = LocalStorage(tmp_path)

    with pytest.raises(FileNotFoundError):
        async with storage.read(key):
            pass
    with pytest.raises(FileNotFoundError):
        async with storage.create(key):
            pass


def test_the_migration_makes_the_table_of_the_model(empty_database_url: str) -> None:
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        create_uploads(Operations(context))
        table = Base.metadata.tables["uploads"]
        # Alone, as other tables of a service may refer to it.
        alone = MetaData(naming_convention=Base.metadata.naming_convention)
        table.to_metadata(alone)
        assert alembic.autogenerate.compare_metadata(context, alone) == []
        assert {found["name"] for found in inspect(connection).get_check_constraints("uploads")} == {
            str(found.name) for found in table.constraints if str(found.name).startswith("ck_")
        }
        drop_uploads(Operations(context))
        assert not inspect(connection).has_table("uploads")
    engine.dispose()


def test_a_guard_of_ones_own_says_who_may_upload(database: Database, uploads: Uploads, disk: Disk) -> None:
    uploads.guard = require("files:write")
    alice = {"X-Name": "alice"}
    with (
        serving(create_app(database, uploads)) as url,
        httpx2.Client(base_url=f"{url}/api/v1", headers=alice, timeout=10) as client,
    ):
        assert put(client, png()).status_code == 403
        assert client.get("/uploads").status_code == 403

    assert disk.files() == []
