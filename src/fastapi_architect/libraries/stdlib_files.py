"""Python's own library: files, folders, archives."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.filesystem import ArchiveExtraction, FileAccess, FileCopy, PathResolution
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import receiver
from fastapi_architect.libraries.table import RECEIVER, Argument, describe, describe_each
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import BOOL, BYTES, INT, STR, Instance, Type
from fastapi_architect.syntax import ir

library = Library(
    packages=(
        "os",
        "io",
        "pathlib",
        "shutil",
        "tempfile",
        "zipfile",
        "tarfile",
        "glob",
        "gzip",
        "zlib",
        "bz2",
        "lzma",
    ),
    aliases={"posixpath.*": "os.path", "ntpath.*": "os.path", "pathlib._local.*": "pathlib", "_io.*": "io"},
    classes={"io.StringIO", "io.BytesIO", "os.DirEntry"},
    bases={
        "pathlib.Path": ("pathlib.PurePath",),
        "pathlib.PosixPath": ("pathlib.Path",),
        "pathlib.PurePosixPath": ("pathlib.PurePath",),
        "io.BufferedWriter": ("io.BufferedReader",),
        "io.BytesIO": ("io.BufferedReader",),
        "io.StringIO": ("io.TextIOWrapper",),
        "tempfile.SpooledTemporaryFile": ("io.BufferedReader",),
        "tempfile.NamedTemporaryFile": ("io.BufferedReader",),
    },
)
library.functions |= {"tempfile.NamedTemporaryFile", "tempfile.TemporaryFile"}
calls = library.calls
_PATH = Instance("pathlib.Path")


def _mode(expr: ir.Expr | None) -> str:
    return expr.value if expr.__class__ is ir.Constant and isinstance(expr.value, str) else ""


def _file_type(position: int):  # type: ignore[no-untyped-def]  # a factory: the inner signature says it
    def call_type(call: CallContext) -> Type:
        binary = "b" in _mode(call.argument(position, "mode"))
        return Instance("io.BufferedReader" if binary else "io.TextIOWrapper")

    return call_type


calls["builtins.open"] = calls["io.open"] = _file_type(1)
calls["pathlib.Path.open"] = _file_type(0)
calls["io.TextIOWrapper.read"] = calls["io.TextIOWrapper.readline"] = calls["io.StringIO.getvalue"] = STR
calls["io.TextIOWrapper.readlines"] = Instance("builtins.list", (STR,))
calls["io.BufferedReader.read"] = calls["io.BufferedReader.readline"] = calls["io.BytesIO.getvalue"] = BYTES
_TO_PATHS = (
    "resolve absolute expanduser with_name with_suffix with_stem joinpath relative_to rename replace readlink"
)
for _name in _TO_PATHS.split():
    calls[f"pathlib.PurePath.{_name}"] = receiver
calls["pathlib.Path.cwd"] = calls["pathlib.Path.home"] = _PATH
for _name in ("exists", "is_file", "is_dir", "is_symlink"):
    calls[f"pathlib.Path.{_name}"] = BOOL
for _name in ("is_relative_to", "is_absolute", "match"):
    calls[f"pathlib.PurePath.{_name}"] = BOOL
calls["pathlib.PurePath.as_posix"] = calls["pathlib.Path.read_text"] = STR
calls["pathlib.Path.read_bytes"] = BYTES
for _name in ("iterdir", "glob", "rglob"):
    calls[f"pathlib.Path.{_name}"] = Instance("collections.abc.Iterator", (_PATH,))
for _name in ("name", "stem", "suffix"):
    library.attributes[f"pathlib.PurePath.{_name}"] = STR
library.attributes["pathlib.PurePath.parent"] = _PATH
library.attributes["pathlib.PurePath.parts"] = Instance("builtins.list", (STR,))
library.attributes["pathlib.PurePath.parents"] = Instance("builtins.list", (_PATH,))
for (
    _name
) in "join abspath realpath normpath basename dirname expanduser relpath commonpath commonprefix".split():
    calls[f"os.path.{_name}"] = STR
for _name in ("exists", "isfile", "isdir", "isabs", "islink"):
    calls[f"os.path.{_name}"] = BOOL
calls["os.path.getsize"] = INT
calls["os.path.splitext"] = Instance("builtins.tuple", (STR, STR))
calls["os.getcwd"] = calls["tempfile.mkdtemp"] = calls["tempfile.gettempdir"] = STR
calls["os.listdir"] = Instance("builtins.list", (STR,))
calls["tempfile.NamedTemporaryFile"] = calls["tempfile.TemporaryFile"] = Instance(
    "tempfile.NamedTemporaryFile"
)
calls["tempfile.TemporaryDirectory.__enter__"] = STR
library.attributes["tempfile.NamedTemporaryFile.name"] = STR

# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────


@library.recognise(FileAccess, names=["builtins.open", "io.open", "pathlib.Path.open", "os.open"])
def _open(call: RecognisedCall) -> Iterator[FileAccess]:
    method = call.name == "pathlib.Path.open"
    mode = _mode(call.argument(0 if method else 1, "mode"))
    writes = any(letter in mode for letter in "wax+")
    yield FileAccess(
        *call.place,
        path=call.receiver if method else call.argument(0, "file"),
        mode="write" if writes else "read",
    )


_first = Argument(0)
_ON_PATHS: dict[str, dict[str, object]] = {
    "read_text": {"mode": "read", "whole": True},
    "read_bytes": {"mode": "read", "whole": True},
    "write_text": {"mode": "write", "data": Argument(0, "data")},
    "write_bytes": {"mode": "write", "data": Argument(0, "data")},
    "unlink": {"mode": "delete"},
    "rmdir": {"mode": "delete"},
    "rename": {"mode": "move", "target": Argument(0, "target")},
    "replace": {"mode": "move", "target": Argument(0, "target")},
    "mkdir": {"mode": "make"},
    "touch": {"mode": "make"},
    "iterdir": {"mode": "list"},
    "glob": {"mode": "list"},
    "rglob": {"mode": "list"},
    "symlink_to": {"mode": "write", "target": Argument(0, "target")},
}
_ON_NAMES: dict[str, dict[str, object]] = {
    **dict.fromkeys(
        ("os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree"), {"mode": "delete"}
    ),
    **dict.fromkeys(("os.makedirs", "os.mkdir"), {"mode": "make"}),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"), {"mode": "list"}),
    **dict.fromkeys(
        ("os.rename", "os.replace", "shutil.move"), {"mode": "move", "target": Argument(1, "dst")}
    ),
    **dict.fromkeys(
        ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree"),
        {"mode": "read", "target": Argument(1, "dst")},
    ),
    **dict.fromkeys(("os.symlink", "os.link"), {"mode": "write", "target": Argument(1, "dst")}),
    "gzip.open": {"mode": "read"},
    "zipfile.ZipFile": {"mode": "read"},
    "tarfile.open": {"mode": "read"},
}
describe_each(
    library, FileAccess, {f"pathlib.Path.{name}": {"path": RECEIVER, **f} for name, f in _ON_PATHS.items()}
)
describe_each(library, FileAccess, {name: {"path": _first, **fields} for name, fields in _ON_NAMES.items()})
describe(library, FileCopy, ["shutil.copyfileobj"], source=Argument(0, "fsrc"), target=Argument(1, "fdst"))
describe(library, PathResolution, ["pathlib.Path.resolve"], path=RECEIVER)
describe(library, PathResolution, ["os.path.realpath", "os.path.abspath", "os.path.normpath"], path=_first)
for _archive, _format in (("zipfile.ZipFile", "zip"), ("tarfile.TarFile", "tar")):
    for _name, _position in (("extractall", 0), ("extract", 1)):
        describe(
            library,
            ArchiveExtraction,
            [f"{_archive}.{_name}"],
            archive=RECEIVER,
            target=Argument(_position, "path"),
            filter=Argument(None, "filter"),
            format=_format,
        )
calls["tarfile.open"] = Instance("tarfile.TarFile")
describe(
    library,
    ArchiveExtraction,
    ["shutil.unpack_archive"],
    archive=_first,
    target=Argument(1, "extract_dir"),
    filter=Argument(None, "filter"),
    format="any",
)

_INSTEAD = "aiofiles.open(...) or await asyncio.to_thread(...)"
describe(
    library,
    BlockingCall,
    [
        "builtins.open",
        "io.open",
        *(
            f"pathlib.Path.{name}"
            for name in ("open", "read_text", "read_bytes", "write_text", "write_bytes")
        ),
        *(
            f"shutil.{name}"
            for name in ("copy", "copy2", "copyfile", "copyfileobj", "copytree", "rmtree", "move")
        ),
        *(f"shutil.{name}" for name in ("make_archive", "unpack_archive")),
        "os.walk",
        "glob.glob",
    ],
    kind="file",
    instead=_INSTEAD,
)
describe(
    library,
    BlockingCall,
    "zipfile.ZipFile.extractall zipfile.ZipFile.write zipfile.ZipFile.writestr zipfile.ZipFile.read "
    "tarfile.TarFile.extractall tarfile.TarFile.add gzip.compress gzip.decompress zlib.compress "
    "zlib.decompress bz2.compress "
    "bz2.decompress lzma.compress lzma.decompress",
    kind="cpu",
    instead="await asyncio.to_thread(...)",
)
