"""What a suggestion shows of the reader's file can be copied back into it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.rules.kit import findings_of, rule_named, write

from fastapi_architect.analyses.own_code import definition, registered, registered_path, task_registered
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree

PROGRAM = {
    "main.py": '''
from typing import Annotated

from celery import Celery
from fastapi import APIRouter, Depends, FastAPI, Query

app = FastAPI()
worker = Celery("mill")
router = APIRouter(prefix="/mills")


def miller() -> str: ...


@router.get(
    "/{mill_id}/sacks",
    dependencies=[Depends(miller)],
    description="""A long
    text.""",
)
async def list_sacks(
    mill_id: int,
    /,
    limit: Annotated[
        int, Query(ge=1)
    ] = 10,
    *rest: str,
    heavy: bool = False,  # in pounds
    **others: int,
) -> list[str]:
    return []


def grind(self, grain: str = "rye", *, token: str = "Tz7-quarry") -> None: ...


router.add_api_route("/grind", grind, methods=["POST"])
app.include_router(router, prefix="/v1")


@worker.task(name="mill.clean", max_retries=1)
async def clean(mill_id: int, *, wet: bool = False) -> None: ...
''',
}


@pytest.fixture
def graph(tmp_path: Path) -> AppGraph:
    return reading.read(SourceTree.open(write(PROGRAM, tmp_path)), Config(), cache=False).graph


def operation_called(graph: AppGraph, name: str) -> PathOperation:
    return next(o for o in graph.operations if o.handler is not None and o.handler.name == name)


def test_a_definition_keeps_every_parameter_and_what_it_returns(graph: AppGraph) -> None:
    handler = operation_called(graph, "list_sacks").handler
    assert handler is not None

    shown = definition(graph, handler)

    written = ast.parse(PROGRAM["main.py"]).body
    own = next(n for n in written if isinstance(n, ast.AsyncFunctionDef) and n.name == "list_sacks")
    again = ast.parse(shown).body[0]
    assert isinstance(again, ast.AsyncFunctionDef)
    assert ast.dump(again.args) == ast.dump(own.args)
    assert again.returns is not None
    assert own.returns is not None
    assert ast.dump(again.returns) == ast.dump(own.returns)


def test_a_new_parameter_stands_before_those_with_a_default_and_no_secret_is_repeated(
    graph: AppGraph,
) -> None:
    handler = operation_called(graph, "grind").handler
    assert handler is not None

    shown = definition(graph, handler, is_async=True, name="mill", parameters={"caller": ("User", "")})

    assert (
        shown == 'async def mill(self, caller: User, grain: str = "rye", *, token: str = "***") -> None: ...'
    )


def test_a_registration_names_the_path_that_stands_there_and_keeps_its_other_arguments(
    graph: AppGraph,
) -> None:
    operation = operation_called(graph, "list_sacks")

    shown = registered(graph, operation, keywords={"dependencies": "[Depends(limit)]"}, parameters={})

    assert operation.path == "/v1/mills/{mill_id}/sacks"
    assert registered_path(graph, operation) == '"/{mill_id}/sacks"'
    assert shown.startswith(
        '@router.get("/{mill_id}/sacks", dependencies=[Depends(miller), Depends(limit)], description=...)\n'
    )
    ast.parse(shown)


def test_another_method_and_path_are_written_where_the_old_ones_stood(graph: AppGraph) -> None:
    by_decorator = operation_called(graph, "list_sacks")
    by_call = operation_called(graph, "grind")

    assert registered(graph, by_decorator, method="post", path='"/sacks"').startswith(
        '@router.post("/sacks", '
    )
    assert (
        registered(graph, by_call, method="delete")
        == 'router.add_api_route("/grind", grind, methods=["DELETE"])'
    )
    ast.parse(registered(graph, by_call, returns="Flour"))


def test_a_task_keeps_its_decorator(graph: AppGraph) -> None:
    shown = task_registered(graph, graph.tasks[0], is_async=False, keywords={"max_retries": "5"})

    assert shown == (
        '@worker.task(name="mill.clean", max_retries=5)\ndef clean(mill_id: int, *, wet: bool = False) -> None: ...'
    )


def test_a_login_without_a_limit_is_shown_as_its_own_file_has_it() -> None:
    rule = rule_named("login-or-otp-without-throttling")
    assert rule is not None
    program = {
        "main.py": """
from argon2 import PasswordHasher
from fastapi import APIRouter, FastAPI, Form
from typing import Annotated

hasher = PasswordHasher()
gate = APIRouter(prefix="/gate")


@gate.post("/enter", status_code=200)
async def enter(name: Annotated[str, Form()], password: Annotated[str, Form()]) -> bool:
    return hasher.verify(name, password)


app = FastAPI()
app.include_router(gate, prefix="/v1")
""",
    }

    [finding] = findings_of(program, rule)

    assert (
        '@gate.post("/enter", status_code=200, dependencies=[Depends(limit_attempts)])\n'
        in finding.suggestion
    )
    assert (
        "async def enter(name: Annotated[str, Form()], password: Annotated[str, Form()]) -> bool: ..."
        in finding.suggestion
    )
    assert "/v1/gate/enter" in finding.exploit


def test_a_task_that_never_runs_is_shown_with_its_own_celery_object() -> None:
    rule = rule_named("async-def-celery-task")
    assert rule is not None

    [finding] = findings_of(PROGRAM, rule)

    assert '@worker.task(name="mill.clean", max_retries=1)\ndef clean(' in finding.suggestion
    assert "asyncio.run(_clean(mill_id, wet=wet))" in finding.suggestion
    assert "`clean`" in finding.exploit
