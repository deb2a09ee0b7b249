"""A client waits while a mail is sent, although the project has workers for that.

Handing a message to a mail server takes from a tenth of a second to half a minute, and fails now and then.
Done before the answer, all of that is the client's; a worker would do it afterwards, and again when it fails.

Known limits: mail is recognised; other slow work (reports, imports, media) is left to the reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.offloading import called_name
from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.analyses.per_request import PerRequest, per_request
from fastapi_architect.appgraph.background import Task
from fastapi_architect.concepts.messaging import EmailSend
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
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A request sends mail itself although there are workers",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://docs.celeryq.dev/en/stable/getting-started/introduction.html",
        "https://fastapi.tiangolo.com/tutorial/background-tasks/",
    ),
    requires=("celery",),
)

#: A longer call is shown without its arguments.
_LONG = 80


@rule.check(per=EmailSend)
def mail_before_the_answer(mail: EmailSend, graph: AppGraph) -> Iterator[Finding]:
    function = mail.function
    if function is None or function.module.kind != "source" or not graph.tasks:
        return
    if mail is not graph.within(EmailSend, function)[0]:
        return
    found = per_request(function, graph)
    if found is not None:
        yield _finding(mail, function, found, graph)


def _finding(mail: EmailSend, function: Function, found: PerRequest, graph: AppGraph) -> Finding:
    name = called_name(mail.site)
    task = graph.tasks[0]
    given = ", ".join(p.name for p in function.parameters if p.name not in ("self", "cls"))
    sent = written(graph, function, mail.node) if function is found.root else f"{function.name}({given})"
    if len(sent) > _LONG or "\n" in sent:
        sent = f"{name}(...)"
    body = f"asyncio.run({sent})" if function.is_async else sent
    hops = [(site, f"{site.scope.name} calls {called_name(site)}") for site in found.hops]
    return rule.at(
        mail,
        f"`{found.root.name}` answers only after `{name}` has handed a mail to the server, while "
        f"`{task.function.name}` and "
        "others run on workers.",
        f"Let a worker send it, and answer at once:\n```python\n"
        f"@{_decorator(task, graph)}(autoretry_for=(OSError,), retry_backoff=True)\n"
        f"{definition(graph, function, body, name=f'{function.name}_task', is_async=False)}\n\n\n"
        f"{function.name}_task.delay({given})\n```",
        reasoning="The call runs in the request, not in a task or behind the response, and the project has a "
        "queue.",
        exploit=f"The mail server is slow or down, and so is {first_route(found.operations, found.root.name)}.",
        confidence=Confidence.FIRM,
        trace=steps(*hops, (mail, "the mail server is waited for here")),
        routes=routes_of(found.operations),
        impact=float(len(found.operations)),
    )


def _decorator(task: Task, graph: AppGraph) -> str:
    """What the project's tasks are made with."""
    for each in task.function.node.decorators:
        if task.function.module.location(each) == task.location:
            return written(graph, task.function, each.func if isinstance(each, ir.Call) else each)
    return f"{task.app.variable}.task" if task.app is not None and task.app.variable else "shared_task"


rule.bad = """
    import smtplib
    from email.message import EmailMessage

    from celery import Celery
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://")
    app = FastAPI()


    def send_mail(to: str, text: str) -> None:
        message = EmailMessage()
        message["To"] = to
        message.set_content(text)
        with smtplib.SMTP("mail.example", timeout=5) as server:
            server.send_message(message)  # finding: slow-work-in-request


    @worker.task
    def build_report(year: int) -> int:
        return year


    @app.post("/orders")
    def create_order(email: str) -> str:
        send_mail(email, "Thank you")
        return "created"
"""

rule.good = """
    import smtplib
    from email.message import EmailMessage

    from celery import Celery
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://")
    app = FastAPI()


    @worker.task
    def send_mail(to: str, text: str) -> None:
        message = EmailMessage()
        message["To"] = to
        message.set_content(text)
        with smtplib.SMTP("mail.example", timeout=5) as server:
            server.send_message(message)


    @worker.task
    def build_report(year: int) -> int:
        return year


    @app.post("/orders")
    def create_order(email: str) -> str:
        send_mail.delay(email, "Thank you")
        return "created"
"""


@rule.symptom
def the_client_waits_for_the_mail_server(proof: Proof) -> None:
    """The connection to the mail server is opened before the client is answered."""
    proof.client.post("/orders", params={"email": "alice@example.com"})
    assert "smtplib.SMTP" in [*proof.blocked, *proof.in_threads]
