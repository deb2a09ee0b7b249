"""How sure the rule about SQL statements is of values that a model's validators see."""

from __future__ import annotations

import textwrap

from tests.rules.kit import findings_of, rule_named

from fastapi_architect.findings.severity import Confidence


def _confidences(rule: str, files: dict[str, str]) -> list[Confidence]:
    known = rule_named(rule)
    assert known is not None
    texts = {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}
    return [finding.confidence for finding in findings_of(texts, known)]


_SORTED = """
    from typing import ClassVar

    from fastapi import Depends, FastAPI, Query
    from pydantic import BaseModel, field_validator
    from sqlalchemy import create_engine, text

    engine = create_engine("sqlite://")
    app = FastAPI()


    class ListParams(BaseModel):
        sort_by: str = Query(default="title")
        sortable: ClassVar[list[str]] = []

        @field_validator("sort_by")
        def known(cls, value: str) -> str:
            if cls.sortable and value not in cls.sortable:
                raise ValueError("unknown")
            return value


    class BookParams(ListParams):
        sortable: ClassVar[list[str]] = ["title", "year"]


    @app.get("/books")
    def books(params: BookParams = Depends()) -> list[str]:
        with engine.connect() as connection:
            statement = text(f"SELECT title FROM books ORDER BY {params.sort_by}")
            return list(connection.scalars(statement))
"""


def test_a_value_that_a_validator_of_an_inherited_class_sees_is_tentative_in_a_statement() -> None:
    files = {"main.py": _SORTED}
    assert _confidences("sql-injection-raw-statement", files) == [Confidence.TENTATIVE]


def test_a_value_that_no_validator_sees_is_certain_in_a_statement() -> None:
    files = {"main.py": _SORTED.replace('@field_validator("sort_by")', '@field_validator("other")')}
    assert _confidences("sql-injection-raw-statement", files) == [Confidence.CERTAIN]
