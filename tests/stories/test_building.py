"""S290, S293, S294, S296, S297, S300: something is to be built. The answer is a plan; doing it gives something that runs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.builder.generated import make, running
from tests.stories.conftest import Story

from fastapi_architect.__main__ import main


def post(url: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Status and headers of an answer."""
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers


@pytest.fixture
def service(story: Story) -> Story:
    """A service as `architect new` makes it, committed."""
    make(story.root / "service", "minimal")
    made = Story(story.root / "service")
    made.commit()
    return made


def test_s290_registration_with_verification_and_limits_is_added_and_answers(
    service: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    found = service.ask(
        "I need to add a user registration endpoint with email verification and rate limiting."
    )
    [command] = [each for each in service.commands(found) if each[:1] == ["add"] and "--dry-run" not in each]
    assert {"accounts", "rate_limiting", "mail"} <= set(command)
    assert "adr new" in found.answer.part("considerations")  # how people sign in is a decision of its own

    service.do(*command, "--yes")

    assert main(["review", str(service.root), "--no-cache"]) == 0
    capsys.readouterr()
    with running(service.root) as run:
        assert run.url, run.said
        asked = f"{run.url}/api/v1/auth/register"
        status, headers = post(asked, {"email": "ada@example.com"})
        weak, _ = post(f"{asked}/confirm", {"token": "x" * 43, "password": "short"})
        deadline = time.monotonic() + 60
        while "ada@example.com" not in run.said and time.monotonic() < deadline:
            time.sleep(0.2)
    assert (status, weak) == (202, 422)
    assert "RateLimit" in headers
    assert "ada@example.com" in run.said  # the mail, printed by the worker in development


def test_s294_users_with_password_are_accounts_and_a_weak_password_is_none(service: Story) -> None:
    found = service.ask("Create a POST /api/v1/users endpoint that accepts email, password and username.")

    assert "There is no route `/api/v1/users` yet" in found.answer.part("context")
    assert any("accounts" in each for each in service.commands(found))
    assert any("Who may register" in each for each in found.answer.follow_ups)


def test_s293_a_queue_across_services_is_a_choice_and_the_recommended_one_is_added(service: Story) -> None:
    found = service.ask("I need a message queue across multiple services.")

    for option in ("Celery with a transactional outbox", "A table in PostgreSQL", "Kafka"):
        assert option in found.answer.part("approach")
    [command] = [each for each in service.commands(found) if each[:1] == ["add"] and "--dry-run" not in each]
    service.do(*command, "--yes")

    assert (service.root / "app/components/celery_tasks/worker.py").is_file()
    assert "Outbox(OutboxSettings())" in (service.root / "app/registry.py").read_text()


ACCEPTED = """
from app.main import create_app
from app.scan_routes import router

app = create_app()
app.include_router(router)
answers = app.openapi()["paths"]["/scans"]["post"]["responses"]
reference = answers["202"]["content"]["application/json"]["schema"]["$ref"]
print(sorted(app.openapi()["components"]["schemas"][reference.rpartition("/")[2]]["properties"]))
"""


def test_s300_a_task_that_goes_on_after_the_answer_has_an_identifier(service: Story) -> None:
    found = service.ask("Create a scan endpoint that starts a Celery task and returns the task id.")
    assert ["add", "outbox", "celery_tasks"] in service.commands(found)
    assert "queue_task(" in found.answer.part("implementation")  # nothing is sent inside of the request

    service.do("add", "outbox", "celery_tasks", "--yes")
    service.write_blocks(found)

    settings = {
        "ENVIRONMENT": "local",
        "DATABASE_URL": "postgresql+psycopg://x@localhost/x",
        "CELERY_BROKER_URL": "redis://localhost/1",
    }
    assert service.python(ACCEPTED, **settings) == "['state', 'task_id']"


def test_s296_a_new_service_with_a_pool_begins_with_one_command(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = story.ask("I need a new FastAPI service with pooled PostgreSQL.")
    [command] = [each for each in story.commands(found) if each[:1] == ["new"]]
    monkeypatch.chdir(story.root)

    assert main([*command, "--yes"]) == 0

    [made] = [each for each in Path().iterdir() if each.is_dir() and not each.name.startswith(".")]
    assert "pool_size" in (made / "app/components/database/settings.py").read_text()
    assert main(["review", str(made), "--no-cache"]) == 0
    assert "Score 100/100" in capsys.readouterr().out


LIMITED = """
from fastapi.testclient import TestClient
from app.main import app, engine
from app.models import Base

Base.metadata.create_all(engine)
with TestClient(app) as client:
    statuses = [client.post("/users", json={"email": f"a{n}@example.com"}).status_code for n in range(70)]
    print(statuses[0], 429 in statuses, client.get("/api/v1/products").status_code)
"""


def test_s297_an_existing_route_gets_a_limit_and_nothing_else_changes(shop: Story, redis_url: str) -> None:
    found = shop.ask("Add a rate limit and validation to the existing /users endpoint.")
    assert "`POST /users`" in found.answer.part("context")
    assert ["add", "rate_limiting"] in shop.commands(found)

    shop.do("add", "rate_limiting", "--yes")
    shop.commit()
    again = shop.ask("Add a rate limit and validation to the existing /users endpoint.")
    assert "There already: `rate_limiting`" in again.answer.part("context")
    shop.apply(again, 'Depends(limit("')

    assert shop.python(LIMITED, REDIS_URL=redis_url, REDIS_TIMEOUT="5", ENVIRONMENT="local") == "200 True 200"
