# ruff: noqa: E501 - samples of code
"""Tasks, their configuration, and who sends them."""

import pytest
from celery import Celery
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.background import find_background

CELERY = {
    "app/__init__.py": "",
    "app/celeryconfig.py": "task_serializer = 'json'\naccept_content = ['json', 'pickle']\n_private = 1\n",
    "app/worker.py": """
        from celery import Celery
        from celery.schedules import crontab
        celery_app = Celery("shop", broker="redis://localhost:6379/0", backend="redis://localhost/1", include=["app.tasks"])
        celery_app.config_from_object("app.celeryconfig")
        celery_app.conf.update(task_acks_late=True, task_time_limit=60, broker_transport_options={"visibility_timeout": 900})
        celery_app.conf.task_default_queue = "main"
        celery_app.conf.beat_schedule = {
            "nightly": {"task": "app.tasks.clean", "schedule": crontab(hour=3)},
        }
        """,
    "app/tasks.py": """
        from celery import shared_task, Task
        from app.worker import celery_app
        @celery_app.task
        def clean(): ...
        @celery_app.task(bind=True, name="mail", autoretry_for=(Exception,), retry_backoff=True, max_retries=5, acks_late=False)
        def send_mail(self, address, subject="x"): ...
        @shared_task(soft_time_limit=5)
        def shared(order_id): ...
        class Report(Task):
            name = "report"
            def run(self, day): ...
        """,
    "app/service.py": """
        from app.tasks import clean, send_mail, shared
        from app import tasks
        from app.worker import celery_app
        from celery import chain
        def place(order):
            clean.delay()
            send_mail.apply_async(args=[order.email], kwargs={"subject": "hi"}, countdown=30)
            tasks.shared.delay(order.id)
            celery_app.send_task("mail", args=["a"])
            chain(clean.s(), shared.si(1)).apply_async()
        """,
}


def test_a_celery_application_has_the_settings_written_in_all_places():
    app = find_background(program_of(CELERY)).apps[0]
    actual = {name: setting.value for name, setting in app.settings.items() if name != "beat_schedule"}
    assert (app.main, app.variable, app.broker_scheme, app.visibility_timeout) == (
        "shop",
        "celery_app",
        "redis",
        900,
    )
    assert actual == {
        "broker_url": "redis://localhost:6379/0",
        "result_backend": "redis://localhost/1",
        "include": ["app.tasks"],
        "task_serializer": "json",
        "accept_content": ["json", "pickle"],
        "task_acks_late": True,
        "task_time_limit": 60,
        "broker_transport_options": {"visibility_timeout": 900},
        "task_default_queue": "main",
    }


def test_task_names_are_those_that_celery_gives():
    namespace = {"__name__": "app.tasks"}
    real = Celery("x", set_as_current=False)
    exec("def clean(): ...\ndef send_mail(self, a): ...", namespace)
    expected = [real.task(namespace["clean"]).name, real.task(name="mail")(namespace["send_mail"]).name]
    tasks = find_background(program_of(CELERY)).tasks
    assert [t.name for t in tasks][:2] == expected


def test_tasks_have_their_own_options_and_those_of_the_application():
    tasks = {t.function.qualname: t for t in find_background(program_of(CELERY)).tasks}
    assert sorted(tasks) == ["Report.run", "clean", "send_mail", "shared"]
    assert [tasks[n].setting("acks_late") for n in ("clean", "send_mail")] == [True, False]
    assert [tasks[n].setting("time_limit") for n in ("clean", "shared")] == [60, 60]
    assert tasks["send_mail"].options["retry_backoff"] is True
    assert [tasks[n].is_redelivered for n in ("clean", "send_mail")] == [True, True]
    assert [p.name for p in tasks["send_mail"].parameters] == ["address", "subject"]
    assert tasks["Report.run"].name == "report"


