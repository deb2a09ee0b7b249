"""Which kinds of files are taken, and how each is known.

What the client calls a file proves nothing, and the first bytes alone prove little: a file can be a picture from its beginning
and an archive from its end. A kind therefore says how a whole file begins and how it ends.
"""

from collections.abc import Callable
from dataclasses import dataclass

#: So many bytes of a file are looked at before the rest is read: the first header of a tar archive.
HEAD = 512
#: So many of the last ones are kept: the directory of a ZIP archive stands within them.
TAIL = 66_000

_ZIP_DIRECTORY = b"PK\x05\x06"
#: The 48 bits before the checksum at the end of bzip2, which need not begin with a byte.
_BZIP2_END = 0x177245385090


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Args:
        media_type: what the client has to declare, and what the file is served as.
        extensions: how its name may end, in lower case, with the dot; `.tar.gz` is one, too.
        begins: whether the first bytes (at least `HEAD`, or the whole file) are those of this kind.
        is_whole: whether a file of this beginning, these last bytes (at most `TAIL`) and this size is one of this kind and
            nothing besides.
    """

    media_type: str
    extensions: tuple[str, ...]
    begins: Callable[[bytes], bool]
    is_whole: Callable[[bytes, bytes, int], bool]


def _png_begins(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR"


def _png_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return tail.endswith(b"\x00\x00\x00\x00IEND\xaeB`\x82")


def _jpeg_begins(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def _jpeg_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return tail.endswith(b"\xff\xd9")


def _gif_begins(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a"))


def _gif_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return tail.endswith(b";") and _ZIP_DIRECTORY not in tail


def _webp_begins(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _webp_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return int.from_bytes(head[4:8], "little") + 8 == size


def _pdf_begins(head: bytes) -> bool:
    return head.startswith((b"%PDF-1.", b"%PDF-2."))


def _pdf_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return b"%%EOF" in tail[-1024:] and _ZIP_DIRECTORY not in tail


def _zip_begins(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", _ZIP_DIRECTORY))


def _zip_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    directory = tail.rfind(_ZIP_DIRECTORY)
    comment = int.from_bytes(tail[directory + 20 : directory + 22], "little")
    return directory >= 0 and directory + 22 + comment == len(tail)


def _tar_begins(head: bytes) -> bool:
    """The first header: its mark (POSIX ustar, which GNU and pax write too), and the sum of its bytes."""
    if len(head) < HEAD or head[257:262] != b"ustar":
        return False
    digits = head[148:156].strip(b" \x00")
    if not 1 <= len(digits) <= 7 or digits.translate(None, b"01234567"):
        return False
    return sum(head[:148]) + sum(head[156:HEAD]) + 8 * ord(" ") == int(digits, 8)


def _tar_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return size % 512 == 0 and tail.endswith(bytes(1024))


def _gzip_begins(head: bytes) -> bool:
    # Deflate, and none of the flags that RFC 1952 keeps for later.
    return head.startswith(b"\x1f\x8b\x08") and not head[3:4] > b"\x1f"


def _gzip_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    # Where it ends is known to whoever inflates it; what is appended most often has an end of its own.
    return size >= 18 and not _zip_is_whole(head, tail, size)


def _bzip2_begins(head: bytes) -> bool:
    return head.startswith(b"BZh") and head[3:4] in b"123456789" and head[4:10] == b"1AY&SY"


def _bzip2_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    last = int.from_bytes(tail[-11:], "big")
    return any((last >> (32 + shift)) & (2**48 - 1) == _BZIP2_END for shift in range(8))


def _xz_begins(head: bytes) -> bool:
    return head.startswith(b"\xfd7zXZ\x00\x00")


def _xz_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    # The footer repeats the flags of the header.
    return size % 4 == 0 and tail.endswith(head[6:8] + b"YZ")


def _json_begins(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"{")


def _json_is_whole(head: bytes, tail: bytes, size: int) -> bool:
    return tail.rstrip(b" \t\r\n").endswith(b"}")


PNG = Kind("image/png", (".png",), _png_begins, _png_is_whole)
JPEG = Kind("image/jpeg", (".jpg", ".jpeg"), _jpeg_begins, _jpeg_is_whole)
GIF = Kind("image/gif", (".gif",), _gif_begins, _gif_is_whole)
WEBP = Kind("image/webp", (".webp",), _webp_begins, _webp_is_whole)
PDF = Kind("application/pdf", (".pdf",), _pdf_begins, _pdf_is_whole)
#: Not among the kinds that are taken by default: what unpacks it has to count while it unpacks.
ZIP = Kind("application/zip", (".zip",), _zip_begins, _zip_is_whole)
#: Nor are these. Of what is compressed the tar archive itself is not looked at: that would be to inflate it.
TAR = Kind("application/x-tar", (".tar",), _tar_begins, _tar_is_whole)
TAR_GZ = Kind("application/gzip", (".tar.gz", ".tgz"), _gzip_begins, _gzip_is_whole)
TAR_BZ2 = Kind("application/x-bzip2", (".tar.bz2", ".tbz2"), _bzip2_begins, _bzip2_is_whole)
TAR_XZ = Kind("application/x-xz", (".tar.xz", ".txz"), _xz_begins, _xz_is_whole)
#: An object, as far as its first and last sign say so.
JSON = Kind("application/json", (".json",), _json_begins, _json_is_whole)

#: SVG is not among them on purpose: it is a page with scripts.
DEFAULT_KINDS = (PNG, JPEG, GIF, WEBP, PDF)
