"""`architect serve`: the scanning service on this machine by one command, or each of its processes by itself."""

from __future__ import annotations

import argparse
import gc
import http.client
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from fastapi_architect.secapi.queues import DEFAULT, QUEUES
from fastapi_architect.secapi.serving.supervisor import Supervisor

#: Values of SECAPI_QUEUE; its settings are not imported here, so that `--help` needs no extra.
CELERY, POSTGRESQL = "celery", "pg"
#: Processes that production runs apart, by the URLs in the environment.
PROCESSES = ("api", "worker", "relay")
TASKS = ("migrate", "prepare-database", "create-admin")
#: Seconds until the API answers after its start.
PATIENCE = 60.0


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = argparse.ArgumentParser(
        prog="architect serve",
        description="Run SecAPI, the self-hosted scanning service (extra [secapi]). Without a process all of it runs on this "
        "machine under one supervisor, with PostgreSQL and Redis from Python wheels (extra [embedded]) where no URL names "
        "others; with one, that process alone, configured by the environment.",
        epilog="processes: api, worker, relay; tasks: migrate, prepare-database (SUPERUSER_URL says who may), create-admin "
        "(prints the one-time password of --admin)",
        allow_abbrev=False,
    )
    made.add_argument("process", nargs="?", choices=[*PROCESSES, *TASKS], help="only this one")
    made.add_argument("--port", type=int, help="of the API (default: SERVE_PORT, or 8000)")
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="what an installation keeps (default: the user's data folder)",
    )
    made.add_argument(
        "--queue",
        choices=[CELERY, POSTGRESQL],
        help="celery: a broker between API and workers; pg: workers poll PostgreSQL (default: SECAPI_QUEUE, or celery)",
    )
    made.add_argument(
        "--workers", type=int, default=2, choices=range(1, 65), metavar="N", help="worker processes"
    )
    made.add_argument(
        "--queues",
        type=_queues,
        metavar="NAMES",
        help="of a worker: only these kinds of work, of default (short), reports and scans (default: all)",
    )
    made.add_argument(
        "--admin",
        default="admin@localhost.localdomain",
        metavar="EMAIL",
        help="who signs in first; a one-time password is printed when the account is made, good for three days and only to "
        "choose another (PUT /api/v1/me/password)",
    )
    made.add_argument("--organisation", default="Default", metavar="NAME", help="which that account owns")
    return made


def run(arguments: list[str]) -> int:
    """Run what is asked for until a signal comes."""
    options = parser()
    given = options.parse_args(arguments)
    gc.enable()  # a command ends with its process, a server does not
    if given.port is not None:
        os.environ["SERVE_PORT"] = str(given.port)
    if given.queue is not None:
        os.environ["SECAPI_QUEUE"] = given.queue
    if given.process is None:
        from fastapi_architect.secapi.serving.installation import InstallationInUse

        return _or_settings(options, lambda: _everything(given), InstallationInUse)
    alone: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "api": _api,
        "worker": _worker,
        "relay": _relay,
        "migrate": _migrate,
        "prepare-database": _prepare_database,
        "create-admin": _create_admin,
    }
    return _or_settings(options, lambda: alone[given.process](given))


def _or_settings(options: argparse.ArgumentParser, work: Callable[[], int], *others: type[Exception]) -> int:
    """Do it; a setting that is missing or has no meaning is the operator's to mend, and no fault of this program."""
    from pydantic import ValidationError

    from fastapi_architect.secapi.serving.refused_settings import refused_settings

    try:
        return work()
    except ValidationError as error:
        refused = refused_settings(error)
        if refused is None:
            raise
        options.error(f"{refused}; set it in the environment, or in a file of SECRETS_DIRECTORY")
    except others as error:
        options.error(str(error))


def _everything(given: argparse.Namespace) -> int:
    """The whole service, under one supervisor."""
    from fastapi_architect.secapi.serving import installation

    data = (given.data or _data_folder()).expanduser().resolve()
    with ExitStack() as stack:
        stack.enter_context(installation.only_one(data))
        print(f"Preparing SecAPI in {data}", file=sys.stderr)
        environment = installation.environment(data, stack, os.environ)
        os.environ.update(environment)
        installation.migrate()
        password = installation.make_administrator(given.admin, given.organisation)
        supervisor = Supervisor(environment)
        supervisor.stop_on_signals()
        stack.callback(supervisor.end)
        port = int(environment.get("SERVE_PORT", "8000"))
        supervisor.keep("API", *_command("api"), "--port", str(port))
        supervisor.keep("worker", *_command("worker"), "--workers", str(given.workers))
        # Scans may occupy all of those for minutes: mails, webhooks and the ends of scans do not wait for them.
        supervisor.keep(
            "worker for what is short", *_command("worker"), "--workers", "1", "--queues", DEFAULT
        )
        if environment.get("SECAPI_QUEUE", CELERY) == CELERY:
            supervisor.keep("relay", *_command("relay"))
        if not _wait_for_answer(port, supervisor):
            print(
                f"architect: the API does not answer on port {port}; the reason stands above", file=sys.stderr
            )
            return 3
        print(_welcome(f"http://127.0.0.1:{port}", given.admin, password), flush=True)
        supervisor.run()
    return 0


