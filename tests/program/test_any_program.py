"""Whatever a tree says, indexing it raises nothing, ends, and gives the same answers again."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.libraries.facts_format import shown

from fastapi_architect.appgraph.applications import ApplicationReader
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_file

NAMES = st.sampled_from(["a", "b", "c", "A", "B", "app", "router", "self", "pkg", "make", "list", "T"])
MODULES = ["a.py", "b.py", "pkg/__init__.py", "pkg/a.py", "pkg/b.py"]
IMPORTS = st.sampled_from(
    [
        "from a import *", "from b import *", "from .a import *", "from . import b", "from .. import a", "import pkg.a",
        "import pkg.b as c", "from pkg import a as b", "from pkg.b import A, B as app", "from pkg import *",
        "from fastapi import FastAPI as A, APIRouter as B, Depends as make", "from typing import TypeVar as T",
    ]
)  # fmt: skip


def expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.one_of(NAMES, st.sampled_from(["1", "'a'", "'/x'", "None", "()", "[]", "{}", "lambda: a"])),
        lambda inner: st.one_of(
            st.tuples(inner, NAMES).map(lambda p: f"({p[0]}).{p[1]}"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]})({p[1]})"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]})(*{p[1]}, prefix={p[1]})"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
            st.tuples(inner, st.sampled_from(["+", "|", "%", "*", "/", "and", "or"]), inner).map(
                lambda p: f"({p[0]}) {p[1]} ({p[2]})"
            ),
            st.tuples(NAMES, inner).map(lambda p: f"({p[0]} := {p[1]})"),
            st.tuples(inner, NAMES, inner).map(lambda p: f"[{p[0]} for {p[1]} in {p[2]}]"),
            st.tuples(inner, inner).map(lambda p: f"f'{{{p[0]}}}' if {p[1]} else ({p[0]}, {p[1]})"),
        ),
        max_leaves=6,
    )


def statements() -> st.SearchStrategy[str]:
    simple = st.one_of(
        IMPORTS,
        st.tuples(NAMES, expressions()).map(lambda p: f"{p[0]} = {p[1]}"),
        st.tuples(NAMES, NAMES, expressions()).map(lambda p: f"{p[0]}, *{p[1]} = {p[2]}"),
        st.tuples(NAMES, expressions(), expressions()).map(lambda p: f"{p[0]}: {p[1]} = {p[2]}"),
        st.tuples(NAMES, expressions()).map(lambda p: f"{p[0]}.include_router({p[1]})"),
        expressions(),
    )

    def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        body = st.lists(inner, min_size=1, max_size=3).map(
            lambda lines: "".join(f"    {line}\n" for each in lines for line in each.split("\n"))
        )
        return st.one_of(
            st.tuples(expressions(), NAMES, NAMES, expressions(), body).map(
                lambda p: (
                    f"@{p[0]}\ndef {p[1]}({p[2]}: {p[3]} = {p[3]}, *args, **kwargs):\n{p[4]}    return {p[2]}"
                )
            ),
            st.tuples(NAMES, expressions(), body).map(lambda p: f"class {p[0]}({p[1]}):\n{p[2]}"),
            st.tuples(NAMES, expressions(), body).map(lambda p: f"for {p[0]} in {p[1]}:\n{p[2]}"),
            st.tuples(expressions(), NAMES, body).map(lambda p: f"with {p[0]} as {p[1]}:\n{p[2]}"),
        ).map(lambda text: text.rstrip("\n"))

    return st.recursive(simple, blocks, max_leaves=6)


def answers(texts: dict[str, str]) -> list[str]:
    """Everything a program knows about itself, as text."""
    parsed = {path: parse_file(text.encode(), path) for path, text in texts.items()}
    program = Program({p: m for p, m in parsed.items() if isinstance(m, ir.ParsedModule)}, all_libraries())
    found = []
    for scope in (*program.modules.values(), *program.functions, *program.classes):
        found += [
            f"{scope!r} {name} {shown(program.inference.name_type(name, scope))}"
            for name in scope.facts.bindings
        ]
        for site in scope.facts.calls:
            value = program.constants.value(site.node, scope)
            found.append(f"{program.calls.names(site)} {program.calls.targets(site)} {value!r}")
    found += [
        f"{f!r} {shown(program.inference.return_type(f))} {program.calls.callers(f)!r:.0}"
        for f in program.functions
    ]
    for application in ApplicationReader(program).applications():
        found += [f"{application.name} {operation}" for operation in application.operations]
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({path: st.lists(statements(), max_size=5).map("\n".join) for path in MODULES}))
def test_building_a_program_never_raises_and_is_deterministic(texts: dict[str, str]) -> None:
    assert answers(texts) == answers(texts)
