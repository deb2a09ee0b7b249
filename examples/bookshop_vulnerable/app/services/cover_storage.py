"""Covers on the disk."""

import subprocess
from pathlib import Path

from app.core.config import settings
from app.core.errors import UnsupportedMedia

COVER_TYPES = {"image/png", "image/jpeg"}


def check_type(content_type: str | None) -> None:
    """Refuse what is not a picture.

    Raises:
        UnsupportedMedia: if it is not.
    """
    if content_type not in COVER_TYPES:  # finding: upload-type-trusted
        raise UnsupportedMedia("A cover has to be a PNG or a JPEG.")


def save(filename: str, content: bytes) -> str:
    """Store a picture and say under which name."""
    directory = Path(settings.cover_directory)
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / filename, "wb") as file:  # finding: upload-filename-path-traversal
        file.write(content)
    return filename


def locate(name: str) -> Path:
    """Where a picture lies."""
    return Path(settings.cover_directory) / name  # finding: path-traversal-read-or-delete


def exists(name: str) -> bool:
    """Whether there is a picture of this name."""
    return locate(name).is_file()


def describe(name: str, pattern: str) -> str:
    """What ImageMagick says about a picture, for example "%w x %h" for its size."""
    command = f"identify -format '{pattern}' '{locate(name)}'"
    result = subprocess.run(command, shell=True, check=False, capture_output=True, timeout=settings.identify_timeout_seconds)  # finding: os-command-injection
    return result.stdout.decode(errors="replace")
