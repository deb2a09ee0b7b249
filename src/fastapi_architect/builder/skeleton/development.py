"""The whole service on this machine, without Docker: `make run`.

PostgreSQL and Redis are real servers that come as Python wheels. What they hold, and the secrets that are made once,
stay in `.data`: delete that folder to begin anew. A variable of the environment, or of a file `.env`, wins over what is
chosen here.
"""

import fcntl
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dotenv import dotenv_values
from sqlalchemy import make_url

from app.components.testing.servers import PostgresServer, RedisServer
from app.manage import prepare

ROOT = Path(__file__).parent
COMPONENTS = ROOT / "app" / "components"
DATA = ROOT / ".data"
ADDRESS = "127.0.0.1"
DATABASE = "my_service"
#: Migrations run as the owner of the tables; the service runs as a role that no row-level security lets through.
OWNER = "my_service_owner"
APPLICATION = "my_service_app"
DEVELOPER = "developer@example.com"

API = ("uvicorn", "app.main:create_app", "--factory", "--reload", "--reload-dir", "app", "--no-access-log")


def main() -> None:
    """Run the service until Ctrl+C; with arguments, run Alembic on its database instead."""
    # A signal to stop has to end what was started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        stack.enter_context(only_one())
        os.environ.update(start_servers(stack))
        alembic("upgrade", "head")
        if sys.argv[1:2] == ["revision"]:
            alembic("revision", "--autogenerate", "--message", " ".join(sys.argv[2:]) or "change")
            return
        for name, command in background().items():
            stack.enter_context(running(name, *command))
        port = os.environ["SERVE_PORT"]
        server = stack.enter_context(running("API", *API, "--host", ADDRESS, "--port", port))
        wait_for_answer(server, int(port))
        sys.stdout.write(welcome(f"http://{ADDRESS}:{port}"))
        sys.stdout.flush()
        server.wait()


@contextmanager
def only_one() -> Iterator[None]:
    """Refuse to run twice on the same data."""
    DATA.mkdir(exist_ok=True)
    with (DATA / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("The service runs already; end it with Ctrl+C in its terminal first.")
        yield


def start_servers(stack: ExitStack) -> dict[str, str]:
    """Start what the service needs, and return the environment that it runs in."""
    own = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    given = own | dict(os.environ)
    chosen = {"ENVIRONMENT": "local", "LOG_FORMAT": "console"}
    if "SERVE_PORT" not in given:
        chosen["SERVE_PORT"] = str(free_port_from(8000))
    if "DATABASE_URL" not in given:
        postgres = PostgresServer(DATA / "postgresql")
        stack.callback(postgres.stop)
        url = make_url(postgres.url).set(drivername="postgresql+psycopg", database=DATABASE)
        chosen["DATABASE_URL"] = url.set(username=APPLICATION).render_as_string(hide_password=False)
        chosen["DATABASE_OWNER_URL"] = url.set(username=OWNER).render_as_string(hide_password=False)
        prepare(postgres.url, chosen["DATABASE_OWNER_URL"], chosen["DATABASE_URL"])
    if has("redis_pool", "celery_tasks") and "REDIS_URL" not in given:
        redis = RedisServer(DATA / "redis")
        stack.callback(redis.stop)
        chosen["REDIS_URL"] = redis.url
        # Messages for workers lie apart from what may be forgotten.
        chosen["CELERY_BROKER_URL"] = redis.url.removesuffix("/0") + "/1"
    return example_settings() | chosen | given


def example_settings() -> dict[str, str]:
    """Return the settings that `.env.example` asks for; each secret is made once and kept."""
    kept_in = DATA / "secrets.env"
    kept = {name: value or "" for name, value in dotenv_values(kept_in).items()} if kept_in.exists() else {}
    settings = {}
    for name, value in dotenv_values(ROOT / ".env.example").items():
        settings[name] = value or kept.setdefault(name, secrets.token_urlsafe(48))
    kept_in.touch(mode=0o600)
    kept_in.write_text("".join(f"{name}={value}\n" for name, value in sorted(kept.items())), encoding="utf-8")
    return settings


def background() -> dict[str, tuple[str, ...]]:
    """Return the processes that run beside the API, as modules with arguments."""
    if has("celery_tasks"):
        return {
            "relay": ("app.components.celery_tasks", "relay"),
            "worker": ("app.components.celery_tasks", "worker"),
        }
    if has("outbox"):
        return {"worker": ("app.components.outbox", "work")}
    return {}


def has(*components: str) -> bool:
    """Tell whether the service is made with any of these components."""
    return any((COMPONENTS / name).is_dir() for name in components)


@contextmanager
def running(name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module as a process of its own, and end it at the end."""
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"The {name} did not end within 30 seconds and was killed.\n")
            process.kill()
            process.wait()


def alembic(*arguments: str) -> None:
    """Run Alembic, and stop with its answer if it fails."""
    answer = subprocess.run([sys.executable, "-m", "alembic", *arguments], cwd=ROOT, check=False)
    if answer.returncode:
        sys.exit(answer.returncode)


def wait_for_answer(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the API answers."""
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=5)
        try:
            connection.request("GET", "/health/live")
            connection.getresponse()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("The API did not start; the reason stands above.")
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()


def free_port_from(first: int) -> int:
    """Return the first port from there on that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
        return port
    sys.exit(f"No port from {first} to {first + 99} is free; choose one: SERVE_PORT=9000 make run")


def welcome(url: str) -> str:
    """Say where the service is and how to sign in."""
    lines = ["", f"The API answers on {url}", f"Its contract:     {url}/docs"]
    if has("accounts"):
        password = kept("password", "app.components.accounts", "create", DEVELOPER, "--role", "admin")
        body = f'{{"email": "{DEVELOPER}", "password": "{password}"}}'
        lines += ["Sign in as an administrator; mails to others are printed here:"]
        lines += [f"  curl {url}/api/v1/auth/login -H 'Content-Type: application/json' -d '{body}'"]
    if has("api_keys"):
        scopes = [f"--scope={scope}" for scope in ("api_keys:manage", "notes:read", "notes:write")]
        options = ("--name", "development", "--days", "365", *scopes)
        key = kept("api_key", "app.components.api_keys", "create", *options)
        lines += ["Sign in by key:", f"  curl -H 'X-API-Key: {key}' {url}/api/v1/notes"]
    if has("tenancy"):
        lines += [
            f'What belongs to an organisation needs one: POST {url}/api/v1/organisations {{"name": "Bakery"}}'
        ]
    return "\n".join([*lines, "Ctrl+C ends everything.", "", ""])


def kept(name: str, *command: str) -> str:
    """Return what a command of the service printed once; it is kept where the database is that knows it."""
    file = DATA / name
    if not file.exists():
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True, text=True
        )
        file.touch(mode=0o600)
        file.write_text(done.stdout, encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
