"""The table of words: every request in several ways, and what fits nowhere."""

import pytest

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.persona.routing import REPLIES
from fastapi_architect.persona.understanding import TABLE, Understood, understand
from fastapi_architect.rules.catalog import all_rules

REQUESTS = {
    "registration": (
        "add a registration endpoint with e-mail verification and rate limits",
        "I need user sign-up with email confirmation",
        "Create a POST /api/v1/users endpoint with email, password and username",
        "POST /api/v1/users that takes an e-mail, a password and a username",
        "build me a login system",
        "Let people register and confirm their e-mail",
    ),
    "review": (
        "review my authentication middleware",
        "Is my login secure?",
        "check whether the JWT handling is safe",
        "Can you look at my permission checks?",
        "please audit the whole project",
        "review app/main.py",
        "what is wrong with my database queries",
        "review my celery tasks",
        "find security holes",
    ),
    "slow": (
        "my order listing is slow",
        "My API is slow under load",
        "My /api/v1/products endpoint takes 3 s",
        "/api/v1/products takes 3 seconds to respond",
        "the endpoint that returns orders with their items is very slow",
        "GET /orders takes ages",
        "why do I get time-outs in production",
        "optimise the search",
        "check the performance of my API",
        "too many queries on the order page",
    ),
    "queue": (
        "I need a queue across services",
        "I need a message queue across multiple services",
        "How do I publish events between services?",
        "I need a scan endpoint that queues a Celery task and returns the task id",
        "POST /scan should start a Celery task and return its task id",
        "move the mail into a background job",
    ),
    "new service": (
        "create a new FastAPI service with a pooled PostgreSQL connection",
        "Set up a new microservice with async PostgreSQL and connection pooling",
        "bootstrap a backend project",
        "start an application from scratch",
    ),
    "limits": (
        "add rate limiting and input validation to the existing /users endpoint",
        "throttle POST /users",
        "add validation to the user endpoint",
    ),
    "structure": (
        "How should I structure a multi-tenant SaaS?",
        "how do I organise a SaaS for many customers",
        "make this multi-tenant",
        "what is a good folder structure",
    ),
    "models": (
        "create SQLAlchemy models for users, scan results and reports with relationships",
        "design tables for teams and invoices",
        "I need database models for users, scan results, reports",
    ),
    "cache": (
        "add a Redis cache to my slow product endpoint",
        "cache GET /products",
        "Add caching",
    ),
    "map": ("which routes are public?", "who can delete users", "list all endpoints", "show me the attack surface"),
    "route": ("show GET /orders/{id}", "what does POST /users do?", "GET /orders"),
    "explain": ("explain sql-injection-raw-statement", "what is CWE-89?", "why is open-redirect bad"),
    "fix": ("fix all findings", "fix the issues you found", "please fix sql-injection-raw-statement"),
    "component": ("add file uploads", "I want an audit log", "add health checks", "let programs in with API keys, add them"),
    "unclear": ("hello", "make it better", "how do I cook pasta", "", "???", "42"),
}  # fmt: skip


def understood(request: str) -> Understood:
    return understand(request, all_rules(), [spec.name for spec in load_catalog()])


@pytest.mark.parametrize(
    ("kind", "request_"), [(kind, each) for kind, requests in REQUESTS.items() for each in requests]
)
def test_a_request_in_many_words_is_the_same_request(kind: str, request_: str) -> None:
    assert understood(request_).kind == kind


def test_every_kind_of_the_table_has_an_answer_and_a_test() -> None:
    kinds = {row.kind for row in TABLE} | {"unclear"}
    assert kinds == set(REPLIES) == set(REQUESTS)


def test_a_route_a_file_a_rule_and_words_are_recognised() -> None:
    found = understood("review GET /orders/{id} in app/orders.py for sql-injection-raw-statement")
    assert (found.method, found.path) == ("GET", "/orders/{id}")
    assert found.files == ("app/orders.py",)
    assert found.rules == ("sql-injection-raw-statement",)
    assert "orders" in understood("my orders are slow").words


@pytest.mark.parametrize(
    ("request_", "topics"),
    [
        ("review my authentication middleware", ("authentication", "authorization")),
        ("review my migrations", ("migrations",)),
        ("review the uploads", ("uploads",)),
        ("review everything", ()),
        ("review the security", ("security",)),
    ],
)
def test_a_review_knows_its_topic(request_: str, topics: tuple[str, ...]) -> None:
    assert understood(request_).topics == topics


def test_a_part_of_a_word_is_not_the_word() -> None:
    """A reviewer is no review, a cachet no cache, and a slowworm not slow."""
    for request in ("who is the reviewer", "a cachet", "prefixes"):
        assert understood(request).kind == "unclear"


def test_a_request_of_a_megabyte_is_read_up_to_a_bound() -> None:
    assert understood("slow " * 200_000).kind == "slow"
    assert understood("x" * 1_000_000 + " slow").kind == "unclear"
