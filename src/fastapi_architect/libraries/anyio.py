"""anyio, aiofiles and trio: asynchronous files, threads, task groups."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import LoopRun, TaskSpawn, ThreadOffload, Timeout
from fastapi_architect.concepts.filesystem import FileAccess
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines
from fastapi_architect.libraries.table import RECEIVER, Argument, describe, describe_each
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import BYTES, STR, Instance, Type
from fastapi_architect.syntax import ir

library = Library(
    packages=("anyio", "trio", "aiofiles", "aioshutil", "sniffio", "exceptiongroup"),
    aliases={"aiofiles.threadpool.open": "aiofiles.open"},
    bases={"anyio.Path": ()},
)
calls = library.calls


def _mode(call: CallContext | RecognisedCall) -> str:
    expr = call.argument(1, "mode")
    return expr.value if expr.__class__ is ir.Constant and isinstance(expr.value, str) else ""


@library.call("aiofiles.open", "aiofiles.tempfile.NamedTemporaryFile")
def _file(call: CallContext) -> Type:
    """Both `await open()` and `async with open()` give the file."""
    return Instance(
        "aiofiles.threadpool.binary.AsyncBufferedIOBase"
        if "b" in _mode(call)
        else "aiofiles.threadpool.text.AsyncTextIOWrapper"
    )


calls["anyio.open_file"] = awaitable(_file)
for _owner, _of in (
    ("aiofiles.threadpool.text.AsyncTextIOWrapper", STR),
    ("aiofiles.threadpool.binary.AsyncBufferedIOBase", BYTES),
):
    calls[f"{_owner}.read"] = calls[f"{_owner}.readline"] = awaitable(_of)
    calls[f"{_owner}.readlines"] = awaitable(Instance("builtins.list", (_of,)))
    coroutines(library, _owner, "write writelines seek tell flush close truncate aclose")
coroutines(library, "aiofiles.os", "remove unlink rename replace mkdir makedirs rmdir listdir stat scandir")
coroutines(library, "aiofiles.os.path", "exists isfile isdir getsize")
calls["anyio.Path.read_text"] = awaitable(STR)
calls["anyio.Path.read_bytes"] = awaitable(BYTES)
coroutines(
    library,
    "anyio.Path",
    "write_text write_bytes unlink mkdir exists is_file is_dir resolve rename stat open",
)
coroutines(library, "anyio", "sleep sleep_forever run_process open_process connect_tcp")
calls["anyio.create_task_group"] = Instance("anyio.abc.TaskGroup")
coroutines(library, "anyio.abc.TaskGroup", "start")


@library.recognise(FileAccess, names=["aiofiles.open", "anyio.open_file", "anyio.Path.open"])
def _open(call: RecognisedCall) -> Iterator[FileAccess]:
    is_method = call.name == "anyio.Path.open"
    mode = call.constant(call.argument(0 if is_method else 1, "mode"))
    writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
    path = call.receiver if is_method else call.argument(0, "file")
    yield FileAccess(*call.place, path=path, mode="write" if writes else "read", is_async=True)


_DELETE: dict[str, object] = {"path": Argument(0), "mode": "delete", "is_async": True}
_MOVE: dict[str, object] = {"path": Argument(0), "target": Argument(1), "mode": "move", "is_async": True}
_COPY: dict[str, object] = {**_MOVE, "mode": "read"}
_LIST: dict[str, object] = {"path": Argument(0), "mode": "list", "is_async": True}
describe_each(
    library,
    FileAccess,
    {
        **dict.fromkeys((f"aiofiles.os.{name}" for name in ("remove", "unlink", "rmdir")), _DELETE),
        **dict.fromkeys((f"aiofiles.os.{name}" for name in ("rename", "replace")), _MOVE),
        **dict.fromkeys((f"aiofiles.os.{name}" for name in ("listdir", "scandir")), _LIST),
        "aioshutil.rmtree": _DELETE,
        "aioshutil.move": _MOVE,
        **dict.fromkeys((f"aioshutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree")), _COPY),
        **{
            f"anyio.Path.{name}": {"path": RECEIVER, "is_async": True, "mode": "list"}
            for name in ("iterdir", "glob", "rglob")
        },
        "anyio.Path.read_text": {"path": RECEIVER, "is_async": True, "whole": True},
        "anyio.Path.read_bytes": {"path": RECEIVER, "is_async": True, "whole": True},
        "anyio.Path.write_text": {
            "path": RECEIVER,
            "is_async": True,
            "mode": "write",
            "data": Argument(0, "data"),
        },
        "anyio.Path.write_bytes": {
            "path": RECEIVER,
            "is_async": True,
            "mode": "write",
            "data": Argument(0, "data"),
        },
        "anyio.Path.unlink": {"path": RECEIVER, "is_async": True, "mode": "delete"},
    },
)
describe(
    library,
    ThreadOffload,
    "anyio.to_thread.run_sync anyio.to_process.run_sync trio.to_thread.run_sync",
    target=Argument(0, "func"),
)
describe(library, LoopRun, "anyio.run anyio.from_thread.run trio.run", coroutine=Argument(0, "func"))
describe(
    library,
    Timeout,
    "anyio.fail_after anyio.move_on_after trio.fail_after trio.move_on_after",
    seconds=Argument(0),
)


@library.recognise(TaskSpawn, names=["anyio.abc.TaskGroup.start_soon", "anyio.abc.TaskGroup.start"])
def _spawn(call: RecognisedCall) -> Iterator[TaskSpawn]:
    """The function comes first, its arguments behind it."""
    yield TaskSpawn(*call.place, "group", tuple(call.node.args[:1]))
