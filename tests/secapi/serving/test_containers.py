"""The containers of SecAPI: what they may do, what they know, and that their commands run apart on one database."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from sqlalchemy import create_engine, make_url, text

from fastapi_architect.secapi.serve import PROCESSES, TASKS, parser, run

FOLDER = Path(__file__).parents[3] / "deploy" / "secapi"
OURS = ("prepare", "migrate", "api", "worker", "worker-for-short-work", "relay")
#: Seconds that a loaded machine may need to start three processes.
PATIENCE = 180
SERVE = [sys.executable, "-m", "fastapi_architect", "serve"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile, in order."""
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", (FOLDER / "Dockerfile").read_text("utf-8")))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines.splitlines() if line)]


def test_the_image_runs_as_nobody_and_brings_no_secret_along(instructions: list[tuple[str, str]]) -> None:
    last = [i for i, (word, _) in enumerate(instructions) if word == "FROM"][-1]
    final = dict(instructions[last:])
    assert re.fullmatch(r"[1-9]\d*", final["USER"])
    assert all(":" in rest for word, rest in instructions if word == "FROM")
    assert not any(word in ("ADD", "ARG") for word, _ in instructions)
    assert (final["ENTRYPOINT"], final["CMD"]) == ('["architect", "serve"]', '["api"]')
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").split()
    # Everything is left out but what is named: a `.env` beside the sources never reaches the image.
    assert ignored[0] == "*"
    copied = {
        name
        for word, rest in instructions
        if word == "COPY" and "--from" not in rest
        for name in rest.split()[:-1]
    }
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((FOLDER.parents[1] / name).exists() for name in copied)


def test_every_process_of_ours_is_locked_in(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not {"privileged", "cap_add", "network_mode", "pid", "user"} & set(service), name
        for mount in service.get("volumes", ()):
            assert not mount.startswith(("/", ".")), name
    published = {name for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api"}
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["api"]["ports"])
    for name in ("api", "postgresql", "redis"):
        assert compose["services"][name]["healthcheck"]["test"], name


def test_who_knows_which_secret(compose: dict[str, Any]) -> None:
    known = {name: set(service.get("secrets", ())) for name, service in compose["services"].items()}
    # The role that owns the tables could go around row-level security: whatever answers requests never knows it.
    for name in ("api", "worker", "worker-for-short-work", "relay"):
        assert not known[name] & {"superuser_url", "database_owner_url", "postgres_password"}
    assert known["migrate"] == {"database_owner_url"}
    assert set().union(*known.values()) == set(compose["secrets"])
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    assert not re.search(r"(?i)(password|key|secret|token)\s*:\s*[\"']?[A-Za-z0-9]{6,}", text)
    assert "://postgres:" not in text


def test_every_command_is_one_of_ours(compose: dict[str, Any]) -> None:
    for name in OURS:
        given = parser().parse_args(compose["services"][name]["command"])
        assert given.process in (*PROCESSES, *TASKS), name


def test_secrets_are_random_closed_and_never_made_twice(tmp_path: Path, compose: dict[str, Any]) -> None:
    def make(folder: Path) -> subprocess.CompletedProcess[str]:
        command = [str(FOLDER / "make_secrets.sh"), str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    one, two = tmp_path / "one", tmp_path / "two"
    assert make(one).returncode == make(two).returncode == 0
    assert make(one).returncode == 2
    files = {each.name: each.read_text() for each in one.iterdir()}
    assert set(files) == set(compose["secrets"])
    assert stat.S_IMODE(one.stat().st_mode) == 0o700
    for name, content in files.items():
        if name != "mail_password":
            assert len(content) >= 64
            assert content != (two / name).read_text()
    assert make_url(files["database_url"]).username == "secapi_app"


def test_a_missing_setting_is_the_operators_to_mend(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SUPERUSER_URL", "DATABASE_OWNER_URL", "DATABASE_URL", "SECRETS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ENV_FILE", "")
    for task, named in (
        ("prepare-database", "SUPERUSER_URL is missing; DATABASE_OWNER_URL is missing"),
        ("worker", "_"),
    ):
        with pytest.raises(SystemExit) as ended:
            run([task])
        assert ended.value.code == 2
        assert named in (said := capsys.readouterr().err)
        assert "SECRETS_DIRECTORY" in said


@contextmanager
def process(name: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of a container until the block ends."""
    running = subprocess.Popen([*SERVE, *name.split()], env=dict(environment))
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait(30)


@pytest.mark.matrix
def test_the_commands_of_the_containers_run_apart_with_secrets_from_files(
    empty_database_url: str, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    superuser = make_url(empty_database_url)
    secrets = tmp_path / "secrets"
    subprocess.run([str(FOLDER / "make_secrets.sh"), str(secrets)], check=True)
    # As in the containers, where the database has another address.
    environment = {
        name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")
    }
    environment |= {
        "ENV_FILE": "", "SECRETS_DIRECTORY": str(secrets), "SERVE_PORT": "18733", "SERVE_DRAIN_SECONDS": "0",
        "REDIS_URL": redis_url, "CELERY_BROKER_URL": redis_url.removesuffix("/0") + "/1",
        "MAIL_SENDER": "secapi@example.com",
        "ACCOUNTS_WEBSITE_URL": "https://secapi.example.com", "HTTP_ALLOWED_HOSTS": "secapi.example.com",
    }  # fmt: skip
    # The database is not there yet, as on the first start.
    new = f"secapi_{uuid4().hex}"
    at = {"host": superuser.host, "port": superuser.port, "query": superuser.query}
    roles: dict[str, dict[str, Any]] = {
        "superuser_url": {"username": superuser.username, "password": superuser.password, "database": superuser.database},
        "database_owner_url": {"database": new},
        "database_url": {"database": new},
    }  # fmt: skip
    for name, changes in roles.items():
        file = secrets / name
        there = make_url(file.read_text()).set(**at, **changes)
        file.chmod(0o600)
        file.write_text(there.render_as_string(hide_password=False))
    request.addfinalizer(partial(drop, empty_database_url, new))
    for task in ("prepare-database", "migrate"):
        subprocess.run([*SERVE, task], env=environment, check=True)

    with (
        process("api", environment) as api,
        process("worker", environment) as worker,
        process("relay", environment) as relay,
    ):
        deadline = time.monotonic() + PATIENCE
        while not answers("http://127.0.0.1:18733/health/ready"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert [each.poll() for each in (api, worker, relay)] == [None, None, None]
        for each in (api, worker, relay):
            each.send_signal(signal.SIGTERM)
        assert [each.wait(60) for each in (api, worker, relay)] == [0, 0, 0]


def drop(superuser_url: str, database: str) -> None:
    engine = create_engine(superuser_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
    engine.dispose()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
