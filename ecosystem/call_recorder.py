"""A pytest plugin that writes down which functions of a project call which, while its own tests run.

    CALLS_ROOT=/path/to/source CALLS_FILE=/tmp/calls.json PYTHONPATH=ecosystem python -m pytest -p call_recorder

A call counts where a function of the project runs one of the project's directly: what a library calls (an operation, a
validator, a callback) and what C code calls (a key function, an iterator's end) has no call in the source. Needs Python
3.11 for qualified names, and nothing that is not in the standard library.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = os.path.realpath(os.environ["CALLS_ROOT"]) + os.sep
#: (file, qualified name) of the caller and of the called, each once.
_pairs: set[tuple[CodeType, CodeType]] = set()
_is_ours: dict[CodeType, bool] = {}
_local = threading.local()


def _ours(code: CodeType) -> bool:
    known = _is_ours.get(code)
    if known is None:
        name = code.co_filename
        known = _is_ours[code] = Path(name).is_absolute() and os.path.realpath(name).startswith(ROOT)
    return known


def _event(frame: FrameType, event: str, _: Any) -> None:
    if event == "call":
        caller = frame.f_back
        if caller is None or not _ours(frame.f_code) or not _ours(caller.f_code):
            return
        if caller not in getattr(_local, "in_c", ()):
            _pairs.add((caller.f_code, frame.f_code))
    elif event == "c_call":
        if _ours(frame.f_code):
            if not hasattr(_local, "in_c"):
                _local.in_c = []
            _local.in_c.append(frame)
    elif event in ("c_return", "c_exception") and _ours(frame.f_code) and getattr(_local, "in_c", None):
        _local.in_c.pop()


def _named(code: CodeType) -> list[str]:
    return [os.path.realpath(code.co_filename)[len(ROOT) :], code.co_qualname]


def _write() -> None:
    sys.setprofile(None)
    pairs = sorted({(*_named(a), *_named(b)) for a, b in _pairs})
    Path(os.environ["CALLS_FILE"]).write_text(json.dumps(pairs, indent=0), encoding="utf-8")


threading.setprofile(_event)
sys.setprofile(_event)
atexit.register(_write)
