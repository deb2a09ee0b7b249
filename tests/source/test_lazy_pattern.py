"""Patterns of modules: right, and compiled only by those who use them."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re

import fastapi_architect
from fastapi_architect.source import lazy_pattern as lazy
from fastapi_architect.source.lazy_pattern import lazy_pattern


def test_every_pattern_of_the_tool_compiles():
    for module in pkgutil.walk_packages(fastapi_architect.__path__, "fastapi_architect."):
        if not module.name.endswith("__main__") and ".proving." not in module.name:
            importlib.import_module(module.name)
    patterns = [each for each in gc.get_objects() if type(each) is lazy._Uncompiled]
    assert len(patterns) > 200
    for pattern in patterns:
        assert pattern.pattern


def test_a_pattern_is_compiled_at_its_first_use(monkeypatch):
    compiled = []
    monkeypatch.setattr(
        lazy.re, "compile", lambda *given: compiled.append(given) or re._compiler.compile(*given)
    )
    pattern = lazy_pattern(r"(?P<first>a)b?", re.IGNORECASE)
    assert not compiled
    assert pattern.match("AB")["first"] == "A"
    assert pattern.match("b") is None
    assert len(compiled) == 1


def test_a_pattern_answers_as_a_compiled_one():
    pattern, compiled = lazy_pattern(rb"x+"), re.compile(rb"x+")
    assert pattern.sub(b"-", b"axxb") == compiled.sub(b"-", b"axxb")
    assert pattern.findall(b"xax") == compiled.findall(b"xax")
    assert (pattern.pattern, pattern.flags) == (compiled.pattern, compiled.flags)
