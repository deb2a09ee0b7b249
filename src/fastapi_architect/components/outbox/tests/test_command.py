"""What an operator types."""

from uuid import uuid4

import pytest

from fastapi_architect.components.outbox import EventState
from fastapi_architect.components.outbox.__main__ import main
from fastapi_architect.components.outbox.contributions import default_registry, load_components
from fastapi_architect.components.outbox.tests import example
from fastapi_architect.components.outbox.tests.conftest import Service

REGISTRY = ("--registry", f"{example.__name__}:components")


@pytest.fixture(autouse=True)
def environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", service.database_url)
    monkeypatch.setenv("ENVIRONMENT", "local")


def test_dead_letters_are_shown_and_replayed(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    event_id = service.add("greetings.hopeless")
    service.runtime.handle(event_id)

    assert main([*REGISTRY, "dead"]) == 0
    assert f"{event_id}" in (shown := capsys.readouterr().out)
    assert "there is no such person" in shown
    assert main([*REGISTRY, "dead", "--topic", "greetings.asked"]) == 0
    assert capsys.readouterr().out == ""
    assert main([*REGISTRY, "replay", str(event_id)]) == 0
    assert service.event(event_id).state is EventState.WAITING
    assert main([*REGISTRY, "replay", str(event_id)]) == 1


def test_the_lag_and_an_event_are_shown(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    event_id = service.add("greetings.asked", {"name": "ann"})

    assert main([*REGISTRY, "lag"]) == 0
    assert capsys.readouterr().out.startswith("open 1  due 1  dead 0  lag 0.")
    assert main([*REGISTRY, "show", str(event_id)]) == 0
    assert capsys.readouterr().out == "waiting  greetings.asked  0 attempts\n"
    assert main([*REGISTRY, "show", str(uuid4())]) == 1


def test_the_registry_of_a_project_is_found() -> None:
    assert default_registry("shop.components.outbox") == "shop.registry:components"
    with pytest.raises(ValueError, match=r"app\.registry:components"):
        load_components("fastapi_architect.components.outbox")
