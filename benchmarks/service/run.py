"""What an authenticated read costs: `make bench-service`.

A `standard` service is generated and run as it is, with its components one after the other, and beside applications that were
written by hand; all in one run, on one PostgreSQL. CPU of the server process (user and system) per request, median of the
rounds; PostgreSQL and the sender of requests are other processes and not counted.
"""

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import jwt
import psycopg
from load import Server

EMAIL = "bench@example.com"
#: What a read by access token cannot do without; everything else is a layer.
NEEDED = ["Database", "Access", "Accounts"]
#: The bar of the ratio between the whole service and the handler that was written by hand.
BAR = 1.6


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=400, help="for each server in each round")
    parser.add_argument("--no-layers", action="store_true", help="the whole service only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = list(prepare(Path(folder), stack, layers=not options.no_layers))
        for server in servers:
            server.start()
            stack.callback(server.stop)
        costs = measure(servers, options.rounds, options.requests)
    show(costs)
    return 0


def prepare(folder: Path, stack: contextlib.ExitStack, *, layers: bool) -> Iterator[Server]:
    """Generate the service, start its servers, and yield what is compared."""
    project = folder / "bench"
    new = [sys.executable, "-m", "fastapi_architect", "new", "bench", "--preset", "standard", "--yes"]
    subprocess.run(new, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(project))
    development = importlib.import_module("development")
    # Nothing is refused for its rate, and everything is logged as in production.
    rates = {"RATE_LIMIT_DEFAULT": "1000000/second", "LOG_FORMAT": "json"}
    environment = os.environ | development.start_servers(stack) | rates
    environment |= {
        "PYTHONPATH": f"{project}{os.pathsep}{Path(__file__).parents[2]}",
        "BENCH_KEY": secrets.token_hex(32),
    }
    run_module(project, environment, "alembic", "upgrade", "head")
    password = run_module(project, environment, "app.components.accounts", "create", EMAIL).strip()

    hand = Server(
        "by hand: token, user, row",
        _port(development),
        "benchmarks.service.by_hand:hand",
        environment,
        project,
    )
    hand.path, hand.headers = by_hand(environment)
    names = registry(environment, project)
    whole = Server("the whole service", _port(development), "app.main:create_app", environment, project)
    whole.start()
    try:
        whole.path, whole.headers = signed_in(whole, password)
    finally:
        whole.stop()

    for name in ("starlette", "fastapi"):
        application = f"benchmarks.service.by_hand:{name}_hello"
        yield Server(
            f"bare {name}: a constant", _port(development), application, environment, project, "/hello"
        )
    yield hand
    for layer in layered(names) if layers else []:
        application = "benchmarks.service.layers:create_app"
        shown = environment | {"BENCH_LAYERS": ",".join(layer)}
        title = "+ " + layer[-1] if layer != NEEDED else "service: " + ", ".join(NEEDED)
        yield Server(title, _port(development), application, shown, project, whole.path, whole.headers)
    yield whole


def run_module(project: Path, environment: dict[str, str], *command: str) -> str:
    """Run a module in the folder of the service, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def registry(environment: dict[str, str], project: Path) -> list[str]:
    """Return the names of the classes in the registry of the service, in its order."""
    code = "import json; from app.registry import components; print(json.dumps([type(c).__name__ for c in components()]))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=project,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: list[str] = json.loads(answer.stdout)
    return found


def layered(names: list[str]) -> Iterator[list[str]]:
    """Yield what is needed, and then one more component each time, in the order of the registry."""
    chosen = list(NEEDED)
    yield list(chosen)
    # Limits are counted in Redis, so that its client comes first.
    for name in sorted(names, key=lambda name: name != "RedisPool"):
        if name not in chosen:
            chosen.append(name)
            yield list(chosen)


def by_hand(environment: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Make the rows of the service that was written by hand, and return the request that reads one."""
    owner = environment["DATABASE_OWNER_URL"].replace("+psycopg", "")
    environment["BENCH_DATABASE_URL"] = environment["DATABASE_OWNER_URL"]
    user, note = uuid4(), uuid4()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_users (id uuid PRIMARY KEY, email text, active boolean)")
        connection.execute(
            "CREATE TABLE bench_notes (id uuid PRIMARY KEY, owner_id uuid, title text, text text)"
        )
        connection.execute("INSERT INTO bench_users VALUES (%s, %s, true)", [user, EMAIL])
        connection.execute("INSERT INTO bench_notes VALUES (%s, %s, 'A title', 'A text')", [note, user])
    token = jwt.encode({"sub": str(user)}, environment["BENCH_KEY"], algorithm="HS256")
    return f"/notes/{note}", {"Authorization": f"Bearer {token}"}


def signed_in(server: Server, password: str) -> tuple[str, dict[str, str]]:
    """Sign in to the service, write a note, and return the request that reads it."""
    url = f"http://127.0.0.1:{server.port}/api/v1"
    tokens = post(f"{url}/auth/login", {"email": EMAIL, "password": password})
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    note = post(f"{url}/notes", {"title": "A title", "text": "A text"}, headers)
    return f"/api/v1/notes/{note['id']}", headers


def post(url: str, body: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, str]:
    """Send JSON and return JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), sent)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, str] = json.loads(answer.read())
        return found


def measure(servers: list[Server], rounds: int, requests: int) -> dict[str, float]:
    """Return microseconds of CPU per request: the servers take turns, so that the machine's moods hit all."""
    costs: dict[str, list[float]] = {server.name: [] for server in servers}
    for server in servers:
        asyncio.run(server.send(200))
    for _ in range(rounds):
        for server in servers:
            before = server.cpu()
            sent = asyncio.run(server.send(requests))
            costs[server.name].append((server.cpu() - before) / sent * 1e6)
    return {name: statistics.median(found) for name, found in costs.items()}


def show(costs: dict[str, float]) -> None:
    """Print a table; a layer's row says what it adds to the row above."""
    hand = costs["by hand: token, user, row"]
    print(f"{'':38} {'CPU us':>8} {'ratio':>6} {'added':>7}")
    above = 0.0
    for name, cost in costs.items():
        added = f"{cost - above:7.0f}" if name.startswith("+") else ""
        print(f"{name:38} {cost:8.0f} {cost / hand:6.2f} {added}")
        above = cost
    ratio = costs["the whole service"] / hand
    print(f"\nThe whole service costs {ratio:.2f} times the read by hand; the bar is {BAR}.")


def _port(development: object) -> int:
    found: int = development.free_port_from(_next[0])  # type: ignore[attr-defined]
    _next[0] = found + 1
    return found


_next = [18_100]

if __name__ == "__main__":
    sys.exit(main())
