"""Text from a request chooses which function or task runs.

`send_task(name)`, `app.tasks[name]`, `getattr(service, name)()` and `globals()[name]()` offer everything that has a name: the
task that deletes accounts as well as the one for reports, methods that check nothing because no route calls them. A table
of what may be called, or an `Enum`, offers what was meant.

Known limits: names with a fixed beginning or end (`f"handle_{kind}"`) are taken for limited.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.chosen_callables import ChosenCallable
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.rules.kit import AppGraph, Files, Finding, Proof, Rule, Severity, dotted_name

rule = Rule(
    __name__,
    "Request data chooses which function runs",
    severity=Severity.CRITICAL,
    cwe=470,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://cwe.mitre.org/data/definitions/470.html",
        "https://docs.celeryq.dev/en/stable/userguide/calling.html",
    ),
    requires=("celery",),
)

_ENDINGS = {
    "task": "the task of this name is sent",
    "attribute": "the method of this name is called",
    "namespace": "the function of this name is called",
}


@rule.check(per=AppGraph)
def request_data_that_names_a_callable(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "callable"):
        chosen = flow.fact
        assert isinstance(chosen, ChosenCallable)
        ending = _ENDINGS[chosen.kind]
        what = "any task of the workers" if chosen.kind == "task" else f"anything that {_among(chosen)} holds"
        yield rule.at(
            chosen,
            f"`{flow.name}` of {flow.route}{flow.others} chooses what runs here: {ending}.",
            _suggestion(flow, chosen),
            reasoning=(
                f"`{flow.name}` is whatever the client of {flow.route} sends. It reaches the call{flow.through} with no check "
                f"against a closed list on the way, so the client may name {what}."
            ),
            exploit=f"{flow.route} with the name of another function for `{flow.field}` runs it: {what}, whoever is meant to call it.",
            confidence=flow.confidence,
            trace=flow.trace(ending),
            routes=flow.routes,
        )


def _among(chosen: ChosenCallable) -> str:
    name = dotted_name(chosen.among) if chosen.among is not None else ""
    return f"`{name}`" if name else "the module"


def _suggestion(flow: Flow, chosen: ChosenCallable) -> str:
    value = flow.field if flow.field.isidentifier() else "name"
    if chosen.kind == "task":
        return (
            "Look the task up among those that may be asked for:\n```python\n"
            f'TASKS = {{"first": first_task, "second": second_task}}\nresult = TASKS[{value}].delay()\n```'
        )
    return (
        "Look the function up among those that may be called:\n```python\n"
        f'ACTIONS = {{"start": start, "stop": stop}}\nresult = ACTIONS[{value}]()\n```'
    )


_WORKER = """
    from celery import Celery

    shop = Celery("shop", broker="redis://localhost:6379/1")

    @shop.task(name="send_report")
    def send_report() -> None:
        print("report sent")

    @shop.task(name="delete_everything")
    def delete_everything() -> None:
        print("everything deleted")
"""

rule.bad = Files(
    {
        "main.py": """
        from fastapi import FastAPI

        from worker import shop

        app = FastAPI()

        @app.post("/jobs", status_code=202)
        def start(job: str) -> None:
            shop.send_task(job)  # finding: dynamic-task-or-callable-dispatch
    """,
        "worker.py": _WORKER,
    }
)

rule.good = Files(
    {
        "main.py": """
        from fastapi import FastAPI, HTTPException

        from worker import send_report

        app = FastAPI()
        JOBS = {"send_report": send_report}

        @app.post("/jobs", status_code=202)
        def start(job: str) -> None:
            if job not in JOBS:
                raise HTTPException(422, "there is no such job")
            JOBS[job].delay()
    """,
        "worker.py": _WORKER,
    }
)


@rule.exploit
def any_task_can_be_started(proof: Proof) -> None:
    """A request names a task that no route offers, and it is sent to the workers."""
    proof.client.post("/jobs", params={"job": "send_report"})
    proof.client.post("/jobs", params={"job": "delete_everything"})
    assert [message.task for message in proof.celery_messages] == ["send_report", "delete_everything"]
