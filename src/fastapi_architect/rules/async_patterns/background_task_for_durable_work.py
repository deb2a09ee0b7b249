"""Work that must not be lost runs in the memory of the web process.

A background task of FastAPI, or `asyncio.create_task`, runs in the process that answered. A deployment, a crash or a kill
between the answer and its end loses the mail, payment or row for good: nobody retries it and nobody knows. This project
has a task queue that would.

Known limits: nothing is said in projects without a task queue, nor about logging, metrics and caches.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.messaging import BackgroundTaskAdd, EmailSend, Enqueue
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Work that must not be lost runs in the web process after the answer",
    severity=Severity.MINOR,
    cwe=755,
    references=(
        "https://fastapi.tiangolo.com/tutorial/background-tasks/#caveat",
        "https://docs.celeryq.dev/en/stable/userguide/calling.html",
    ),
    requires=("celery",),
)

_HARMLESS = (
    "log",
    "metric",
    "track",
    "audit_log",
    "cache",
    "warm",
    "analytics",
    "telemetry",
    "cleanup",
    "remove_temp",
)


@rule.check(per=BackgroundTaskAdd)
def durable_work(added: BackgroundTaskAdd, graph: AppGraph) -> Iterator[Finding]:
    if not graph.tasks or added.target is None or added.scope.module.kind != "source":
        return
    if graph.within(Enqueue, added.scope):
        return  # it chooses between the queue and this process
    for of in options(graph.program.inference.type_of(added.target, added.scope)):
        if not isinstance(of, FunctionRef) or any(word in of.function.name.lower() for word in _HARMLESS):
            continue
        found = _durable(of.function, graph)
        if found is not None:
            yield _finding(added, of.function, found, graph)
            return


def _durable(function: Function, graph: AppGraph) -> tuple[str, Concept] | None:
    """What would be lost, and where it is done; None for what may be."""
    done = effects(graph).of_functions([function])
    if any(isinstance(m, Enqueue) for m in done.messages):
        return None  # it hands the work on to the queue
    mail = next((m for m in done.messages if isinstance(m, EmailSend)), None)
    if mail is not None:
        return "sends a mail", mail
    write = next((w for w in done.writes if not isinstance(w, DatabaseCall) or w.sure), None)
    if write is not None:
        return "changes the database", write
    posted = (
        o
        for o in done.outbound
        if isinstance(o, OutboundRequest) and _method(o) in ("post", "put", "patch", "delete")
    )
    request = next(posted, None)
    return ("calls another service", request) if request is not None else None


def _method(request: OutboundRequest) -> str:
    return last_name(request.node.func).lower()


def _finding(
    added: BackgroundTaskAdd, function: Function, found: tuple[str, Concept], graph: AppGraph
) -> Finding:
    what, place = found
    operations = graph.entries(added.function) if added.function is not None else ()
    library = graph.tasks[0].library
    name = function.name
    arguments = ", ".join(last_name(a) for a in added.args if isinstance(a, ir.Name))
    send = {"arq": f'await redis.enqueue_job("{name}", {arguments})'}.get(
        library, f"{name}.delay({arguments})"
    )
    return rule.at(
        added,
        f"`{name}` {what} in the memory of the web process: a restart between the answer and its end loses it.",
        f"Consider making it a task of {library}, which is stored and tried again:\n```python\n{send}\n```\n"
        "Send identifiers rather than objects of the request.",
        reasoning=f"The project runs {library} already ({graph.tasks[0].name}); background tasks have "
        "neither storage nor retries.",
        exploit=f"The process of {first_route(operations, name)} is stopped after the answer: `{name}` has not "
        "run, and no message is left that would run it.",
        confidence=Confidence.FIRM,
        trace=steps((place, f"`{name}` {what} here")),
        routes=routes_of(operations),
    )


rule.bad = """
    import smtplib

    from celery import Celery
    from fastapi import BackgroundTasks, FastAPI

    app = FastAPI()
    celery_app = Celery("shop", broker="redis://localhost")


    @celery_app.task
    def count_orders() -> int:
        return 0


    def send_invoice(order_id: int) -> None:
        with smtplib.SMTP("localhost", timeout=5) as server:
            server.sendmail("shop@example.org", "reader@example.org", f"Invoice {order_id}")


    @app.post("/orders/{order_id}/invoice", status_code=202)
    def invoice(order_id: int, background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(send_invoice, order_id)  # finding: background-task-for-durable-work
"""

rule.good = """
    import smtplib

    from celery import Celery
    from fastapi import FastAPI

    app = FastAPI()
    celery_app = Celery("shop", broker="redis://localhost")


    @celery_app.task
    def count_orders() -> int:
        return 0


    @celery_app.task(autoretry_for=(OSError,), retry_backoff=True)
    def send_invoice(order_id: int) -> None:
        with smtplib.SMTP("localhost", timeout=5) as server:
            server.sendmail("shop@example.org", "reader@example.org", f"Invoice {order_id}")


    @app.post("/orders/{order_id}/invoice", status_code=202)
    def invoice(order_id: int) -> None:
        send_invoice.delay(order_id)
"""


@rule.symptom
def nothing_is_kept_for_a_second_try(proof: Proof) -> None:
    """The mail server is down; the answer says 202, and no message is left that would send the invoice later."""
    proof.client_for(proof.app, raise_server_exceptions=False).post("/orders/7/invoice")
    assert proof.celery_messages == []
