"""UPLOADS_*: where files lie, and how much is taken."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings

Bytes = Annotated[int, Field(ge=1)]


class UploadSettings(ComponentSettings):
    """Without a directory, files lie in the database, where every process on every machine has them."""

    model_config = SettingsConfigDict(env_prefix="UPLOADS_")

    #: Of the service alone, and served by nothing else; it has to outlive a deployment, and several hosts need a shared one.
    directory: Path | None = None
    max_file_bytes: Bytes = 10 * 1024 * 1024
    #: Of one request with all its files.
    max_request_bytes: Bytes = 25 * 1024 * 1024
    max_files: Annotated[int, Field(ge=1, le=100)] = 5
    #: How much one owner may have.
    owner_bytes: Bytes = 1024 * 1024 * 1024
    #: How much of the disk of the directory is left to others.
    keep_free_bytes: Annotated[int, Field(ge=0)] = 100 * 1024 * 1024
    #: How much all files in the database have together; they are added up before each one, so that it is meant for thousands.
    database_bytes: Bytes | None = None
    #: How long one request may take, where `request_limits` is installed.
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 600.0