def _api(_: argparse.Namespace) -> int:
    from fastapi_architect.components.service import ServeSettings, serve
    from fastapi_architect.secapi.app import create_app

    serve(create_app(), ServeSettings())
    return 0


def _worker(given: argparse.Namespace) -> int:
    from fastapi_architect.components.celery_tasks import create_worker
    from fastapi_architect.components.outbox.__main__ import work
    from fastapi_architect.components.outbox.contributions import set_up_logging_or_basic
    from fastapi_architect.secapi.registry import components
    from fastapi_architect.secapi.settings import SecApiSettings

    parts = components()
    queues = given.queues or QUEUES
    if SecApiSettings().queue == POSTGRESQL:
        return work(parts, given.workers, queues)
    set_up_logging_or_basic(parts)
    # Two workers on a host need names of their own.
    name = f"{'-'.join(queues)}-{os.getpid()}@%h"
    create_worker(parts).start(
        ["worker", "--concurrency", str(given.workers), "--hostname", name, "-Q", ",".join(queues)]
    )
    return 0


def _relay(_: argparse.Namespace) -> int:
    from fastapi_architect.components.celery_tasks import create_relay
    from fastapi_architect.components.outbox.contributions import set_up_logging_or_basic
    from fastapi_architect.components.outbox.processes import stop_on_signal
    from fastapi_architect.secapi.registry import components

    parts = components()
    set_up_logging_or_basic(parts)
    create_relay(parts).run(stop_on_signal())
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from fastapi_architect.secapi.serving import installation

    installation.migrate()
    return 0


def _prepare_database(_: argparse.Namespace) -> int:
    from fastapi_architect.secapi.serving import installation
    from fastapi_architect.secapi.serving.preparing import urls

    installation.prepare(*urls())
    return 0


def _create_admin(given: argparse.Namespace) -> int:
    from fastapi_architect.secapi.serving import installation

    password = installation.make_administrator(given.admin, given.organisation)
    if password is None:
        print(f"architect: {given.admin} has an account already", file=sys.stderr)
        return 2
    print(password)
    print(
        "architect: good for three days, and only to choose another: POST /api/v1/auth/login, then PUT /api/v1/me/password",
        file=sys.stderr,
    )
    return 0


def _queues(text: str) -> list[str]:
    """Kinds of work."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in QUEUES]
    if unknown:
        message = f"{', '.join(unknown) or 'nothing'!r} is no kind of work; there are {', '.join(QUEUES)}"
        raise argparse.ArgumentTypeError(message)
    return names


def _command(process: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "fastapi_architect", "serve", process)


def _data_folder() -> Path:
    """Where programs keep data for a user (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local/share") / "fastapi-architect/secapi"


def _wait_for_answer(port: int, supervisor: Supervisor) -> bool:
    """Wait until the API answers; False: it does not in time, or somebody stops everything."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not supervisor.stopping.wait(0.1):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200 and supervisor.is_running("API"):
                return True
        except OSError:
            if not supervisor.is_running("API"):
                return False
        finally:
            connection.close()
    return supervisor.stopping.is_set()


def _welcome(url: str, email: str, password: str | None) -> str:
    """Say where the service is and how to sign in."""
    lines = ["", f"SecAPI answers on {url}", f"Its contract:     {url}/docs"]
    if password is None:
        lines.append(f"{email} has an account already.")
    else:
        body = f'{{"email": "{email}", "password": "{password}"}}'
        change = f'{{"present_password": "{password}", "password": "..."}}'
        lines += [
            f"Sign in as {email}; this password is shown once, and good for three days:",
            f"  curl {url}/api/v1/auth/login -H 'Content-Type: application/json' -d '{body}'",
            "It can only choose your own; until then every other request is answered with 403. With the access_token:",
            f"  curl -X PUT {url}/api/v1/me/password -H 'Authorization: Bearer ...' -H 'Content-Type: application/json' -d '{change}'",
            "Then sign in again with your own.",
        ]
    return "\n".join([*lines, "Ctrl+C ends everything.", ""])
