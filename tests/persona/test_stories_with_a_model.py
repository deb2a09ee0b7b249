"""The example requests, asked of a model over the wire: it calls the tools that a story needs, and what it answers is checked.

The texts are those of the answers without a model; here they have to be covered by what the tools said in *this* conversation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.persona.fake_server import fake_server
from tests.persona.test_routing import STORIES

from fastapi_architect.__main__ import main
from fastapi_architect.persona.answer import render
from fastapi_architect.persona.replies.slow import SPEED
from fastapi_architect.persona.routing import ask
from fastapi_architect.workbench.workspace import Workspace

Call = tuple[str, dict[str, Any]]
SPEED_OF_ALL: Call = ("review", {"select": list(SPEED), "limit": 100})
ROUTES: Call = ("map_backend", {"limit": 100})


def plan(*components: str) -> Call:
    """A plan of components."""
    return ("plan_component", {"components": list(components)})


CALLS: dict[str, list[Call]] = {
    "registration": [plan("accounts", "rate_limiting", "mail"), ROUTES],
    "review": [("review", {"select": ["authentication", "authorization"], "limit": 100}), ROUTES],
    "slow under load": [SPEED_OF_ALL],
    "queue": [plan("outbox", "celery_tasks")],
    "users": [plan("accounts", "rate_limiting", "mail"), ROUTES],
    "products": [SPEED_OF_ALL, ROUTES],
    "new service": [("plan_new_service", {"name": "orders"})],
    "limits": [
        plan("rate_limiting"),
        ("review", {"select": ["validation", "api_design"], "limit": 100}),
        ROUTES,
    ],
    "orders": [SPEED_OF_ALL, ("show_route", {"route": "GET /orders"})],
    "tenants": [plan("tenancy"), ROUTES],
    "scan": [plan("outbox", "celery_tasks")],
    "models": [ROUTES],
    "cache": [plan("cache"), SPEED_OF_ALL, ROUTES],
}


def test_every_story_is_asked() -> None:
    assert CALLS.keys() == STORIES.keys()


@pytest.mark.parametrize("story", STORIES)
def test_a_story_passes_the_checker(story: str, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = render(ask(Workspace(shop), STORIES[story]))
    with fake_server(CALLS[story], text) as server:
        options = ("--base-url", server.url, "--model", "fake", "--format", "json", "--path", str(shop))
        code = main(["ask", STORIES[story], *options])
    document = json.loads(capsys.readouterr().out)
    assert (code, document["wrong"]) == (0, [])
    assert document["usage"]["tools"] == [name for name, _ in CALLS[story]]
    assert len(server.bodies) == 2


@pytest.mark.parametrize("story", ["review", "slow under load", "limits"])
def test_the_same_text_without_its_tools_is_caught(
    story: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = render(ask(Workspace(shop), STORIES[story]))
    with fake_server(text) as server:
        options = ("--base-url", server.url, "--model", "fake", "--format", "json", "--path", str(shop))
        assert main(["ask", STORIES[story], *options]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {"findings", "claims"} & {each["promise"] for each in document["wrong"]}
