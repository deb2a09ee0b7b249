"""Files for tests: small ones that are what they say, and some that are not."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

HTML = b"<!doctype html><script>alert(document.domain)</script>"


def png(padding: int = 0) -> bytes:
    """Return a picture of one pixel, with so many bytes of text in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    text = chunk(b"tEXt", b"c\x00" + b"x" * padding) if padding else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + text
        + chunk(b"IDAT", zlib.compress(b"\x00\x00"))
        + chunk(b"IEND", b"")
    )


def archive() -> bytes:
    """Return a ZIP archive, as a JAR is one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    return file.getvalue()


def tar(compression: str = "", size: int = 1) -> bytes:
    """Return a tar archive with one file, compressed as `gz`, `bz2`, `xz`, or not at all."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as opened:
        member = tarfile.TarInfo("main.py")
        member.size = size
        opened.addfile(member, io.BytesIO(b"#" * size))
    compress: dict[str, Callable[[bytes], bytes]] = {
        "": bytes,
        # Without the time, so that two processes collect the same tests.
        "gz": lambda data: gzip.compress(data, mtime=0),
        "bz2": bz2.compress,
        "xz": lzma.compress,
    }
    return compress[compression](file.getvalue())


GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40 + b"\xff\xd9"
PDF = b"%PDF-1.7\n" + b"x" * 40 + b"\n%%EOF\n"


def webp() -> bytes:
    """Return the shell of a picture, with the size in its header."""
    body = b"WEBPVP8 " + b"\x00" * 20
    return b"RIFF" + struct.pack("<I", len(body)) + body


def multipart(
    *files: tuple[str, str, bytes], boundary: str = "edge", end: bool = True
) -> tuple[bytes, dict[str, str]]:
    """Return a body and its header, for files of (name, type, content)."""
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, media_type, content in files
    )
    closing = f"--{boundary}--\r\n".encode() if end else b""
    return body + closing, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
