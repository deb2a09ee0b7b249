"""Archives of strangers, taken apart so that nothing in them can act: read member by member, never extracted."""

from fastapi_architect.secapi.archives.limits import ArchiveLimits
from fastapi_architect.secapi.archives.private_folder import private_folder, sweep
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, NoRoom, Refusal, UnpackingCancelled
from fastapi_architect.secapi.archives.unpack import unpack
from fastapi_architect.secapi.archives.unpacked import Skipped, Unpacked

__all__ = [
    "ArchiveLimits",
    "ArchiveRefused",
    "NoRoom",
    "Refusal",
    "Skipped",
    "Unpacked",
    "UnpackingCancelled",
    "private_folder",
    "sweep",
    "unpack",
]
