"""The workers unpickle messages: whoever can write to the broker runs code in them.

Reading a pickle calls what it names. A broker without a password, a leaked URL or a request forgery that reaches Redis
is then enough to own every worker. JSON, the default, cannot carry code.

Known limits: settings are read where the application is made and configured; values from the environment are not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi_architect.appgraph.celery_apps import CeleryApp, CelerySetting
from fastapi_architect.concepts.messaging import Enqueue
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Files,
    Finding,
    Location,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "Celery workers run code from whatever is in the broker",
    severity=Severity.CRITICAL,
    cwe=502,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/security.html#serializers",
        "https://docs.python.org/3/library/pickle.html",
    ),
    requires=("celery",),
)

_ACCEPTS = ("accept_content", "result_accept_content")
_SENDS = ("task_serializer", "result_serializer", "event_serializer")
_PICKLE = frozenset({"pickle", "application/x-python-serialize", "yaml", "application/x-yaml"})


@rule.check(per=AppGraph)
def messages_that_may_hold_code(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for app in graph.background.apps:
        if app.site.scope.module.kind == "test":
            continue
        found = [(name, each) for name in _ACCEPTS + _SENDS if (each := app.settings.get(name)) is not None]
        bad = [(name, each, kind) for name, each in found if (kind := _dangerous(each.value))]
        accepting = [each for each in bad if each[0] in _ACCEPTS]
        # A list of accepted types decides; a serializer alone matters where it says what is accepted.
        for name, setting, kind in accepting or bad:
            yield _of_setting(app, name, setting, kind)
    for enqueue in graph.facts(Enqueue):
        given = enqueue.option("serializer")
        value = graph.program.constants.value(given, enqueue.scope) if given is not None else None
        if enqueue.scope.module.kind != "test" and (kind := _dangerous(value)):
            place = enqueue.location
            yield _finding(
                place, f"sends a task with `serializer={kind!r}`", "serializer", place, Confidence.FIRM
            )


def _dangerous(value: Any) -> str:
    """The type among `value` that can hold code, "" when none."""
    listed = (
        [value]
        if isinstance(value, str)
        else value
        if isinstance(value, list | tuple | set | frozenset)
        else ()
    )
    return next((each for each in listed if isinstance(each, str) and each in _PICKLE), "")


def _of_setting(app: CeleryApp, name: str, setting: CelerySetting, kind: str) -> Finding:
    variable = app.variable or app.main or "the Celery application"
    what = f"`{variable}` has {kind!r} in `{name}`"
    return _finding(setting.location, what, name, app.location, Confidence.CERTAIN)


def _finding(place: Location, what: str, name: str, made: Location, confidence: Confidence) -> Finding:
    value = '["json"]' if name in _ACCEPTS else '"json"'
    return rule.at(
        place,
        f"{what}: a message in the broker can run code in every worker.",
        f"Use JSON, and pass identifiers instead of objects:\n```python\n{name} = {value}\n```",
        reasoning="A worker reads the type of a message from the message itself, and unpickles it before any task runs.",
        exploit=f"Whoever can write to the broker puts a pickle there that calls os.system; `{name}` lets the next free worker run it.",
        confidence=confidence,
        trace=steps((made, "the application of these workers"), (place, what)),
        context=Context(access=None, data="secret", writes=True, hard=True, stops_process=True),
    )


_MAIN = """
    from fastapi import FastAPI

    from worker import shop

    app = FastAPI()

    @app.post("/orders/{order_id}/confirmation", status_code=202)
    def confirm(order_id: int) -> None:
        shop.send_task("confirm", args=[order_id])
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "worker.py": """
            from celery import Celery

            shop = Celery("shop", broker="redis://localhost:6379/1")
            shop.conf.task_serializer = "json"
            shop.conf.accept_content = ["json", "pickle"]  # finding: celery-pickle-serializer

            @shop.task(name="confirm")
            def confirm(order_id: int) -> None:
                print(order_id)
        """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "worker.py": """
            from celery import Celery

            shop = Celery("shop", broker="redis://localhost:6379/1")
            shop.conf.task_serializer = "json"
            shop.conf.accept_content = ["json"]

            @shop.task(name="confirm")
            def confirm(order_id: int) -> None:
                print(order_id)
        """,
    }
)


class _Payload:
    """What an attacker pickles: reading it writes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("owned.txt"),)


@rule.exploit
def a_message_writes_a_file(proof: Proof) -> None:
    """A pickled message, read as a worker reads it, creates a file on the worker's disk before any task has run."""
    import pickle

    from kombu.exceptions import ContentDisallowed
    from kombu.message import Message
    from kombu.serialization import prepare_accept_content

    accepted = prepare_accept_content(proof.module("worker").shop.conf.accept_content)  # type: ignore[no-untyped-call]
    message = Message(  # type: ignore[no-untyped-call]
        body=pickle.dumps(_Payload()),
        content_type="application/x-python-serialize",
        content_encoding="binary",
        accept=accepted,
    )
    with suppress(ContentDisallowed):
        message.decode()  # type: ignore[no-untyped-call]
    assert "owned.txt" in proof.files
