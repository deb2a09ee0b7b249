"""`architect scan` against SecAPI as it is served, with a worker, from the first key to the verdict."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from tests.secapi.imports.samples import codeql, log, run

from fastapi_architect.__main__ import main
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.outbox.worker import DirectWorker
from fastapi_architect.components.service import component_in
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.secapi.app import create_app
from fastapi_architect.secapi.registry import components
from fastapi_architect.secapi.serving.installation import make_administrator

SCOPES = ["projects:read", "projects:write", "scans:read", "scans:submit", "findings:read"]
VULNERABLE = """
import sqlite3

from fastapi import FastAPI

app = FastAPI()


@app.get("/books")
def books(title: str) -> list[str]:
    connection = sqlite3.connect("books.db")
    return [row[0] for row in connection.execute(f"SELECT title FROM books WHERE title = '{title}'")]
"""
REPAIRED = VULNERABLE.replace(
    "f\"SELECT title FROM books WHERE title = '{title}'\"",
    '"SELECT title FROM books WHERE title = ? LIMIT 100", [title]',
)


@contextmanager
def working() -> Iterator[None]:
    """Handle what is submitted, as a worker process does."""
    parts = components()
    outbox = component_in(parts, Outbox)
    worker = DirectWorker(outbox.runtime(parts), poll_interval=0.05)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


@pytest.fixture
def app(service_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The application without anything that a test adds."""
    for name, value in {**service_environment, "SECAPI_QUEUE": "pg"}.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    return create_app()


def signed_in(url: str, email: str, password: str) -> dict[str, str]:
    answer = httpx.post(f"{url}/api/v1/auth/login", json={"email": email, "password": password})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def key_of(url: str, *scopes: str) -> str:
    """An API key of the installation's first account."""
    email = "admin@example.com"
    password = make_administrator(email, "Acme")
    own = "four unrelated words here"
    change = {"present_password": password, "password": own}
    first = {"json": change, "headers": signed_in(url, email, str(password))}
    assert httpx.put(f"{url}/api/v1/me/password", **first).status_code == 204
    body = {"name": "ci", "scopes": scopes}
    headers = signed_in(url, email, own)
    return str(httpx.post(f"{url}/api/v1/api-keys", json=body, headers=headers).json()["key"])


def test_a_ci_job_learns_what_is_wrong_and_repeats_itself_without_a_second_scan(
    app: FastAPI,
    service_environment: Mapping[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = tmp_path / "shop"
    tree.mkdir()
    (tree / "main.py").write_text(VULNERABLE)
    with serving(app) as url, working():
        monkeypatch.setenv("ARCHITECT_SERVER", url)
        monkeypatch.setenv("ARCHITECT_TOKEN", key_of(url, *SCOPES))
        codes, outputs = [], []
        for content, commit in ((VULNERABLE, "a" * 40), (VULNERABLE, "a" * 40), (REPAIRED, "b" * 40)):
            (tree / "main.py").write_text(content)
            codes.append(main(["scan", str(tree), "--branch", "main", "--commit", commit]))
            outputs.append(capsys.readouterr())

    assert codes == [1, 1, 0], outputs
    assert "began the project shop" in outputs[0].err
    assert "CRITICAL sql-injection-raw-statement  main.py:12  (CWE-89" in outputs[0].out
    assert "the same content was submitted before" in outputs[1].err
    # What comes before is the mail about the new password.
    assert outputs[0].out.endswith(outputs[1].out)
    assert "Gate: passed" in outputs[2].out
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM scans")).scalar_one() == 2
        assert connection.execute(text("SELECT count(*) FROM uploads")).scalar_one() == 0
    owner.dispose()


def test_a_ci_job_sends_what_a_tool_found_and_no_source(
    app: FastAPI, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the sandbox, as a user meets it."""
    tree, found = tmp_path / "shop", tmp_path / "found.sarif"
    (tree / "app").mkdir(parents=True)
    absolute = codeql()
    absolute["artifacts"][0]["location"] = {"uri": (tree / "app" / "main.py").as_uri()}
    with serving(app) as url, working():
        monkeypatch.setenv("ARCHITECT_SERVER", url)
        monkeypatch.setenv("ARCHITECT_TOKEN", key_of(url, *SCOPES))
        codes, outputs = [], []
        for content in (log(absolute), log(absolute), log(run("CodeQL"))):
            found.write_text(json.dumps(content))
            codes.append(
                main(["scan", str(tree), "--sarif", str(found), "--branch", "main", "--commit", "a" * 40])
            )
            outputs.append(capsys.readouterr())
        found.write_text("# no JSON")
        no_json = main(["scan", str(tree), "--report", str(found), "--branch", "main"])

    # The last run is of another category, and so closes nothing of the first.
    assert codes == [1, 1, 1], outputs
    assert "read 1 finding of sarif:codeql:language:python" in outputs[0].err
    assert "CRITICAL py/sql-injection  app/main.py:9  (CWE-89, CVSS 8.8)" in outputs[0].out
    assert "the same content was submitted before" in outputs[1].err
    assert (no_json, "is no JSON object; name the file" in capsys.readouterr().err) == (2, True)


def test_a_key_without_the_scope_is_told_which_it_lacks(
    app: FastAPI, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text(VULNERABLE)
    with serving(app) as url:
        monkeypatch.setenv("ARCHITECT_TOKEN", key_of(url, "projects:read"))
        code = main(["scan", str(tmp_path), "--server", url, "--project", "Shop"])

    assert code == 2
    assert "give the token the scope projects:write" in capsys.readouterr().err
