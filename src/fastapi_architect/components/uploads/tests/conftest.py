"""A real server with uploads, and the directory that it fills."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fastapi_architect.components.database import Database
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.components.uploads import Uploads, UploadSettings
from fastapi_architect.components.uploads.tests.example import create_app

LIMIT = 200_000


class Disk:
    """The directory of uploads, and all around it."""

    def __init__(self, outside: Path) -> None:
        self.outside = outside
        self.directory = outside / "uploads"

    def files(self) -> list[str]:
        """Return every file, finished or not."""
        return sorted(
            str(path.relative_to(self.outside)) for path in self.outside.rglob("*") if path.is_file()
        )


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.fixture
def uploads(disk: Disk) -> Uploads:
    return Uploads(
        UploadSettings(
            environment=Environment.LOCAL,
            directory=disk.directory,
            max_file_bytes=LIMIT,
            max_request_bytes=3 * LIMIT,
            owner_bytes=5 * LIMIT,
            keep_free_bytes=0,
        )
    )


@pytest.fixture
def url(database: Database, uploads: Uploads) -> Iterator[str]:
    with serving(create_app(database, uploads)) as url:
        yield f"{url}/api/v1/uploads"


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(
        base_url=url.removesuffix("/uploads"), headers={"X-Name": "alice"}, timeout=10
    ) as client:
        yield client
