"""What the operator of SecAPI decides."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from fastapi_architect.components.service import ComponentSettings
from fastapi_architect.components.uploads import UploadSettings
from fastapi_architect.components.websockets import WebSocketSettings


class Queue(StrEnum):
    """How work travels to workers."""

    CELERY = "celery"
    #: Workers poll the table of the outbox: no relay and no broker.
    POSTGRESQL = "pg"


#: Seconds to fetch an archive, to open it (`ArchiveLimits.seconds`), and to match what was found.
AROUND_A_SCAN = 300


class SecApiSettings(ComponentSettings):
    """Variables `SECAPI_*`."""

    model_config = SettingsConfigDict(env_prefix="SECAPI_")

    queue: Queue = Queue.CELERY
    #: Seconds that one application root may take, before its analysis is ended and said to have failed.
    scan_seconds: Annotated[int, Field(ge=10, le=12 * 3600)] = 900
    #: Bytes of memory of the process that reads a backend.
    sandbox_memory: Annotated[int, Field(ge=256 * 2**20)] = 2 * 2**30
    #: Scans of one organisation that may wait or run at the same time.
    open_scans: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    #: Bytes of an archive that is submitted.
    archive_bytes: Annotated[int, Field(ge=1024)] = 200_000_000
    #: Bytes of a report that is downloaded; a larger one fails, and says so.
    report_bytes: Annotated[int, Field(ge=1024, le=500_000_000)] = 50_000_000
    #: Days after which a report is deleted; another one can be made as long as its scan is there.
    report_days: Annotated[int, Field(ge=1, le=365)] = 7
    #: Reports of one organisation that may wait at the same time.
    open_reports: Annotated[int, Field(ge=1, le=10_000)] = 50
    #: Days after which what is left of a deleted project is deleted: its scans, findings and reports. The audit log stays.
    deleted_project_days: Annotated[int, Field(ge=0, le=3650)] = 30

    @property
    def attempt_seconds(self) -> int:
        """Seconds that a worker may take for one task: a root, and what comes before and after it.

        A worker that is ended earlier dies with a scan that was about to say why it takes too long.
        """
        return self.scan_seconds + AROUND_A_SCAN


class ArchiveSettings(UploadSettings):
    """Variables `UPLOADS_*`: archives lie in the database, unless UPLOADS_DIRECTORY names a folder that API and workers share."""

    #: Scans leave their archives when they end: so many bytes are those that wait, and more of them get 507 until then.
    database_bytes: Annotated[int, Field(ge=1)] | None = 50_000_000_000


class SocketSettings(WebSocketSettings):
    """Variables `WEBSOCKETS_*`: CI jobs listen to their scans, and are no browsers."""

    allow_without_origin: bool = True
