"""What an archive of a stranger becomes, and what it cannot do."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import stat
import struct
import subprocess
import sys
import tarfile
import textwrap
import tracemalloc
import zipfile
from pathlib import Path

import msgspec
import pytest
from tests.secapi.archives.hostile import (
    APP,
    COMPRESSORS,
    end_of,
    full_overlap,
    noise,
    quoted_overlap,
    special,
    tarred,
    write,
    zip_with_mode,
    zipped,
)

from fastapi_architect.secapi.archives.limits import ArchiveLimits
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, NoRoom, Refusal, UnpackingCancelled
from fastapi_architect.secapi.archives.unpack import unpack
from fastapi_architect.secapi.archives.unpacked import Unpacked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "private"
    made.mkdir()
    return made


def opened(data: bytes, folder: Path, limits: ArchiveLimits | None = None) -> Unpacked:
    return unpack(write(folder.parent / "upload", data), folder, limits)


def refused(data: bytes, folder: Path, limits: ArchiveLimits | None = None) -> Refusal:
    """The code, after looking that nothing was left behind."""
    with pytest.raises(ArchiveRefused) as caught:
        opened(data, folder, limits)
    assert list(folder.iterdir()) == []
    assert caught.value.message.endswith(".")
    return caught.value.code


def reasons(unpacked: Unpacked) -> dict[str, str]:
    return {each.path: each.reason for each in unpacked.skipped}


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_tar_file_is_told_by_its_content_whatever_compresses_it(kind: str, folder: Path) -> None:
    found = opened(COMPRESSORS[kind](tarred([("main.py", APP), ("app/db.py", b"x = 1\n")])), folder)
    assert (found.kind, found.read("main.py"), found.read("app/db.py")) == (kind, APP, b"x = 1\n")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_file_is_read_whatever_usual_method_compresses_it(method: int, folder: Path) -> None:
    found = opened(zipped({"main.py": APP * 5000, "empty.py": b""}, method), folder)
    assert found.kind == "zip"
    assert found.read("main.py") == APP * 5000
    assert found.read("empty.py") == b""


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect_of_tar_is_read_with_its_long_names(form: int, folder: Path) -> None:
    name = "/".join(["folder"] * 20) + "/größe.py"
    assert list(opened(tarred([(name, APP), ("main.py", APP)], form), folder).files) == [name, "main.py"]


def test_only_what_a_review_reads_is_kept_and_the_rest_is_counted(folder: Path) -> None:
    found = opened(
        zipped(
            {
                "shop/main.py": APP,
                "shop/pyproject.toml": b"[project]\n",
                "shop/.gitignore": b"x\n",
                "shop/.env": b"A=1\n",
                "shop/logo.png": b"png",
                "shop/README.md": b"# Shop",
                "shop/node_modules/gyp/gyp.py": APP,
                "shop/lib/site-packages/x.py": APP,
            }
        ),
        folder,
    )
    assert list(found.files) == [".env", ".gitignore", "main.py", "pyproject.toml"]
    assert (found.top, found.members, found.unread) == ("shop", 8, 4)
    assert found.python == {"node_modules": 1, "site-packages": 1}


def test_the_folder_that_wraps_everything_is_taken_off_unless_it_is_a_package(
    folder: Path, tmp_path: Path
) -> None:
    assert list(opened(zipped({"repo-main/app/main.py": APP}), folder).files) == ["app/main.py"]
    other = tmp_path / "other"
    other.mkdir()
    package = opened(zipped({"app/__init__.py": b"", "app/main.py": APP}), other)
    assert (package.top, list(package.files)) == ("", ["app/__init__.py", "app/main.py"])


def test_what_became_of_an_archive_is_a_value_that_json_can_hold(folder: Path) -> None:
    found = opened(tarred([("main.py", APP), special("link.py", tarfile.SYMTYPE, "/etc/passwd")]), folder)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Unpacked) == found


def test_content_lies_in_one_file_of_a_generated_name_that_its_owner_alone_can_reach(folder: Path) -> None:
    opened(zipped({"a/../../../tmp/evil.py": APP, "main.py": APP}), folder)
    (only,) = folder.iterdir()
    assert (only.name, only.read_bytes()) == ("content", APP)


def test_of_two_entries_with_one_name_the_later_counts_as_when_they_are_extracted(folder: Path) -> None:
    found = opened(zipped([("main.py", b"first = 1\n"), ("main.py", b"second = 2\n")]), folder)
    assert found.read("main.py") == b"second = 2\n"
    assert reasons(found) == {"main.py": "there is a later entry with the same name, which counts"}


def test_names_that_differ_in_case_or_in_unicode_form_are_different_files(folder: Path) -> None:
    names = ["App/main.py", "app/main.py", "caf\u00e9.py", "cafe\u0301.py"]
    found = opened(zipped([(name, name.encode()) for name in names]), folder)
    assert {path: found.read(path) for path in found.files} == {name: name.encode() for name in names}


# ── names and kinds that have nothing to act on ──────────────────────────────────────────────────────────────────


NAMES = {
    "../evil.py": "a path that leads out of the archive",
    "app/../../evil.py": "a path that leads out of the archive",
    "/etc/cron.d/evil.py": "an absolute path",
    "C:/evil.py": "an absolute path",
    "\uff0e\uff0e/evil.py": "a name that reads like `..`",
    "\u2025/evil.py": "a name that reads like `..`",
    "a\u2100/evil.py": "a name that reads like `..`",
    "app/e\u202evil.py": "invisible or control characters in its name",
    "app/e\nvil.py": "invisible or control characters in its name",
    "/".join("d" * 5000) + "/x.py": "deeper than 40 folders",
    "n" * 4096 + ".py": "its name is longer than 1024 bytes",
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
@pytest.mark.parametrize("pack", [tarred, zipped])
def test_a_name_that_leads_elsewhere_is_skipped_and_listed(name: str, pack: object, folder: Path) -> None:
    limits = ArchiveLimits(name_bytes=20_000) if "d/d/d" in name else None
    found = opened(pack([("main.py", APP), (name, b"evil = 1\n")]), folder, limits)  # type: ignore[operator]
    assert list(found.files) == ["main.py"]
    assert found.reasons == {NAMES[name]: 1}
    assert all(len(path) < 210 and path.isprintable() for path in reasons(found))


def test_a_nul_byte_does_not_cut_a_name_short(folder: Path) -> None:
    found = opened(zipped([("main.py", APP), ("safe.py\0.txt", APP)]), folder)
    assert (list(found.files), list(found.reasons)) == (["main.py"], ["a NUL byte in its name"])


def test_backslashes_separate_folders_in_zip_files_and_lead_out_as_little_as_slashes(folder: Path) -> None:
    found = opened(
        zipped([("app\\main.py", APP), ("db.py", APP), ("..\\..\\evil.py", APP), ("\\\\server\\x.py", APP)]),
        folder,
    )
    assert list(found.files) == ["app/main.py", "db.py"]
    assert found.reasons == {"a path that leads out of the archive": 1, "an absolute path": 1}


def test_a_backslash_in_a_tar_file_is_no_separator_and_not_taken(folder: Path) -> None:
    found = opened(tarred([("main.py", APP), ("..\\evil.py", APP)]), folder)
    assert (list(found.files), list(found.reasons)) == (["main.py"], ["a backslash in its name"])


def test_a_name_that_is_not_utf8_is_skipped_and_shown_with_escapes(folder: Path) -> None:
    found = opened(tarred([("main.py", APP), ("caf\udce9.py", APP)], tarfile.GNU_FORMAT), folder)
    assert reasons(found) == {"caf\\xe9.py": "its name is not UTF-8"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a named pipe"),
        (b"V", "an entry of the type 'V'"),
    ],
)
def test_what_is_no_regular_file_of_a_tar_is_skipped_and_listed(
    kind: bytes, reason: str, folder: Path
) -> None:
    found = opened(tarred([special("a.py", kind, "/etc/passwd"), ("main.py", APP)]), folder)
    assert (list(found.files), reasons(found)) == (["main.py"], {"a.py": reason})


def test_a_file_written_through_a_link_of_the_archive_is_a_file_of_the_tree(
    folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    members = [
        special("app", tarfile.SYMTYPE, str(outside)),
        ("app/evil.py", b"evil = 1\n"),
        ("main.py", APP),
    ]
    found = opened(tarred(members), folder)
    assert list(outside.iterdir()) == []
    assert (list(found.files), list(found.reasons)) == (["app/evil.py", "main.py"], ["a symbolic link"])


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(stat.S_IFLNK | 0o777, "a symbolic link"), (stat.S_IFIFO | 0o644, "neither a file nor a folder")],
)
def test_what_is_no_regular_file_of_a_zip_is_skipped_and_listed(mode: int, reason: str, folder: Path) -> None:
    found = opened(zip_with_mode("link.py", mode), folder)
    assert (list(found.files), reasons(found)) == (["main.py"], {"link.py": reason})


def test_an_archive_in_the_archive_is_not_opened(folder: Path) -> None:
    found = opened(zipped({"main.py": APP, "more.zip": zipped({"x.py": APP}), "lib.whl": b"PK"}), folder)
    assert list(found.files) == ["main.py"]
    assert found.reasons == {"an archive in the archive, which is not opened": 2}


def test_a_method_that_nobody_uses_for_source_skips_the_file(folder: Path) -> None:
    found = opened(zipped({"main.py": APP}, zipfile.ZIP_LZMA), folder)
    assert found.reasons == {"compressed by method 14, which is not read": 1}


def test_a_sparse_file_is_skipped_however_large_it_says_that_it_is(folder: Path) -> None:
    data = bytearray(tarred([("sparse.py", b""), ("main.py", APP)], tarfile.GNU_FORMAT))
    data[156:157] = tarfile.GNUTYPE_SPARSE
    data[483:495] = b"77777777777\0"  # the size that it would have: 8 GB
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    found = opened(bytes(data), folder)
    assert (list(found.files), reasons(found)) == (["main.py"], {"sparse.py": "a sparse file"})


def test_skipped_members_are_all_counted_and_a_thousand_are_named(folder: Path) -> None:
    members = [special(f"link{number}.py", tarfile.SYMTYPE, "x") for number in range(1500)]
    found = opened(tarred(members), folder)
    assert (len(found.skipped), found.reasons) == (1000, {"a symbolic link": 1500})


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(folder: Path) -> None:
    assert (
        refused(b"PK\3\4" + b"x" * 5000, folder, ArchiveLimits(upload_bytes=5000)) == Refusal.UPLOAD_TOO_LARGE
    )


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_more_entries_than_the_limit_refuse_the_archive(pack: object, folder: Path) -> None:
    entries = [(f"f{number}.txt", b"") for number in range(101)]
    data = pack(entries)  # type: ignore[operator]
    assert refused(data, folder, ArchiveLimits(members=100)) == Refusal.TOO_MANY_MEMBERS
    assert opened(data, folder, ArchiveLimits(members=101)).members == 101


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_a_file_that_is_too_large_is_skipped_and_its_neighbours_are_kept(pack: object, folder: Path) -> None:
    data = pack([("big.py", noise(300_000)), ("main.py", APP)])  # type: ignore[operator]
    found = opened(data, folder, ArchiveLimits(file_bytes=100_000))
    assert reasons(found) == {"big.py": "larger than 0.1 MB"}
    assert found.read("main.py") == APP
    assert Path(found.place).stat().st_size == len(APP)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_what_is_inflated_in_all_is_bounded(kind: str, folder: Path) -> None:
    data = COMPRESSORS[kind](tarred([(f"{number}.bin", noise(100_000)) for number in range(12)]))
    assert refused(data, folder, ArchiveLimits(total_bytes=1_000_000)) == Refusal.TOO_LARGE


def test_a_zip_whose_files_are_too_large_together_is_refused_before_anything_is_inflated(
    folder: Path,
) -> None:
    data = zipped([(f"{number}.py", noise(100_000)) for number in range(12)])
    assert refused(data, folder, ArchiveLimits(total_bytes=1_000_000)) == Refusal.TOO_LARGE


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_stream_that_grows_like_a_bomb_is_refused(kind: str, folder: Path) -> None:
    data = COMPRESSORS[kind](tarred([("zeros.py", b"\0" * 30_000_000)]))
    assert len(data) < 100_000
    assert refused(data, folder) == Refusal.COMPRESSION_RATIO


def test_a_zip_member_that_says_that_it_grows_like_a_bomb_is_refused(folder: Path) -> None:
    assert refused(zipped({"zeros.bin": b"\0" * 5_000_000}), folder) == Refusal.COMPRESSION_RATIO


def test_a_zip_member_that_lies_about_its_size_is_refused_when_it_grows_beyond_it(folder: Path) -> None:
    data = bytearray(zipped({"zeros.py": b"\0" * 5_000_000}))
    _, start, _ = end_of(bytes(data))
    for place in (22, start + 24):  # in the member's header and in the directory
        struct.pack_into("<L", data, place, 1000)
    assert refused(bytes(data), folder) == Refusal.HEADER_MISMATCH


def test_a_thousand_streams_of_nothing_do_not_take_for_ever(folder: Path) -> None:
    assert refused(gzip.compress(b"") * 30_000, folder) == Refusal.CORRUPT


def test_several_streams_with_zeros_behind_them_are_one_archive(folder: Path) -> None:
    whole = tarred([("main.py", APP), ("b.py", b"b = 1\n")])
    data = gzip.compress(whole[:700]) + gzip.compress(whole[700:]) + b"\0" * 512
    assert opened(data, folder).read("b.py") == b"b = 1\n"


def test_an_xz_file_does_not_decide_how_much_memory_its_dictionary_takes(folder: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**30}]
    data = lzma.compress(tarred([("main.py", APP)]), filters=filters)
    assert refused(data, folder) == Refusal.TOO_LARGE


@pytest.mark.parametrize("build", [full_overlap, quoted_overlap])
def test_members_that_share_their_bytes_are_refused(build: object, folder: Path) -> None:
    data = build(250, 20_000)  # type: ignore[operator]
    assert refused(data, folder) == Refusal.OVERLAPPING


def test_members_that_share_their_bytes_are_refused_whether_or_not_anybody_reads_them(folder: Path) -> None:
    assert refused(quoted_overlap(250, 20_000, ".bin"), folder) == Refusal.OVERLAPPING


def test_an_archive_that_takes_too_long_is_refused(folder: Path) -> None:
    data = tarred([(f"{number}.py", APP) for number in range(50)])
    assert refused(data, folder, ArchiveLimits(seconds=0)) == Refusal.TOOK_TOO_LONG


def test_unpacking_stops_when_nobody_wants_it_any_more(folder: Path) -> None:
    data = write(folder.parent / "upload", tarred([(f"{number}.py", APP) for number in range(50)]))
    with pytest.raises(UnpackingCancelled):
        unpack(data, folder, cancelled=lambda: True)
    assert list(folder.iterdir()) == []


def test_whoever_may_cancel_is_not_asked_for_every_member(folder: Path) -> None:
    asked: list[int] = []
    data = write(folder.parent / "upload", tarred([(f"{number}.py", b"") for number in range(3_000)]))
    unpack(data, folder, cancelled=lambda: bool(asked.append(1)))
    assert 1 <= len(asked) < 300


def test_headers_before_a_member_are_bounded(folder: Path) -> None:
    info = tarfile.TarInfo("main.py")
    info.pax_headers = {"comment": "x" * 1_000_000}
    assert refused(tarred([info]), folder) == Refusal.CORRUPT


def test_a_million_entries_are_refused_in_bounded_memory(folder: Path) -> None:
    block = special("x", tarfile.SYMTYPE, "y").tobuf(tarfile.USTAR_FORMAT)
    data = write(folder.parent / "upload", gzip.compress(block * 1_000_000, 1))
    limits = ArchiveLimits(ratio=10_000, members=10_000)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused) as caught:
            unpack(data, folder, limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.code == Refusal.TOO_MANY_MEMBERS
    assert (
        peak < 3_000_000
    )  # of which a thousand named members; each of the 50,000 would take more than 1,000 bytes


# ── damaged, encrypted, contradictory ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_a_tar_file_that_was_cut_off_is_refused(kind: str, part: float, folder: Path) -> None:
    data = COMPRESSORS[kind](tarred([("main.py", noise(40_000)), ("b.py", noise(40_000))]))
    assert refused(data[: int(len(data) * part)], folder) == Refusal.TRUNCATED


def test_a_tar_file_without_its_end_is_refused(folder: Path) -> None:
    whole = tarred([("main.py", APP)])
    assert refused(whole[:1024], folder) == Refusal.TRUNCATED


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(folder: Path) -> None:
    data = bytearray(tarred([("main.py", APP), ("hidden.py", APP)], tarfile.USTAR_FORMAT))
    data[1024 + 3] ^= 0xFF
    assert refused(bytes(data), folder) == Refusal.CORRUPT


def test_a_damaged_header_at_the_end_is_not_taken_for_the_end(folder: Path) -> None:
    data = bytearray(tarred([("main.py", APP), ("hidden.py", b"")], tarfile.USTAR_FORMAT))
    data[1024 + 3] ^= 0xFF
    assert refused(bytes(data), folder) == Refusal.CORRUPT


def test_members_behind_the_end_of_the_archive_are_not_overlooked(folder: Path) -> None:
    data = tarred([("main.py", APP)]) + tarred([("hidden.py", APP)])
    assert refused(data, folder) == Refusal.CORRUPT


def test_a_negative_size_does_not_lead_backwards(folder: Path) -> None:
    data = bytearray(tarred([("main.py", APP)], tarfile.GNU_FORMAT))
    data[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512 in base 256
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert refused(bytes(data), folder) == Refusal.CORRUPT


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_flipped_bit_is_noticed(kind: str, folder: Path) -> None:
    data = bytearray(COMPRESSORS[kind](tarred([("main.py", noise(40_000))])))
    data[len(data) // 2] ^= 0x10
    # bzip2 scrambles a whole block, its first header included, before the check sum of the block is due.
    assert refused(bytes(data), folder) in {Refusal.CORRUPT, Refusal.NOT_AN_ARCHIVE}


def test_a_zip_file_that_was_cut_off_is_refused(folder: Path) -> None:
    assert refused(zipped({"main.py": APP * 100})[:-30], folder) == Refusal.TRUNCATED


def test_a_wrong_check_sum_of_a_zip_member_is_noticed(folder: Path) -> None:
    data = bytearray(zipped({"main.py": APP}, zipfile.ZIP_STORED))
    data[data.index(b"FastAPI")] ^= 1
    assert refused(bytes(data), folder) == Refusal.CORRUPT


def test_an_encrypted_zip_file_is_refused(folder: Path) -> None:
    data = bytearray(zipped({"main.py": APP}))
    _, start, _ = end_of(bytes(data))
    data[6] |= 1
    data[start + 8] |= 1
    assert refused(bytes(data), folder) == Refusal.ENCRYPTED


def test_a_member_header_with_another_name_than_the_directory_is_refused(folder: Path) -> None:
    data = zipped({"main.py": APP}).replace(b"main.py", b"evil.py", 1)
    assert refused(data, folder) == Refusal.HEADER_MISMATCH


def test_a_member_header_with_another_size_than_the_directory_is_refused(folder: Path) -> None:
    data = bytearray(zipped({"main.py": APP}))
    struct.pack_into("<L", data, 22, 7)
    assert refused(bytes(data), folder) == Refusal.HEADER_MISMATCH


def test_a_directory_with_another_number_of_entries_than_its_end_is_refused(folder: Path) -> None:
    data = bytearray(zipped({"main.py": APP, "b.py": APP}))
    end, _, _ = end_of(bytes(data))
    struct.pack_into("<HH", data, end + 8, 1, 1)
    assert refused(bytes(data), folder) == Refusal.HEADER_MISMATCH


def test_a_zip_file_with_two_ends_is_refused(folder: Path) -> None:
    first = zipped({"main.py": APP})
    end, _, _ = end_of(first)
    inner = first[end:]
    outer = bytearray(first + inner)
    struct.pack_into("<H", outer, end + 20, len(inner))
    assert refused(bytes(outer), folder) == Refusal.HEADER_MISMATCH


def test_a_zip64_file_is_read_and_one_whose_two_ends_differ_is_refused(folder: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive, archive.open("main.py", "w", force_zip64=True) as member:
        member.write(APP)
    plain = held.getvalue()
    end, start, entries = end_of(plain)
    size = end - start
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    whole = plain[:end] + record + locator + plain[end:]
    assert opened(whole, folder).read("main.py") == APP
    Path(folder / "content").unlink()
    lying = bytearray(whole)
    struct.pack_into("<Q", lying, end + 32, 2)
    struct.pack_into("<Q", lying, end + 24, 2)
    assert refused(bytes(lying), folder) == Refusal.HEADER_MISMATCH
    lying = bytearray(whole)
    struct.pack_into("<HH", lying, len(whole) - 22 + 8, 7, 7)
    assert refused(bytes(lying), folder) == Refusal.HEADER_MISMATCH


def test_an_entry_that_lacks_its_zip64_sizes_is_refused(folder: Path) -> None:
    data = bytearray(zipped({"main.py": APP}))
    _, start, _ = end_of(bytes(data))
    struct.pack_into("<L", data, start + 24, 0xFFFFFFFF)
    assert refused(bytes(data), folder) == Refusal.CORRUPT


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Refusal.NOT_AN_ARCHIVE),
        (b"import os\n" * 200, Refusal.NOT_AN_ARCHIVE),
        (b"\0" * 4096, Refusal.NOT_AN_ARCHIVE),
        (zipped({}), Refusal.NOT_AN_ARCHIVE),
        (tarred([]), Refusal.NOT_AN_ARCHIVE),
        (gzip.compress(b"import os\n"), Refusal.NOT_AN_ARCHIVE),
        (gzip.compress(b"import os\n" * 200), Refusal.NOT_AN_ARCHIVE),
        (gzip.compress(tarred([])), Refusal.NOT_AN_ARCHIVE),
        (b"\x28\xb5\x2f\xfd" + b"x" * 600, Refusal.UNSUPPORTED_FORMAT),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 600, Refusal.UNSUPPORTED_FORMAT),
        (b"Rar!\x1a\x07" + b"x" * 600, Refusal.UNSUPPORTED_FORMAT),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_archive_that_can_be_read_is_refused(data: bytes, code: Refusal, folder: Path) -> None:
    assert refused(data, folder) == code


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_refused_or_harmless_and_never_a_crash(seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    entries = [("main.py", APP), ("a/b.py", noise(2000)), ("c.toml", b"x = 1\n")]
    data = bytearray(
        chance.choice([zipped(entries), tarred(entries), COMPRESSORS["tar.gz"](tarred(entries))])
    )
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    try:
        found = opened(bytes(data), folder)
    except ArchiveRefused:
        assert list(folder.iterdir()) == []
    else:
        assert len(list(folder.iterdir())) == 1
        assert all(isinstance(found.read(path), bytes) for path in found.files)


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────────

_ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from fastapi_architect.secapi.archives.refusal import NoRoom
from fastapi_architect.secapi.archives.unpack import unpack

disk = Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=True)
try:
    unpack(Path(sys.argv[1]), disk)
except NoRoom as error:
    print("no room:", error, [each.name for each in disk.iterdir()])
"""


def test_a_full_disk_is_a_clear_failure_and_nothing_is_left_behind(folder: Path) -> None:
    namespaces = ["unshare", "--user", "--map-root-user", "--mount"]
    if sys.platform != "linux" or subprocess.run([*namespaces, "true"], check=False).returncode:
        pytest.skip("this machine does not let a test mount a small disk")
    upload = write(folder.parent / "upload", tarred([("big.py", noise(1_000_000))]))
    command = [*namespaces, sys.executable, "-c", textwrap.dedent(_ON_A_SMALL_DISK), str(upload), str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "no room: There is no room to unpack an archive: No space left on device. []\n"


def test_a_limit_on_the_size_of_files_is_a_clear_failure_too(folder: Path) -> None:
    upload = write(folder.parent / "upload", tarred([("big.py", noise(1_000_000))]))
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from fastapi_architect.secapi.archives.refusal import NoRoom\n"
        "from fastapi_architect.secapi.archives.unpack import unpack\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    unpack(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except NoRoom:\n    print('no room', list(Path(sys.argv[2]).iterdir()))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(upload), str(folder)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "no room []\n"


def test_no_room_is_no_refusal(folder: Path) -> None:
    assert not issubclass(NoRoom, ArchiveRefused)
