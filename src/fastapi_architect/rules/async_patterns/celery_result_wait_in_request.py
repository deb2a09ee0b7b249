"""A request waits for the result of a Celery task.

The task was handed to a worker so that the request need not wait; `.get()` waits all the same. In an `async
def` it stops the event loop; in a `def` it holds one of the forty threads that all such requests share;
inside another task it holds a worker, and when every worker waits for a task that none of them is free to
run, nothing moves any more.

Known limits: a task that is called like a function, without a queue, is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.offloading import called_name
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.concepts.messaging import ResultWait
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    conditions,
    first_route,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A request or a task waits for the result of a Celery task",
    severity=Severity.CRITICAL,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#avoid-launching-synchronous-subtasks",
        "https://fastapi.tiangolo.com/async/#very-technical-details",
    ),
    requires=("celery",),
)

_POLLS = frozenset({"ready", "successful", "failed", "state", "status"})


@rule.check(per=ResultWait)
def result_is_waited_for(wait: ResultWait, graph: AppGraph) -> Iterator[Finding]:
    function = wait.function
    if function is None or function.module.kind != "source" or _does_not_wait(wait, graph):
        return
    operations = graph.entries(function)
    if operations:
        yield _finding(wait, operations, graph)
    elif any(task.function is function for task in graph.tasks) and not _is_allowed(wait):
        yield _finding(wait, (), graph)


def _does_not_wait(wait: ResultWait, graph: AppGraph) -> bool:
    """It only looks: no time is given, or the result is known to be there."""
    if wait.timeout is not None and graph.program.constants.value(wait.timeout, wait.scope) == 0:
        return True
    if wait.site.context.inside("lambda") is not None:
        return True
    return any(_POLLS & set(names_in(test)) for test in conditions(wait.site))


def _is_allowed(wait: ResultWait) -> bool:
    """`with allow_join_result():` says that somebody thought about it."""
    return any(True for _ in wait.scope.facts.calls_named("allow_join_result"))


def _finding(wait: ResultWait, operations: tuple[PathOperation, ...], graph: AppGraph) -> Finding:
    function = wait.function
    assert function is not None
    name = called_name(wait.site)
    on_loop = function.is_async and event_loop(graph).serving(function)
    if not operations:
        effect = (
            "the worker that runs it is busy waiting for another worker; when all are, none of the tasks ends"
        )
    elif on_loop:
        effect = "the event loop stands still until a worker is done, and no other request is served"
    else:
        effect = "it holds one of the forty threads that all plain operations share until a worker is done"
    kind = "runs the task right here with" if wait.kind == "apply" else "waits for a task in"
    return rule.at(
        wait,
        f"`{function.name}` {kind} `{name}`: {effect}.",
        _suggestion(function, graph),
        reasoning="The caller goes on only when a worker has taken the task, run it and stored its result.",
        exploit=f"An attacker sends {first_route(operations, function.name)} as often as there are threads while the workers "
        "are busy; from then on no plain operation is answered."
        if operations
        else f"As many `{function.name}` as there are workers run at once; the tasks that they wait for find no worker.",
        confidence=Confidence.CERTAIN if wait.sure else Confidence.FIRM,
        trace=steps(
            (function, f"{function.name} runs for a request" if operations else "a Celery task"),
            (wait, effect),
        ),
        routes=routes_of(operations),
        context=Context(stops_process=True),
    )


def _suggestion(function: Function, graph: AppGraph) -> str:
    body = "job = task.delay(...)\nreturn JSONResponse({'job': job.id}, status_code=202)"
    return (
        "Answer with the task's id and let the client ask for the result:\n```python\n"
        f"{definition(graph, function, body)}\n\n\n"
        "def read_job(job_id: str):\n    job = AsyncResult(job_id)\n"
        "    return {'state': job.state, 'result': job.result if job.ready() else None}\n```"
    )


rule.bad = """
    from celery import Celery
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://", backend="cache+memory://")
    app = FastAPI()


    @worker.task
    def build_report(year: int) -> int:
        return year


    @app.post("/reports/{year}")
    def make_report(year: int) -> int:
        return build_report.delay(year).get(timeout=0.2)  # finding: celery-result-wait-in-request
"""

rule.good = """
    from celery import Celery
    from celery.result import AsyncResult
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://", backend="cache+memory://")
    app = FastAPI()


    @worker.task
    def build_report(year: int) -> int:
        return year


    @app.post("/reports/{year}", status_code=202)
    def make_report(year: int) -> dict[str, str]:
        return {"job": build_report.delay(year).id}


    @app.get("/jobs/{job_id}")
    def read_job(job_id: str) -> dict[str, str]:
        return {"state": AsyncResult(job_id, app=worker).state}
"""


@rule.symptom
def the_request_waits_for_a_worker(proof: Proof) -> None:
    """No worker is running: the request holds its thread until its time is over, and then fails."""
    proof.client.post("/reports/2026")
    assert "celery.AsyncResult.get" in [*proof.blocked, *proof.in_threads]
