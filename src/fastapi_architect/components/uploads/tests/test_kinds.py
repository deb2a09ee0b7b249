"""What a file is, and what it is called."""

import pytest

from fastapi_architect.components.problem_details import ServiceError
from fastapi_architect.components.uploads import (
    DEFAULT_KINDS,
    JSON,
    TAR,
    TAR_BZ2,
    TAR_GZ,
    TAR_XZ,
    ZIP,
    content_disposition,
    display_name,
)
from fastapi_architect.components.uploads.inspection import Inspection, kind_of
from fastapi_architect.components.uploads.tests.files import GIF, HTML, JPEG, PDF, archive, png, tar, webp

KINDS = (*DEFAULT_KINDS, ZIP, TAR, TAR_GZ, TAR_BZ2, TAR_XZ, JSON)
GOOD = [
    ("a.png", "image/png", png()),
    ("a.PNG", "image/png", png(100_000)),
    ("a.jpg", "image/jpeg", JPEG),
    ("a.jpeg", "image/jpeg", JPEG),
    ("a.gif", "image/gif", GIF),
    ("a.webp", "image/webp", webp()),
    ("a.pdf", "application/pdf", PDF),
    ("a.zip", "application/zip", archive()),
    ("a.tar", "application/x-tar", tar(size=5_000)),
    ("a.tar.gz", "application/gzip", tar("gz", 5_000)),
    ("A.TGZ", "application/gzip", tar("gz")),
    ("a.tar.bz2", "application/x-bzip2", tar("bz2", 3)),
    ("a.tbz2", "application/x-bzip2", tar("bz2", 5_001)),
    ("a.tar.xz", "application/x-xz", tar("xz", 70_000)),
    ("a.json", "application/json", b'\xef\xbb\xbf\n {"runs": []}\n'),
]
BAD = {
    "page as picture": ("a.png", "image/png", HTML),
    "picture as page": ("a.html", "image/png", png()),
    "page": ("a.html", "text/html", HTML),
    "drawing with scripts": ("a.svg", "image/svg+xml", b"<svg onload='alert(1)'/>"),
    "type and name differ": ("a.gif", "image/png", png()),
    "content and type differ": ("a.gif", "image/gif", png()),
    "two extensions": ("a.png.html", "image/png", png()),
    "no extension": ("png", "image/png", png()),
    "no type": ("a.png", "", png()),
    "only the first bytes": ("a.png", "image/png", b"\x89PNG\r\n\x1a\n" + HTML),
    "cut off": ("a.png", "image/png", png()[:-1]),
    "empty": ("a.png", "image/png", b""),
    "picture and archive": ("a.png", "image/png", png() + archive()),
    "photograph and archive": ("a.jpg", "image/jpeg", JPEG + archive()),
    "animation and archive": ("a.gif", "image/gif", GIF + archive() + b";"),
    "document and archive": ("a.pdf", "application/pdf", PDF + archive() + b"%%EOF"),
    "modern picture and page": ("a.webp", "image/webp", webp() + HTML),
    "page before document": ("a.pdf", "application/pdf", HTML + PDF),
    "archive and page": ("a.zip", "application/zip", archive() + HTML),
    "tar with a broken header": ("a.tar", "application/x-tar", tar().replace(b"main.py", b"evil.py", 1)),
    "tar without its end": ("a.tar", "application/x-tar", tar()[:1024]),
    "tar and page": ("a.tar", "application/x-tar", tar() + HTML),
    "tar that is compressed": ("a.tar", "application/x-tar", tar("gz")),
    "one compression as another": ("a.tar.gz", "application/gzip", tar("bz2")),
    "compressed and archive": ("a.tar.gz", "application/gzip", tar("gz") + archive()),
    "compressed, but no tar by its name": ("a.gz", "application/gzip", tar("gz")),
    "bzip2 that is cut off": ("a.tar.bz2", "application/x-bzip2", tar("bz2")[:-12]),
    "bzip2 and page": ("a.tar.bz2", "application/x-bzip2", tar("bz2") + HTML),
    "xz that is cut off": ("a.tar.xz", "application/x-xz", tar("xz")[:-4]),
    "xz and page": ("a.tar.xz", "application/x-xz", tar("xz") + HTML),
    "list as object": ("a.json", "application/json", b"[]"),
    "object that is cut off": ("a.json", "application/json", b'{"runs": ['),
}


def take(name: str, media_type: str, content: bytes, step: int) -> None:
    inspection = Inspection(kind_of(name, media_type, KINDS), limit=1_000_000)
    for start in range(0, len(content), step):
        inspection.add(content[start : start + step])
    inspection.finish()


@pytest.mark.parametrize("step", [1, 7, 65_536, 10_000_000])
@pytest.mark.parametrize(("name", "media_type", "content"), GOOD)
def test_a_file_that_is_what_it_says_is_taken(name: str, media_type: str, content: bytes, step: int) -> None:
    take(name, media_type, content, step)


@pytest.mark.parametrize("step", [1, 65_536])
@pytest.mark.parametrize(("name", "media_type", "content"), BAD.values(), ids=BAD.keys())
def test_a_file_that_lies_or_is_two_things_is_refused(
    name: str, media_type: str, content: bytes, step: int
) -> None:
    with pytest.raises(ServiceError) as refusal:
        take(name, media_type, content, step)
    assert refusal.value.status == 415


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\evil.png", "evil.png"),
        ("/etc/cron.d/evil.png", "evil.png"),
        ("..", "file"),
        ("", "file"),
        ("a\x00.png", "a.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie: x.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("e\u0301.png", "\u00e9.png"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("x" * 300 + ".tar.gz", "x" * 193 + ".tar.gz"),
        ("shop.2.1.zip", "shop.2.1.zip"),
        (".png", "png"),
    ],
)
def test_a_name_is_only_for_people(given: str, shown: str) -> None:
    assert display_name(given) == shown


def test_a_name_cannot_end_its_header() -> None:
    header = content_disposition('a"; filename="evil.html\\ \u20ac%0d')

    assert header == (
        'attachment; filename="a__ filename=_evil.html_ __0d"; '
        "filename*=UTF-8''a%22%3B%20filename%3D%22evil.html%5C%20%E2%82%AC%250d"
    ).replace("a__ filename=_", "a_; filename=_")
