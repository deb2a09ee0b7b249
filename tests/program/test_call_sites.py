"""Call sites are found under whatever name a program calls something by."""

from __future__ import annotations

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import SessionCreation
from fastapi_architect.libraries.recognition import Recognised
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import STR, Instance
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_file


def program_of(**files: str) -> Program:
    parsed = {}
    for name, text in files.items():
        module = parse_file(text.encode(), f"{name}.py")
        assert isinstance(module, ir.ParsedModule)
        parsed[f"{name}.py"] = module
    return Program(parsed, all_libraries())


def blocking(program: Program) -> list[tuple[str, int]]:
    found = Recognised(program, all_libraries()).all(BlockingCall)
    return [(concept.location.path, concept.location.line) for concept in found]


def test_an_import_under_another_name_is_found() -> None:
    program = program_of(main="from time import sleep as pause\n\ndef run():\n    pause(1)\n")
    assert blocking(program) == [("main.py", 4)]


def test_an_assigned_name_is_found_from_other_modules() -> None:
    program = program_of(
        security="import time\n\nwait = time.sleep\n",
        main="from security import wait\n\ndef run():\n    wait(1)\n",
    )
    assert blocking(program) == [("main.py", 4)]


def test_a_name_of_its_own_is_not_mistaken_for_the_renamed_one() -> None:
    program = program_of(
        other="from time import sleep as pause\n",
        main="def pause(seconds):\n    return seconds\n\ndef run():\n    pause(1)\n",
    )
    assert blocking(program) == []


def test_a_factory_that_is_called_makes_one_session() -> None:
    program = program_of(
        main="from sqlalchemy.orm import Session, sessionmaker\n\nSessionLocal = sessionmaker()\n\n"
        "def run(factory: sessionmaker[Session]):\n    SessionLocal()\n    factory()\n    Session()\n"
    )
    found = Recognised(program, all_libraries()).all(SessionCreation)
    assert [(concept.location.line, concept.name) for concept in found] == [
        (6, "sqlalchemy.orm.sessionmaker.__call__"),
        (7, "sqlalchemy.orm.sessionmaker.__call__"),
        (8, "sqlalchemy.orm.Session"),
    ]


def test_attributes_of_none_are_not_known() -> None:
    program = program_of(
        main="import httpx\n\ndef run(response: httpx.Response | None):\n    return response.text\n"
    )
    assert program.inference.return_type(program.functions[0]) == STR


def test_a_class_named_by_text_is_that_of_the_same_module_first() -> None:
    text = (
        "from sqlalchemy.orm import declarative_base, relationship\n"
        "class Child(declarative_base()):\n    pass\n"
        "class Parent(declarative_base()):\n    child = relationship('Child', uselist=False)\n"
        "def read(parent: Parent):\n    return parent.child\n"
    )
    program = program_of(one=text, two=text)
    read = next(f for f in program.functions if f.full_name == "two.read")
    of = program.inference.return_type(read)
    assert isinstance(of, Instance)
    assert of.name == "two.Child"


def test_an_iterator_of_itself_gives_what_its_next_gives() -> None:
    program = program_of(
        main="class Rows:\n"
        "    def __iter__(self):\n        return self\n\n"
        "    def __next__(self) -> str:\n        return ''\n\n"
        "class Endless:\n    def __iter__(self):\n        return self\n\n"
        "def run():\n    for row in Rows():\n        found = row\n"
        "    for other in Endless():\n        lost = other\n"
    )
    run = next(f for f in program.functions if f.name == "run")
    assert (program.inference.name_type("found", run), program.inference.name_type("lost", run)) == (
        STR,
        None,
    )