def test_every_way_to_send_a_task_leads_to_its_function():
    background = find_background(program_of(CELERY))
    actual = [
        (e.kind, e.function.name if e.function else None, len(e.args), sorted(e.keywords), sorted(e.options))
        for e in background.enqueues
    ]
    assert actual == [
        ("delay", "clean", 0, [], []),
        ("apply_async", "send_mail", 1, ["subject"], ["countdown"]),
        ("delay", "shared", 1, [], []),
        ("send_task", "send_mail", 1, [], []),
        ("apply_async", None, 0, [], []),
        ("signature", "clean", 0, [], []),
        ("signature", "shared", 1, [], []),
    ]
    caller = background.enqueues[0].caller
    assert [f.name for f in background.sent_by(caller)] == ["clean", "send_mail", "shared"]


def test_schedules_name_their_task():
    schedule = find_background(program_of(CELERY)).schedules[0]
    assert (schedule.name, schedule.task.function.name) == ("nightly", "clean")


def test_old_and_namespaced_setting_names_are_understood():
    program = program_of(
        {
            "conf.py": "CELERY_TASK_SERIALIZER = 'pickle'\nCELERY_BROKER_URL = 'amqp://x'\nOTHER = 1\n",
            "main.py": "from celery import Celery\nimport conf\na = Celery('a')\na.config_from_object(conf, namespace='CELERY')\n",
        }
    )
    app = find_background(program).apps[0]
    assert {n: s.value for n, s in app.settings.items()} == {
        "task_serializer": "pickle",
        "broker_url": "amqp://x",
    }


def test_background_tasks_of_fastapi_lead_to_their_function():
    background = find_background(
        program_of("""
        from fastapi import BackgroundTasks, FastAPI
        app = FastAPI()
        def notify(address: str): ...
        @app.post("/x")
        async def create(background_tasks: BackgroundTasks):
            background_tasks.add_task(notify, "a@b.c")
        class Board:
            def add_task(self, f): ...
        def other():
            Board().add_task(notify)
        """)
    )
    assert [(e.kind, e.function.name, len(e.args), e.caller.name) for e in background.enqueues] == [
        ("background", "notify", 1, "create")
    ]


@pytest.mark.parametrize(
    ("text", "library", "name", "kind"),
    [
        ("import dramatiq\n@dramatiq.actor\ndef go(x): ...\ndef send(): go.send(1)\n", "dramatiq", "go", "send"),
        ("from taskiq import InMemoryBroker\nbroker = InMemoryBroker()\n@broker.task\nasync def go(x): ...\nasync def send(): await go.kiq(1)\n", "taskiq", "app:go", "kiq"),
        ("async def go(ctx, x): ...\nclass WorkerSettings:\n    functions = [go]\nasync def send(pool): await pool.enqueue_job('go', 1)\n", "arq", "go", "enqueue_job"),
        ("from rq.decorators import job\n@job('q')\ndef go(x): ...\ndef send(): go.delay(1)\n", "rq", "go", "delay"),
    ],
)  # fmt: skip
def test_other_queues_are_known_too(text, library, name, kind):
    background = find_background(program_of(text))
    assert [(t.library, t.name) for t in background.tasks] == [(library, name)]
    assert [(e.kind, e.function.name, len(e.args)) for e in background.enqueues] == [(kind, "go", 1)]


def test_methods_called_task_delay_or_send_of_other_things_are_nothing():
    background = find_background(
        program_of("""
        class Client:
            def send(self, x): ...
            def delay(self): ...
        class Registry:
            def task(self, f): return f
        registry = Registry()
        @registry.task
        def go(): ...
        def use(client: Client):
            client.send(1)
            client.delay()
        """)
    )
    assert (background.tasks, background.enqueues) == ((), ())


def test_a_task_taken_from_a_table_may_be_any_task_in_it():
    background = find_background(
        program_of("""
        from celery import Celery, Task
        app = Celery("x")
        @app.task
        def ship(order): ...
        @app.task
        def bill(order): ...
        TASK_OF: dict[str, Task] = {"ship": ship, "bill": bill}
        def publish(kind, order):
            TASK_OF[kind].delay(order)
        """)
    )
    assert [(e.kind, e.function.name) for e in background.enqueues] == [("delay", "ship"), ("delay", "bill")]
