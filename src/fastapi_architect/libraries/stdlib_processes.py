"""Python's own library: programs, code made from text, the environment, the interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.configuration import EnvironmentRead
from fastapi_architect.concepts.process import CodeExecution, CommandExecution, DynamicAttribute, ProcessExit
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import INT, NONE, STR, Instance, Type, options, union

library = Library(packages=("subprocess", "importlib", "sys", "types", "signal", "ast", "runpy", "ctypes"))
calls = library.calls

_optional = union(STR, NONE) or NONE


def _environment(position: int):  # type: ignore[no-untyped-def]  # a factory: the inner signature says it
    def call_type(call: CallContext) -> Type | None:
        default = call.argument(position, "default")
        return _optional if default is None else union(STR, call.type_of(default))

    return call_type


calls["os.getenv"] = calls["os.environ.get"] = _environment(1)
calls["os.environ.copy"] = Instance("builtins.dict", (STR, STR))
calls["os.cpu_count"] = calls["os.getpid"] = INT
calls["subprocess.check_output"] = Instance("subprocess.check_output()")
calls["subprocess.getoutput"] = STR
calls["asyncio.create_subprocess_shell"] = awaitable(Instance("asyncio.subprocess.Process"))
calls["asyncio.create_subprocess_exec"] = awaitable(Instance("asyncio.subprocess.Process"))
calls["asyncio.subprocess.Process.communicate"] = awaitable(Instance("builtins.tuple", (None, None)))
calls["asyncio.subprocess.Process.wait"] = awaitable(INT)

_SUBPROCESS = tuple(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
_SHELL = (
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
    "anyio.run_process",
    "anyio.open_process",
)
_EXEC = (
    "asyncio.create_subprocess_exec",
    *(f"os.exec{suffix}" for suffix in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
    *(f"os.spawn{suffix}" for suffix in ("v", "vp", "l", "lp")),
    "os.posix_spawn",
    "pty.spawn",
)


@library.recognise(CommandExecution, names=[*_SUBPROCESS, *_SHELL, *_EXEC])
def _command(call: RecognisedCall) -> Iterator[CommandExecution]:
    command = call.argument(0, "args" if call.name in _SUBPROCESS else "cmd")
    if call.name.startswith("os.spawn"):
        command = call.argument(1)
    shell = call.name in _SHELL
    if call.name in _SUBPROCESS:
        given = call.keyword("shell")
        value = call.constant(given) if given is not None else False
        shell = value is UNKNOWN or bool(value)
    elif call.name.startswith("anyio"):
        shell = any(o == STR for o in options(call.type_of(command)))
    yield CommandExecution(
        *call.place,
        command=command,
        args=tuple(call.node.args),
        shell=shell,
        is_async=call.name.startswith(("asyncio", "anyio")),
    )


describe(
    library,
    BlockingCall,
    [
        *(
            f"subprocess.{name}"
            for name in ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
        ),
        "subprocess.Popen.wait",
        "subprocess.Popen.communicate",
        "os.system",
        "os.popen",
        "os.wait",
        "os.waitpid",
    ],
    kind="subprocess",
    instead="await asyncio.create_subprocess_exec(...)",
)

for _name in ("eval", "exec", "compile"):
    describe(library, CodeExecution, [f"builtins.{_name}"], code=Argument(0, "source"), kind=_name)
describe(
    library,
    CodeExecution,
    "importlib.import_module builtins.__import__",
    code=Argument(0, "name"),
    kind="import",
)
describe(
    library,
    CodeExecution,
    "importlib.util.spec_from_file_location",
    code=Argument(1, "location"),
    kind="import",
)
describe(library, CodeExecution, "runpy.run_path runpy.run_module", code=Argument(0), kind="import")
describe(
    library,
    CodeExecution,
    "types.FunctionType code.InteractiveInterpreter.runcode",
    code=Argument(0),
    kind="function",
)
describe(library, CodeExecution, "ctypes.CDLL ctypes.cdll.LoadLibrary", code=Argument(0), kind="import")

describe(
    library,
    EnvironmentRead,
    "os.getenv os.environ.get",
    variable=Argument(0, "key"),
    default=Argument(1, "default"),
)
describe(
    library,
    EnvironmentRead,
    "os.environ.setdefault os.environ.pop",
    variable=Argument(0),
    default=Argument(1),
)
describe(library, ProcessExit, "sys.exit os._exit builtins.exit builtins.quit os.abort")
describe(
    library, DynamicAttribute, ["builtins.getattr"], target=Argument(0), attribute=Argument(1), kind="get"
)
describe(
    library, DynamicAttribute, ["builtins.delattr"], target=Argument(0), attribute=Argument(1), kind="delete"
)
describe(
    library,
    DynamicAttribute,
    ["builtins.setattr"],
    target=Argument(0),
    attribute=Argument(1),
    value=Argument(2),
    kind="set",
)
