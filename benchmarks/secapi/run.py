"""What reading findings costs: `make bench-secapi`.

SecAPI as it is served in production (rates that refuse nothing, logs as JSON), and beside it a handler written by hand that
does the same look-up of the key, tenant setting and select on the same tables, in one run on one PostgreSQL, once as it is
usually written and once in the very statements that SecAPI sends. CPU of the server process (user and system) per request; the
servers take turns, and a ratio is the median of the ratios of single rounds. PostgreSQL, Redis and the sender of requests are
other processes and not counted. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from benchmarks.service.load import Server  # noqa: E402
from measure import machine  # noqa: E402
from sqlalchemy import create_engine  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402
from uuid_utils.compat import uuid7  # noqa: E402

from fastapi_architect.components.database import bind_worker_setting  # noqa: E402
from fastapi_architect.components.testing.servers import free_port  # noqa: E402
from fastapi_architect.secapi.findings.matching import Looked, Seen, lock_branch, match_scan  # noqa: E402
from fastapi_architect.secapi.serving import installation  # noqa: E402

#: GET one finding against the same by hand; a list of 100 against GET one.
ONE_BAR, LIST_BAR = 1.5, 3.0
SCOPES = ["projects:read", "projects:write", "findings:read"]
EMAIL = "bench@example.com"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=400, help="for each server in each round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        hand, at_once, one, listed = prepare(Path(folder), stack)
        rounds = [
            [
                cost(server, options.requests // divisor)
                for server, divisor in ((hand, 1), (at_once, 1), (one, 1), (listed, 4))
            ]
            for _ in range(options.rounds)
        ]
    costs = [statistics.median(each) for each in zip(*rounds, strict=True)]
    ratio = statistics.median(c / a for a, _, c, _ in rounds)
    closest = statistics.median(c / b for _, b, c, _ in rounds)
    many = statistics.median(d / c for _, _, c, d in rounds)
    print(f"GET a finding, by hand            {costs[0]:8.0f} us of CPU")
    print(f"the same, in SecAPI's statements  {costs[1]:8.0f} us of CPU")
    print(f"GET a finding                     {costs[2]:8.0f} us of CPU   {ratio:.2f}x, the bar is {ONE_BAR};"
          f" {closest:.2f}x the same statements by hand")  # fmt: skip
    print(
        f"a list of 100 findings            {costs[3]:8.0f} us of CPU   {many:.2f}x GET one, the bar is {LIST_BAR}"
    )
    print(machine())
    return 0 if ratio <= ONE_BAR and many <= LIST_BAR else 1


def prepare(folder: Path, stack: contextlib.ExitStack) -> tuple[Server, Server, Server, Server]:
    """Install SecAPI, fill a project with the findings of an example, and start what is compared.

    Raises:
        RuntimeError: the three ways to read a finding do not answer with the same document.
    """
    given = {**os.environ, "RATE_LIMIT_DEFAULT": "1000000/second", "LOG_FORMAT": "json", "ENV_FILE": "",
             "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}  # fmt: skip
    environment = installation.environment(folder, stack, given)
    os.environ.update(environment)
    installation.migrate()
    password = installation.make_administrator(EMAIL, "Bench")
    secapi = Server("SecAPI", free_port(), "fastapi_architect.secapi.app:create_app", environment, folder)
    hand = Server("by hand", free_port(), "benchmarks.secapi.by_hand:app", environment, folder)
    for server in (secapi, hand):
        server.start()
        stack.callback(server.stop)
    url = f"http://127.0.0.1:{secapi.port}/api/v1"
    first = sign_in(url, password)
    own = {"present_password": password, "password": f"{password} of its own"}
    ask(f"{url}/me/password", own, first, method="PUT")
    login = sign_in(url, own["password"])
    key = ask(f"{url}/api-keys", {"name": "bench", "scopes": SCOPES}, login)["key"]
    headers = {"X-API-Key": key}
    project = ask(f"{url}/projects", {"name": "Bookshop"}, headers)["id"]
    tenant = ask(f"{url}/organisations", None, login)["items"][0]["id"]
    finding = fill(environment["DATABASE_URL"], UUID(tenant), UUID(project))
    hand.path, hand.headers = f"/findings/{finding}", headers
    secapi.path, secapi.headers = f"/api/v1/findings/{finding}", headers
    many = Server(
        "list",
        secapi.port,
        "",
        environment,
        folder,
        f"/api/v1/projects/{project}/findings?limit=100",
        headers,
    )
    at_once = Server("at once", hand.port, "", environment, folder, f"/at-once{hand.path}", headers)
    # The same processes, asked for something else.
    many._process, at_once._process = secapi._process, hand._process  # noqa: SLF001
    answers = [
        ask(f"http://127.0.0.1:{each.port}{each.path}", None, headers) for each in (hand, at_once, secapi)
    ]
    if any(each != answers[0] for each in answers):
        raise RuntimeError(f"what is compared is not the same: {answers}")
    for server in (hand, at_once, secapi, many):
        asyncio.run(server.send(100))
    return hand, at_once, secapi, many


def fill(database_url: str, tenant: UUID, project: UUID) -> UUID:
    """Complete a scan with the findings of an example, and return one of them."""
    command = [
        sys.executable,
        "-m",
        "fastapi_architect",
        "review",
        str(ROOT / "examples/bookshop_vulnerable"),
        "--format",
        "json",
    ]
    report = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)
    found = [Seen("", each, False) for each in report["findings"]]
    if len(found) < 100:
        raise SystemExit(f"the example has {len(found)} findings, and a list of 100 is measured")
    engine = create_engine(database_url)
    with Session(engine) as session:
        bind_worker_setting(session, "app.tenant_id", tenant)
        branch = lock_branch(session, tenant, project, "main")
        matched = match_scan(session, branch, uuid7(), datetime.now(UTC), found, Looked(frozenset({""})))
        session.commit()
    engine.dispose()
    return sorted(matched.new)[len(matched.new) // 2]


def sign_in(url: str, password: str) -> dict[str, str]:
    """Return the header of the installation's first account."""
    tokens = ask(f"{url}/auth/login", {"email": EMAIL, "password": password})
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def ask(
    url: str, body: dict[str, Any] | None, headers: dict[str, str] | None = None, *, method: str | None = None
) -> Any:
    """Send JSON (or nothing) and return JSON (or nothing)."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, sent, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def cost(server: Server, requests: int) -> float:
    """Microseconds of CPU per request."""
    before = server.cpu()
    sent = asyncio.run(server.send(requests))
    return (server.cpu() - before) / sent * 1e6


if __name__ == "__main__":
    sys.exit(main())
