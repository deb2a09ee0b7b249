"""compose.yaml, when components come later: what is needed comes to its place, and what somebody wrote stays."""

from __future__ import annotations

import itertools

import pytest
import yaml

from fastapi_architect.builder.compose_file import (
    FILE,
    CannotPlace,
    compose_for,
    differences,
    with_blocks,
    without_block,
)
from fastapi_architect.builder.new import SKELETON

WHOLE = (SKELETON / FILE).read_text()
DECIDING = ("celery_tasks", "outbox", "redis_pool")
SETS = [frozenset(c) for size in range(4) for c in itertools.combinations(DECIDING, size)]
MINIMAL = compose_for(WHOLE, ())
EVERYTHING = compose_for(WHOLE, DECIDING)


def grown(text: str, before: frozenset[str], after: frozenset[str]) -> str:
    """The file of a project that gets components."""
    came, went = differences(compose_for(WHOLE, before), compose_for(WHOLE, after))
    text = with_blocks(text, came)
    for block in went:
        left = without_block(text, block)
        assert left is not None
        text = left
    return text


@pytest.mark.parametrize(
    ("before", "after"),
    [(a, b) for a in SETS for b in SETS if a < b],
    ids=lambda names: "+".join(sorted(names)) or "nothing",
)
def test_what_comes_later_is_as_if_it_had_been_there(before: frozenset[str], after: frozenset[str]) -> None:
    assert grown(compose_for(WHOLE, before), before, after) == compose_for(WHOLE, after)


def test_what_is_there_is_left_as_it_is() -> None:
    came, _ = differences(MINIMAL, EVERYTHING)
    theirs = EVERYTHING.replace("redis:7-alpine", "valkey/valkey:8").replace(
        "redis:6379/0", "elsewhere:6379/3"
    )

    assert with_blocks(theirs, came) == theirs


EDITED = """# Ours: see the wiki.
x-service: &service
    build: .   # the image
    environment: &environment
        # Who may connect.
        DATABASE_URL: postgresql+psycopg://x@postgresql/x
        OURS: "yes"
    depends_on:
        migrate: { condition: service_completed_successfully }

services:
    postgresql:
        image: postgres:18
    # Watches the others.
    watcher:
        image: watcher
    api:
        <<: *service
        ports:
        - 127.0.0.1:8000:8000
    # The end.

volumes:
    postgresql:
"""


def test_edits_comments_and_indentation_of_somebody_else_stay() -> None:
    came, _ = differences(MINIMAL, EVERYTHING)

    after = with_blocks(EDITED, came)

    lines = iter(after.split("\n"))
    assert all(line in lines for line in EDITED.split("\n"))
    said = yaml.safe_load(after)
    assert list(said["services"]) == ["postgresql", "redis", "watcher", "api", "worker", "relay"]
    assert said["services"]["worker"]["environment"] == {
        "DATABASE_URL": "postgresql+psycopg://x@postgresql/x",
        "REDIS_URL": "redis://redis:6379/0",
        "CELERY_BROKER_URL": "redis://redis:6379/1",
        "OURS": "yes",
        "REMAP_SIGTERM": "SIGQUIT",
    }
    assert said["services"]["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "    # Watches the others.\n    watcher:\n" in after
    assert with_blocks(after, came) == after


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("x-service: &service", "x-ours: &service", "it has no `x-service"),
        ("&environment", "&variables", "it has no `&environment`"),
        (
            EDITED[EDITED.index("    environment:") : EDITED.index("    depends_on:")],
            "    environment: &environment { DATABASE_URL: x }\n",
            "not written as one key a line",
        ),
        (
            "        # Who may connect.\n        DATABASE_URL: ",
            "        - DATABASE_URL=",
            "it cannot be read",
        ),
        ("services:\n", "services: [\n", "it cannot be read"),
        ("volumes:\n    postgresql:\n", "volumes:\n", "not written as one key a line"),
    ],
)
def test_a_file_that_has_become_another_one_is_not_edited(old: str, new: str, says: str) -> None:
    came, _ = differences(MINIMAL, EVERYTHING)
    assert old in EDITED

    with pytest.raises(CannotPlace, match=says):
        with_blocks(EDITED.replace(old, new), came)


def test_a_service_that_was_edited_is_not_taken_out() -> None:
    text = compose_for(WHOLE, ["outbox"])
    _, (events,) = differences(text, compose_for(WHOLE, ["outbox", "celery_tasks"]))

    assert (
        without_block(
            text.replace("app.components.outbox, work", "app.components.outbox, work, --fast"), events
        )
        is None
    )
    assert without_block(MINIMAL, events) == MINIMAL
