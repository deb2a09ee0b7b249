"""Files from users: streamed, counted, recognised, kept under names of our own, and handed out as attachments."""

from .component import Uploads
from .database_storage import DatabaseStorage
from .errors import QuotaExceeded, StorageFull, UploadBroken
from .kinds import (
    DEFAULT_KINDS,
    GIF,
    JPEG,
    JSON,
    PDF,
    PNG,
    TAR,
    TAR_BZ2,
    TAR_GZ,
    TAR_XZ,
    WEBP,
    ZIP,
    Kind,
)
from .models import StoredChunk, StoredFile, Upload
from .names import content_disposition, display_name
from .policy import Examiner, Quota, Stored, UploadPolicy, bytes_per_owner
from .receiving import body_of, file_of, files_of
from .service import UploadService, remove_orphans, remove_orphans_in_worker
from .settings import UploadSettings
from .storage import LocalStorage, Sink, Storage

__all__ = [
    "DEFAULT_KINDS",
    "GIF",
    "JPEG",
    "JSON",
    "PDF",
    "PNG",
    "TAR",
    "TAR_BZ2",
    "TAR_GZ",
    "TAR_XZ",
    "WEBP",
    "ZIP",
    "DatabaseStorage",
    "Examiner",
    "Kind",
    "LocalStorage",
    "Quota",
    "QuotaExceeded",
    "Sink",
    "Storage",
    "StorageFull",
    "Stored",
    "StoredChunk",
    "StoredFile",
    "Upload",
    "UploadBroken",
    "UploadPolicy",
    "UploadService",
    "UploadSettings",
    "Uploads",
    "body_of",
    "bytes_per_owner",
    "content_disposition",
    "display_name",
    "file_of",
    "files_of",
    "remove_orphans",
    "remove_orphans_in_worker",
]
