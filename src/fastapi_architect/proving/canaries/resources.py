"""Memory and CPU time that a call needs: counted by the allocator and by the kernel, not by the clock."""

from __future__ import annotations

import os
import signal
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

if sys.platform != "win32":
    import resource


def peak_memory(call: Callable[[], Any]) -> int:
    """Bytes of Python memory that `call` needed at its peak, beyond what was in use before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return max(peak - before, 0)


def exhausts(call: Callable[[], Any], cpu_seconds: int) -> bool:
    """Whether the kernel had to stop `call` for its CPU time.

    The call runs in a fork of this process. Exponential work differs from linear work by factors of
    millions, so the limit's size does not matter.

    Raises:
        RuntimeError: the call ended in another way than by returning or by the limit; or forks do not exist
        here.
    """
    if sys.platform == "win32":
        message = "CPU time cannot be limited on this platform"
        raise RuntimeError(message)
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # A fork starts with no CPU time of its own; the limit of the whole proof stays above this one.
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            call()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        message = f"the call failed by itself (status {status}, {used:.1f} s used before, {sys.platform})"
        raise RuntimeError(message)
    return False
