"""Walls around a child, raised by itself before it reads the first byte of a stranger; none can be taken down again.

Each stands alone, as no kernel and no container offers all of them: what could not be raised is said in the result.
Nothing of the archive is ever executed. The walls are for the day when a parser written in C is.

Source: Linux manual pages setrlimit(2), unshare(2), seccomp(2), landlock(7); numbers of system calls from the kernel's tables.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterable

from fastapi_architect.secapi.sandbox.job import Walls

_FILE_SIZE = 1_000_000
_OPEN_FILES = 64

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC, _CLONE_THREAD = 0x10000000, 0x40000000, 0x08000000, 0x10000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2

# Landlock's system calls have the same numbers on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION, _LANDLOCK_PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1, 2, 4, 8
#: Rights over files that the first version of Landlock knows; later ones are asked for where they exist.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}

#: Numbers of system calls for (audit architecture, calls); those that a review never makes.
_ARCHITECTURES = {
    "x86_64": (0xC000003E, 56, {
        "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "bind": 49, "listen": 50, "socketpair": 53, "fork": 57,
        "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101, "mount": 165, "umount2": 166, "tkill": 200, "tgkill": 234,
        "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "execveat": 322, "userfaultfd": 323,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438,
    }),
    "aarch64": (0xC00000B7, 220, {
        "umount2": 39, "mount": 40, "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "socket": 198,
        "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206, "add_key": 217,
        "request_key": 218, "keyctl": 219, "execve": 221, "perf_event_open": 241, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
        "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438,
    }),
}  # fmt: skip
_CLONE3 = 435
_X32 = 0x40000000
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_INSTRUCTION = struct.Struct("<HBBI")


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def raise_walls(memory: int, cpu: int, readable: Iterable[str], writable: Iterable[str]) -> Walls:
    """Raise every wall that can be raised.

    Args:
        memory: bytes of address space.
        cpu: seconds of processor time.
        readable: folders and files that may be read.
        writable: folders that may also be written to.
    """
    standing: list[str] = []
    missing: dict[str, str] = {}

    def attempt(name: str, build: Callable[[], None]) -> None:
        try:
            build()
        except (OSError, ValueError, AttributeError) as error:
            missing[name] = str(error) or type(error).__name__
        else:
            standing.append(name)

    attempt("memory", lambda: _limit(resource.RLIMIT_AS, memory))
    # One second between the signal that says why and the one that cannot be caught.
    attempt("cpu", lambda: _limit(resource.RLIMIT_CPU, cpu, cpu + 1))
    attempt("file-size", lambda: _limit(resource.RLIMIT_FSIZE, _FILE_SIZE))
    attempt("open-files", lambda: _limit(resource.RLIMIT_NOFILE, _OPEN_FILES))
    attempt("no-core", lambda: _limit(resource.RLIMIT_CORE, 0))
    library = ctypes.CDLL(None, use_errno=True)
    attempt("no-new-privileges", lambda: _prctl(library, _PR_SET_NO_NEW_PRIVS, 1))
    attempt("not-traceable", lambda: _prctl(library, _PR_SET_DUMPABLE, 0))
    attempt("no-network", lambda: _unshare(library, _CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC))
    attempt("file-system", lambda: _landlock(library, readable, writable))
    attempt("system-calls", lambda: _seccomp(library))
    if "system-calls" not in standing:
        # Counted for the whole user, so that threads (which one deep file may need) cannot be told from processes.
        attempt("no-processes", lambda: _limit(resource.RLIMIT_NPROC, 0))
    return Walls(tuple(standing), missing)


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent dies, which may have happened already.

    To the kernel the parent is the thread that started this process; it is the one that waits for it, too.
    """
    with contextlib.suppress(OSError, AttributeError):
        _prctl(ctypes.CDLL(None, use_errno=True), _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    _, ceiling = resource.getrlimit(kind)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _prctl(library: ctypes.CDLL, option: int, value: int) -> None:
    _checked(
        library.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    )


def _unshare(library: ctypes.CDLL, spaces: int) -> None:
    _checked(library.unshare(spaces))


def _landlock(library: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> None:
    """Leave of the file system what the engine is imported from and what it reviews."""
    if sys.platform != "linux":
        raise OSError("not offered by this system")
    call = library.syscall
    call.restype = ctypes.c_long
    version = _checked(call(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION)))
    rights = _RIGHTS[min(version, max(_RIGHTS))]
    attribute = ctypes.create_string_buffer(struct.pack("<Q", rights), 8)
    ruleset = _checked(call(_LANDLOCK_CREATE, attribute, ctypes.c_size_t(8), ctypes.c_uint32(0)))
    try:
        for paths, allowed in (
            (readable, _EXECUTE | _READ_FILE | _READ_FOLDER),
            (writable, _WRITE_FILE | _READ_FILE | _READ_FOLDER),
        ):
            for path in paths:
                _allow(library, ruleset, path, allowed)
        _checked(call(_LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)


def _allow(library: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= _EXECUTE | _WRITE_FILE | _READ_FILE
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, beneath), 12)
        number = ctypes.c_long(_LANDLOCK_ADD)
        _checked(
            library.syscall(
                number, ctypes.c_int(ruleset), ctypes.c_int(_LANDLOCK_PATH_BENEATH), rule, ctypes.c_uint32(0)
            )
        )
    finally:
        os.close(beneath)


def _seccomp(library: ctypes.CDLL) -> None:
    """Refuse system calls that a review never makes: the network, other processes, programs, name spaces."""
    program = _filter(platform.machine())
    instructions = ctypes.create_string_buffer(program, len(program))
    held = _Program(len(program) // _INSTRUCTION.size, ctypes.cast(instructions, ctypes.c_char_p))
    _checked(
        library.prctl(
            _PR_SET_SECCOMP,
            ctypes.c_ulong(_SECCOMP_MODE_FILTER),
            ctypes.byref(held),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
        )
    )


def _filter(machine: str) -> bytes:
    if sys.platform != "linux" or machine not in _ARCHITECTURES:
        raise OSError(f"not written for {sys.platform} on {machine}")
    architecture, clone, refused = _ARCHITECTURES[machine]
    refuse = (_RETURN, 0, 0, _ERRNO | _EPERM)
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        refuse,
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        refuse,
        # glibc makes threads by the older call when this one does not exist, whose flags can be looked at.
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        (_EQUAL, 0, 4, clone),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 1, 0, _CLONE_THREAD),
        refuse,
        (_RETURN, 0, 0, _ALLOW),
    ]
    for number in refused.values():
        program += [(_EQUAL, 0, 1, number), refuse]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_INSTRUCTION.pack(*each) for each in program)
