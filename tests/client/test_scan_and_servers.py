"""`architect scan` against servers that refuse, fail, vanish or are something else: one clear sentence, and never a second scan."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.client.server import SCAN, Server, cut, listening, problem, times

from fastapi_architect.__main__ import main
from fastapi_architect.client import transport, waiting

TOKEN = "app_0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Server]:
    with listening() as made:
        yield made


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting; what a command would take from the machine that runs the tests is taken away."""
    unhurried = SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=lambda _: None)
    monkeypatch.setattr(transport, "time", unhurried)
    monkeypatch.setattr(waiting, "time", unhurried)
    for name in (
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "ARCHITECT_SERVER",
        "ARCHITECT_ORGANISATION",
        "SSL_CERT_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ARCHITECT_TOKEN", TOKEN)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text("x = 1\n")
    return folder


def url(server: Server, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.server_address[1]}"


def scan(server: Server, tree: Path, *more: str) -> int:
    return main(["scan", str(tree), "--server", url(server), *more])


def test_what_is_new_to_the_server_is_sent_once_and_the_verdict_is_the_exit_code(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(server, tree) == 0
    assert "Gate: passed" in capsys.readouterr().out
    server.passed = False

    assert scan(server, tree) == 1
    out = capsys.readouterr().out
    assert "Gate: failed by 3 findings (important and worse): 3 critical" in out
    assert "CRITICAL sql-injection-raw-statement  app/books.py:12  (CWE-89, CVSS 9.8)" in out
    assert "and 2 more" in out
    assert [each.partition(" ")[0] for each in server.asked].count("PUT") == 1
    keys = [headers["Idempotency-Key"] for method, _, headers, _ in server.requests if method == "POST"]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert TOKEN not in keys[0]


def test_a_server_that_is_too_busy_or_cuts_the_answer_is_asked_again(server: Server, tree: Path) -> None:
    busy = problem("Wait.")
    server.faults += [
        times(2, "GET", "/projects", lambda it: it.answer(503, busy, retry_after="1")),
        times(
            1, "POST", "/scans", lambda it: it.answer(429, busy, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
        ),
        times(1, "POST", "/scans", cut),
        times(1, "PUT", "", cut),
        times(1, "POST", "/scans", lambda it: it.answer(409, busy, retry_after="1")),
        times(1, "GET", "/gate", cut),
    ]

    assert scan(server, tree) == 0
    assert len({path for method, path, _, _ in server.requests if method == "PUT"}) == 1


def test_an_upload_whose_answer_was_lost_is_not_refused_the_second_time(server: Server, tree: Path) -> None:
    def taken_and_cut(handler: object) -> None:
        server.uploaded.add(handler.path.partition("?")[0])  # type: ignore[attr-defined]
        cut(handler)  # type: ignore[arg-type]

    server.faults.append(times(1, "PUT", "", taken_and_cut))

    assert scan(server, tree) == 0
    assert [each.partition(" ")[0] for each in server.asked].count("PUT") == 2


def test_a_server_that_stays_away_ends_the_wait(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "OUTAGE_SECONDS", 0.0)
    server.faults.append(times(1000, "GET", "/projects", lambda it: it.answer(503, problem("Full."))))

    assert scan(server, tree) == 3
    assert "answers 503: Full" in (said := capsys.readouterr().err)
    assert "run the same command again: nothing is scanned twice" in said


@pytest.mark.parametrize(
    ("status", "ending", "code", "named"),
    [
        (401, "/projects", 2, "ARCHITECT_TOKEN"),
        (403, "/projects", 2, "projects:read, scans:read, scans:submit and findings:read"),
        (403, "/scans", 2, "may not submit scans"),
        (422, "/scans", 2, "refuses to submit scans: No."),
        (418, "/scans", 3, "answers 418"),
    ],
)
def test_a_refusal_says_what_to_do(
    status: int,
    ending: str,
    code: int,
    named: str,
    server: Server,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    method = "GET" if ending == "/projects" else "POST"
    server.faults.append(times(9, method, ending, lambda it: it.answer(status, problem("No."))))

    assert scan(server, tree) == code
    said = capsys.readouterr().err
    assert named.rstrip(".") in said
    assert TOKEN not in said


def test_a_missing_project_that_nobody_may_begin_is_said_so(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.append(times(9, "POST", "/projects", lambda it: it.answer(403, problem("No."))))

    assert scan(server, tree, "--project", "other") == 2
    assert "give the token the scope projects:write" in capsys.readouterr().err


def test_a_project_that_somebody_else_begins_at_the_same_time_is_taken(server: Server, tree: Path) -> None:
    nobody = {"items": [], "next_cursor": None}
    server.faults += [
        times(1, "GET", "/projects", lambda it: it.answer(200, nobody)),
        times(1, "POST", "/projects", lambda it: it.answer(409, problem("There is one."))),
    ]

    assert scan(server, tree) == 0


@pytest.mark.parametrize(
    ("content", "kind", "named"),
    [
        (b"<html>Welcome</html>", "text/html", "answers no JSON"),
        (b'{"projects": []}', "application/json", "of another version than this client"),
        (b"\xff\xfe", "application/json", "another shape"),
    ],
)
def test_another_service_or_version_is_recognised(
    content: bytes, kind: str, named: str, server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.append(times(9, "GET", "/projects", lambda it: it.answer(200, content, content_type=kind)))

    assert scan(server, tree) == 3
    assert named in capsys.readouterr().err


def test_the_token_is_not_carried_on_to_where_a_server_sends_us(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as elsewhere:
        there = url(elsewhere)
        server.faults.append(times(9, "GET", "/projects", lambda it: it.answer(302, {}, location=there)))

        assert scan(server, tree) == 3
        assert elsewhere.requests == []
    assert there in capsys.readouterr().err


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_is_named_is_taken(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with listening(certificate) as server:
        arguments = ["scan", str(tree), "--server", url(server, "https")]
        assert main(arguments) == 3
        assert server.requests == []
        assert "SSL_CERT_FILE" in capsys.readouterr().err
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert main(arguments) == 0


def test_a_server_without_tls_behind_https_is_said_so(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", str(tree), "--server", url(server, "https")]) == 3
    assert "does it listen on http://?" in capsys.readouterr().err


@pytest.mark.parametrize("state", ["failed", "dead", "cancelled"])
def test_a_scan_without_result_is_no_passed_gate(
    state: str, server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.state, server.error = state, "The archive \x1b[2Jis empty."

    assert scan(server, tree) == 3
    said = capsys.readouterr().err
    assert f"the scan {SCAN} is {state} (archive-empty): The archive" in said
    assert "\x1b" not in said


def test_a_scan_that_takes_too_long_is_not_waited_for_for_ever(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.state = "running"
    clock = map(float, itertools.count())
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))

    assert scan(server, tree, "--timeout", "5") == 3
    assert "is still running after 5 s" in capsys.readouterr().err


def test_who_does_not_wait_learns_where_to_look(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.state = "queued"

    assert scan(server, tree, "--no-wait", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["gate"] is None
    assert not any(each.endswith("/gate") for each in server.asked)


def test_the_same_content_is_scanned_anew_only_when_asked_for_or_cancelled(
    server: Server, tree: Path
) -> None:
    def keys() -> list[str]:
        return [
            h["Idempotency-Key"] for m, p, h, _ in server.requests if m == "POST" and p.endswith("/scans")
        ]

    scan(server, tree)
    scan(server, tree, "--again")
    known = set(keys())
    assert len(known) == 2
    server.state = "cancelled"
    kept = {"id": SCAN, "project_id": "x", "state": "queued", "branch": "main"}
    server.faults.append(
        times(1, "POST", "/scans", lambda it: it.answer(202, kept, idempotency_replayed="true"))
    )
    scan(server, tree)
    assert len(set(keys()) - known) == 1


def test_the_verdict_is_on_what_was_submitted_even_when_the_branch_was_scanned_again(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = server.gate() | {"passed": True, "scan_id": "newer", "counts": {}}
    server.passed = False
    server.faults.append(times(9, "GET", "/gate", lambda it: it.answer(200, failed)))

    assert scan(server, tree, "--commit", "2f5a5ac") == 1
    assert "the branch was scanned again since (newer)" in capsys.readouterr().out


def test_content_without_a_commit_that_comes_back_is_scanned_again(server: Server, tree: Path) -> None:
    scan(server, tree)
    server.newest = "another"
    kept = server.behave("GET", f"/api/v1/scans/{SCAN}")[1]
    server.faults.append(
        times(1, "POST", "/scans", lambda it: it.answer(202, kept, idempotency_replayed="true"))
    )

    scan(server, tree)

    posts = [h["Idempotency-Key"] for m, _, h, _ in server.requests if m == "POST"]
    assert posts[-1] not in posts[:-1]


def test_annotations_of_github_hold_no_command_of_the_archive(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.passed = False
    evil = server.gate() | {"findings": [server.gate()["findings"][0] | {"file": "a,b\n::warning::x.py"}]}
    monkeypatch.setattr(server, "gate", lambda: evil)

    assert scan(server, tree, "--format", "github") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error file=a%2Cb%0A%3A%3Awarning%3A%3Ax.py,line=12,")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--server", "http://secapi.example.com"), "--allow-http"),
        (("--server", "secapi.example.com"), "https://secapi.example.com"),
        (("--server", "https://me:secret@secapi.example.com"), "the token comes from the environment"),
        (("--server", ""), "ARCHITECT_SERVER"),
        (("--token-file", "missing"), "name the file that holds the token"),
        (("--timeout", "forever"), "seconds"),
        (("--findings", "0"), "from 1 to 100"),
        (("--project", "a\nb\x00"), "--project"),
        (("--token", "app_secret123"), "there is no option --token"),
    ],
)
def test_clumsy_use_is_answered_before_anything_is_sent(
    arguments: tuple[str, ...], named: str, server: Server, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = list(arguments) if "--server" in arguments else ["--server", url(server), *arguments]

    assert main(["scan", str(tree), *given]) == 2
    assert named in capsys.readouterr().err
    assert server.requests == []


def test_without_a_token_nothing_is_sent(
    server: Server, tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in ("", " \n"):
        monkeypatch.setenv("ARCHITECT_TOKEN", token)
        assert scan(server, tree) == 2
        assert "make an API key" in capsys.readouterr().err
    assert server.requests == []


def self_signed(folder: Path) -> Path:
    """A certificate of 127.0.0.1 and its key, in one file."""
    import ipaddress
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
