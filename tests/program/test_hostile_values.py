"""Code that grows without end, or means nothing, costs its own answer and nothing else."""

from __future__ import annotations

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.applications import ApplicationReader
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Instance, Type, options

WIDE = "[" + ", ".join(["x{0}"] * 60) + "]"


def value_of(text: str) -> object:
    """The constant that `found` holds at the end of a module."""
    program = program_of(text)
    module = program.modules["app.py"]
    return program.constants.value(module.facts.bindings["found"][-1].value, module)


def name_type(program: Program, name: str) -> Type | None:
    return program.inference.name_type(name, program.modules["app.py"])


@pytest.mark.parametrize(
    "expression",
    [
        "'%9999999999d' % 1",
        "'%*d' % (10**9, 1)",
        "'{:9999999999}'.format(1)",
        "'{:{}}'.format(1, 10**9)",
        "'{0.nothing}'.format(1)",
        "'%(name)s' % {'other': 1}",
        "int(1e999)",
        "f'{9**63 ** 63}'",
        "(((9**63)**63)**63)**63",
        "('a' * 9).replace('a', 'b')",
        "'a,a'.replace('a', " + repr("b" * 60_000) + ")",
        "{[1]: 2}",
        "{(1, [2]): 3}",
        "f'{1:5}'",
        "f'{x!r}'",
        "1 / 0",
        "'a' - 1",
        "'{'.format()",
        "','.join([1])",
    ],
)
def test_what_cannot_or_should_not_be_computed_is_unknown(expression: str) -> None:
    assert value_of(f"x = 'x'\nfound = {expression}\n") is UNKNOWN


def test_wide_lists_of_wide_lists_end() -> None:
    lines = ["x0 = 1"] + [f"x{n} = {WIDE.format(n - 1)}" for n in range(1, 10)]
    assert value_of("\n".join([*lines, "found = x9", ""])) is UNKNOWN


def test_names_made_of_themselves_and_each_other_end() -> None:
    names = [f"x{n}" for n in range(30)]
    settings = [f"{name} = {name} or " + " or ".join(names) for name in names]
    assert value_of("\n".join([*settings, *settings, "found = x29", ""])) is UNKNOWN


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("f'{base}/users'", "/v1/users"),
        ("f'{base!s}/users'", "/v1/users"),
        ("'%s/users' % base", "/v1/users"),
        ("'{}/users'.format(base)", "/v1/users"),
        ("base.replace('v1', 'v2')", "/v2"),
        ("(name := base)", "/v1"),
    ],
)
def test_ordinary_texts_are_computed(expression: str, expected: str) -> None:
    assert value_of(f"base = '/v1'\nfound = {expression}\n") == expected


def test_aliases_that_double_end() -> None:
    lines = ["A0 = dict[int, int]"] + [f"A{n} = dict[A{n - 1}, A{n - 1}]" for n in range(1, 60)]
    program = program_of("\n".join([*lines, "def read(value: A59): return value", ""]))
    of = program.inference.return_type(program.functions[0])
    assert isinstance(of, Instance)
    assert of.name == "builtins.dict"


def test_values_that_double_end() -> None:
    lines = ["x0 = (1, 2)"] + [f"x{n} = (x{n - 1}, x{n - 1})" for n in range(1, 60)]
    program = program_of("\n".join([*lines, "found = x59", "found = x58", ""]))
    assert {of.name for of in options(name_type(program, "found"))} == {"builtins.tuple"}


@pytest.mark.parametrize(
    "annotation", ["Optional[()]", "Annotated[()]", "Union[()]", "type[()]", "Literal[()]", "list[()]"]
)
def test_an_annotation_without_arguments_is_not_known(annotation: str) -> None:
    program = program_of(f"from typing import *\n\ndef read(value: {annotation}): return value\n")
    assert program.inference.return_type(program.functions[0]) is None


def test_a_bare_type_beside_a_type_variable_is_no_fault() -> None:
    program = program_of(
        "from typing import TypeVar\n\nT = TypeVar('T')\n\nclass User: ...\n\n"
        "def get(model: type, value: T) -> T: ...\n\nfound = get(User, 1)\n"
    )
    assert name_type(program, "found") == Instance("builtins.int")


def test_factories_that_call_themselves_twice_end() -> None:
    program = program_of(
        """
        from fastapi import APIRouter, FastAPI

        def make(x):
            if x:
                return other(x.a) or make(x.b)
            return make(1) if x else other(2)

        def other(x):
            return make(x.a) or other(x.b) or make(3)

        app = FastAPI()
        app.include_router(make(2))

        @app.get("/")
        def read(): ...
        """
    )
    (application,) = ApplicationReader(program).applications()
    assert [str(o) for o in application.operations] == ["GET /"]
    assert [u.what for u in application.unresolved] == ["<expression>"]
