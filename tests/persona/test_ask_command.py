"""`architect ask` as a person runs it: real processes, a server on loopback in place of a provider's, and what arrives there."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.persona.conftest import write
from tests.persona.fake_server import FakeServer, fake_server
from tests.persona.test_checker import GOOD, N_PLUS_ONE

from fastapi_architect.__main__ import main
from fastapi_architect.persona.answer import parse, render

REVIEW = [("review", {})]
#: Everything that a model can ask for.
ALL_TOOLS = [
    ("review", {"limit": 100}),
    ("review", {"path": "app/settings.py"}),
    ("explain_rule", {"rule": "hardcoded-signing-secret"}),
    ("map_backend", {"limit": 100}),
    ("fix", {"contract_change": True}),
    ("plan_component", {"components": ["cache"]}),
]


def process(
    *arguments: str, path: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "fastapi_architect", "ask", *arguments, "--path", str(path)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def at(server: FakeServer) -> tuple[str, ...]:
    """Options that name the server."""
    return ("--base-url", server.url, "--model", "fake")


def test_a_good_conversation_passes_and_is_plain_markdown_in_a_pipe(shop: Path) -> None:
    with fake_server(REVIEW, render(GOOD)) as server:
        ran = process("review my orders", *at(server), path=shop)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert parse(ran.stdout) == GOOD
    assert "\x1b" not in ran.stdout
    [first, second] = server.requests
    assert first["messages"][-1] == {"role": "user", "content": "review my orders"}
    assert {tool["function"]["name"] for tool in first["tools"]} >= {
        "review",
        "explain_rule",
        "map_backend",
        "fix",
        "plan_component",
    }
    assert "sql-injection-raw-statement" in second["messages"][-1]["content"]


def test_an_invented_finding_is_never_passed_off_as_checked(shop: Path) -> None:
    invented = render(GOOD).replace(N_PLUS_ONE, "`app/users.py:16` idor-object-fetched-without-owner-scope")
    with fake_server(REVIEW, invented) as server:
        ran = process("review my orders", *at(server), path=shop)
    assert ran.returncode == 1
    assert ran.stdout.startswith("> **NOT CHECKED.**")
    assert "no tool reported idor-object-fetched-without-owner-scope at app/users.py:16" in ran.stdout
    assert len(server.bodies) == 4


def test_a_program_is_told_what_was_not_checked(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_server(REVIEW, render(GOOD).replace("CWE-89", "CWE-79")) as server:
        code = main(["ask", "review my orders", *at(server), "--format", "json", "--path", str(shop)])
    document = json.loads(capsys.readouterr().out)
    assert (code, document["checked"], document["wrong"][0]["promise"]) == (1, False, "ratings")
    assert document["usage"] == {"tools": ["review"], "requests": 4, "tokens": 600}


def test_a_dry_run_prints_what_would_leave_byte_for_byte_and_sends_nothing(shop: Path) -> None:
    with fake_server(REVIEW, render(GOOD)) as server:
        arguments = ("review my orders; the key is hunter2-in-env", *at(server))
        (shop / ".env").write_text("API_SECRET=hunter2-in-env\n")
        dry = process(*arguments, "--dry-run", path=shop)
        assert server.bodies == []
        process(*arguments, path=shop)
    assert dry.returncode == 0
    assert dry.stdout.encode() == server.bodies[0]
    assert f"POST {server.url}/chat/completions" in dry.stderr
    assert f"content-length: {len(server.bodies[0])}" in dry.stderr
    assert "Nothing was sent." in dry.stderr
    assert "hunter2-in-env" not in dry.stdout + dry.stderr
    assert "[hidden: API_SECRET of .env]" in dry.stdout


def test_a_dry_run_needs_no_key_and_shows_none(shop: Path) -> None:
    for name, key in (
        ("openai:gpt-5.2", "OPENAI_API_KEY"),
        ("anthropic:claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
    ):
        for value in ("", "sk-my-own-key-with-the-provider"):
            ran = process("hello", "--model", name, "--dry-run", path=shop, environment={key: value})
            assert ran.returncode == 0, ran.stderr
            assert json.loads(ran.stdout)["model"]
            assert "sk-my-own-key" not in ran.stdout + ran.stderr
            assert "(your credential)" in ran.stderr


SECRETS = {
    ".env": "DB_PASSWORD=hunter2-in-env\nOPAQUE='w<e>ird \"q\" v@lue'\n",
    "app/settings.py": (
        "import logging\nimport time\n\nimport jwt\nfrom fastapi import APIRouter\n\n"
        'SIGNING = "q8Zr1-signs-7Tb-q8Zr1"\nURL = "postgresql://shop:in-the-url-9x@db.shop.net/shop"\n'
        'STRIPE = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"\nrouter = APIRouter()\n\n\n'
        '@router.get("/wait")\nasync def wait(token: str) -> str:\n    PASSWORD = "beside-the-fix-3y"\n    time.sleep(1)\n'
        '    logging.info("%s", token)\n    return jwt.encode({}, SIGNING, algorithm="HS256") + PASSWORD\n'
    ),
    "compose.yaml": "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: in-compose-5kq\n",
}


def test_no_secret_of_the_project_arrives_in_any_request(shop: Path) -> None:
    write(shop, SECRETS)
    main_file = shop / "app/main.py"
    main_file.write_text(
        main_file.read_text() + "\nfrom app.settings import router\n\napp.include_router(router)\n"
    )
    planted = (
        "hunter2-in-env",
        "w<e>ird",
        "w\\u003ce",
        "q8Zr1",
        "in-the-url-9x",
        "sk_live_4eC",
        "beside-the-fix-3y",
        "in-compose-5kq",
    )
    request = 'use hunter2-in-env and q8Zr1-signs-7Tb-q8Zr1 and w<e>ird "q" v@lue'
    with fake_server(*([each] for each in ALL_TOOLS), render(GOOD)) as server:
        process(
            request, *at(server), path=shop, environment={"OPENAI_API_KEY": "sk-the-key-of-another-provider"}
        )
    assert len(server.bodies) >= len(ALL_TOOLS) + 1
    assert "time.sleep" in server.everything  # the patch around the secret did arrive
    assert [secret for secret in planted if secret in server.everything] == []
    assert "sk-the-key-of-another-provider" not in server.everything


def test_without_a_model_nothing_leaves_and_the_extra_is_not_needed(shop: Path, tmp_path: Path) -> None:
    """The packages of the extra are not there; whoever asks for a model is told how to get them."""
    for package in ("pydantic_ai", "openai", "anthropic", "httpx2"):
        (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('not here', name={package!r})\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    without = process("my order listing is slow", path=shop, environment={"PYTHONPATH": path})
    assert without.returncode == 0, without.stderr
    assert "n-plus-one-lazy-attribute-in-loop" in without.stdout
    withal = process("hello", "--model", "openai:gpt-5.2", path=shop, environment={"PYTHONPATH": path})
    assert withal.returncode == 2
    assert "pip install 'fastapi-architect[ask]'" in withal.stderr


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ((401, {"error": {"message": "bad key"}}), "refused the credential .* set the provider's key .* ARCHITECT_ASK_API_KEY"),
        ((429, {"error": {"message": "slow down"}}), "asked too often"),
        ((402, {"error": {"message": "no credit"}}), "nothing left"),
        ((404, {"error": {"message": "no such model", "code": "model_not_found"}}), "knows no such model .* --model provider:name"),
        ((500, {"error": {"message": "oops"}}), "answered 500"),
        (b'{"id": "x", "object": "chat.comp', "cannot be read"),
        (b"<html>Bad gateway</html>", "cannot be read"),
        (b'{"choices": []}', "cannot be read"),
    ],
)  # fmt: skip
def test_an_error_of_the_provider_names_the_next_step(
    turn: object, told: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_server(turn) as server:  # type: ignore[arg-type]
        assert main(["ask", "review my orders", *at(server), "--path", str(shop)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err

    assert re.search(told, printed.err), printed.err


def test_a_server_that_is_not_there_is_said_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    assert main(["ask", "hello", "--base-url", url, "--model", "fake", "--path", str(shop)]) == 2
    assert "cannot be reached" in capsys.readouterr().err


def test_a_server_that_never_answers_is_not_waited_for(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        assert (
            main(
                [
                    "ask",
                    "hello",
                    "--base-url",
                    url,
                    "--model",
                    "fake",
                    "--timeout",
                    "0.5",
                    "--path",
                    str(shop),
                ]
            )
            == 2
        )
    assert "raise --timeout" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["  "], "the request is empty"),
        (["x" * 5000], "more than 4000 characters"),
        (["hello", "--base-url", "http://localhost:1/v1"], "--model NAME"),
        (["hello", "--base-url", "nonsense", "--model", "x"], "that is no address"),
        (["hello", "--model", "gpt"], "name the provider, too"),
        (["hello", "--path", "/nowhere/at/all"], "is no folder"),
    ],
)
def test_what_has_no_meaning_names_the_next_step(
    arguments: list[str],
    told: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(shop)
    assert main(["ask", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_plan_is_made_by_yes_alone(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = ["ask", "add rate limiting to POST /users", "--path", str(shop)]
    assert main(request) == 0
    assert "Nothing was changed." in capsys.readouterr().err
    assert not (shop / "app/components").exists()
    assert main([*request, "--yes"]) == 0
    assert "Done: architect add rate_limiting" in capsys.readouterr().err
    assert (shop / "app/components/rate_limiting/__init__.py").is_file()


def test_yes_does_not_change_the_schema_without_a_word_of_its_own(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ["ask", "I need a queue across services", "--path", str(shop), "--yes"]
    assert main(request) == 0
    assert "it needs --allow-schema-change, too" in capsys.readouterr().err
    assert not (shop / "app/components").exists()
    assert main([*request, "--allow-schema-change", "--format", "json"]) == 0
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert change == {
        "command": "architect add outbox celery_tasks --beside",
        "needs": ["--allow-schema-change"],
        "made": True,
    }


def test_what_a_model_planned_is_not_made_when_its_answer_breaks_a_promise(shop: Path) -> None:
    plan = [("plan_component", {"components": ["rate_limiting"]})]
    with fake_server(plan, render(GOOD)) as server:  # no review was asked for: its findings are inventions
        assert main(["ask", "limit it", *at(server), "--yes", "--path", str(shop)]) == 1
    assert not (shop / "app/components").exists()


def test_a_record_is_written_where_the_project_wants_one(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "my order listing is slow", "--path", str(shop)]) == 0
    assert not (shop / "docs").exists()
    (shop / "pyproject.toml").write_text("[tool.fastapi-architect]\nrecords = true\n")
    assert main(["ask", "my order listing is slow", "--path", str(shop)]) == 0
    [record] = (shop / "docs/prompts").glob("*.md")
    assert "> my order listing is slow" in record.read_text()
    assert 'command: "ask"' in record.read_text()
    assert f"Recorded in docs/prompts/{record.name}." in capsys.readouterr().err


def test_a_configuration_without_meaning_is_the_users_to_mend(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "pyproject.toml").write_text("[tool.fastapi-architect]\ngate = 'none of these'\n")
    assert main(["ask", "review my orders", "--path", str(shop)]) == 2
    assert "gate" in capsys.readouterr().err


def on_a_terminal(shop: Path, *arguments: str, answer: str) -> tuple[int, str]:
    """Exit code, and what stands on the terminal, when a question is answered."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "fastapi_architect", "ask", *arguments, "--path", str(shop)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    said, answered = b"", False
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
            if not answered and b"[y/N] " in said:
                os.write(ours, answer.encode() + b"\n")
                answered = True
    except OSError:
        pass  # a terminal whose last process is gone reads as an error on Linux, as an end elsewhere
    finally:
        os.close(ours)
    return child.wait(60), said.decode()


@pytest.mark.parametrize(("answer", "made"), [("n", False), ("", False), ("y", True)])
def test_a_person_is_asked_before_a_plan_is_made(answer: str, made: bool, shop: Path) -> None:
    code, said = on_a_terminal(shop, "add rate limiting to POST /users", answer=answer)
    assert code == 0, said
    assert "Run `architect add rate_limiting`? [y/N]" in said
    assert "\x1b[" in said  # a terminal gets it rendered
    assert "## Context" not in said
    assert (shop / "app/components").exists() is made


def test_what_a_project_is_called_does_not_steer_the_terminal(shop: Path) -> None:
    (shop / "app/products.py").write_text(
        (shop / "app/products.py").read_text()
        + '\n\n@router.get("/x\x1b]0;owned\x07\x1b[2J")\ndef a() -> str:\n    return ""\n'
    )
    ran = process("which routes are public?", path=shop)
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stdout
    assert "\\x1b]0;owned" in ran.stdout
