"""A message leaves once its cause is committed, to one person, over an encrypted connection, in bounded time."""

import email
import email.policy
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from sqlalchemy import select
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Database
from fastapi_architect.components.mail import (
    ConsoleTransport,
    FileTransport,
    Mail,
    Mailing,
    MailKind,
    MailNotSent,
    MailSecurity,
    MailSettings,
    MailTemplate,
    SmtpTransport,
    compose,
    queue_mail,
)
from fastapi_architect.components.mail.tests.example import WELCOME, create_app
from fastapi_architect.components.mail.tests.smtp_server import SmtpServer, smtp_server
from fastapi_architect.components.outbox import (
    EventState,
    Outbox,
    OutboxEvent,
    OutboxSettings,
    Outcome,
    PermanentFailure,
    Runtime,
)
from fastapi_architect.components.service import Environment

LOCAL = Environment.LOCAL
SENDER = "Shop <no-reply@shop.example>"
MAIL = Mail("ann@people.example", "Hello", "How are you?")


class Post:
    """A transport of this test's own, as a project brings one for its provider."""

    def __init__(self) -> None:
        self.sent: list[tuple[Mail, UUID]] = []
        self.trouble: list[Exception] = []

    def send(self, mail: Mail, key: UUID) -> None:
        if self.trouble:
            raise self.trouble.pop()
        self.sent.append((mail, key))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def mailing(post: Post) -> Mailing:
    return Mailing(MailSettings(sender=SENDER, environment=LOCAL), transport=post)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(OutboxSettings(environment=LOCAL))


@pytest.fixture
def runtime(database: Database, outbox: Outbox, mailing: Mailing) -> Iterator[Runtime]:
    yield outbox.runtime([database, outbox, mailing])
    database.sync_engine.dispose()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


def smtp(port: int, **more: Any) -> SmtpTransport:
    settings: dict[str, Any] = {"security": MailSecurity.NONE, "timeout": 1.0} | more
    return SmtpTransport(
        MailSettings(sender=SENDER, environment=LOCAL, smtp_host="127.0.0.1", smtp_port=port, **settings)
    )


def test_a_request_writes_and_a_worker_sends(
    database: Database, outbox: Outbox, mailing: Mailing, runtime: Runtime, post: Post
) -> None:
    with TestClient(create_app(database, outbox, mailing)) as client:
        answer = client.post("/welcomes", params={"to": "ann@people.example", "name": "Ann"})
    assert answer.status_code == 202
    assert post.sent == []

    assert runtime.handle_next() is Outcome.DONE

    [(mail, key)] = post.sent
    assert (mail.to, mail.subject) == ("ann@people.example", "Welcome, Ann")
    with runtime.sessions() as session:
        event = session.scalars(select(OutboxEvent)).one()
        assert (event.id, event.state, event.payload) == (key, EventState.DONE, {}), "nothing of it is kept"


@pytest.mark.parametrize(
    ("to", "name"),
    [
        ("ann@people.example", "Ann\r\nBcc: everybody@people.example"),
        ("ann@people.example", "Ann\nX: y"),
        ("ann@people.example", "Ann\x00"),
        ("ann@people.example", "Ann\u2028next"),
        ("ann@people.example\r\nBcc: everybody@people.example", "Ann"),
        ("ann@people.example, everybody@people.example", "Ann"),
        ("Ann <ann@people.example>", "Ann"),
        ("nobody", "Ann"),
    ],
)
def test_a_request_cannot_write_headers_or_add_recipients(
    database: Database, outbox: Outbox, mailing: Mailing, runtime: Runtime, to: str, name: str
) -> None:
    with TestClient(create_app(database, outbox, mailing)) as client:
        assert client.post("/welcomes", params={"to": to, "name": name}).status_code == 422

    assert runtime.handle_next() is None


def test_what_is_filled_into_html_is_escaped() -> None:
    mail = WELCOME.render("ann@people.example", name="<img src=x onerror='alert(1)'>\"")

    assert mail.html == (
        "<p>Hello &lt;img src=x onerror=&#x27;alert(1)&#x27;&gt;&quot;, nice to have you here.</p>"
    )
    assert "<img" in mail.text


def test_a_value_cannot_name_another_value() -> None:
    template = MailTemplate("Hello", "Dear $name, it costs $$5: $secret")

    mail = template.render("ann@people.example", name="$secret ${secret} {secret}", secret="s3cret")

    assert mail.text == "Dear $secret ${secret} {secret}, it costs $5: s3cret"
    with pytest.raises(KeyError):
        template.render("ann@people.example", name="Ann")


def test_a_server_that_asks_to_wait_is_asked_again_and_one_that_refuses_is_not(
    runtime: Runtime, post: Post
) -> None:
    post.trouble = [PermanentFailure("no such person"), MailNotSent("busy")]
    ids = []
    for _ in range(2):
        with runtime.sessions.begin() as session:
            ids.append(queue_mail(session, MAIL))

    assert [runtime.handle(event_id) for event_id in ids] == [Outcome.RETRYING, Outcome.DEAD]


def test_smtp_delivers(server: SmtpServer) -> None:
    key = uuid7()
    smtp(server.port).send(Mail("ann@people.example", "Grüße", "How are you?\n.\nBye", "<p>Hi</p>"), key)

    message = email.message_from_string(server.messages[0], policy=email.policy.default)
    assert message["To"] == "ann@people.example"
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == f"<{key}@shop.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert server.recipients == ["rcpt TO:<ann@people.example>"]


@pytest.mark.parametrize(("to", "expected"), [("nobody", PermanentFailure), ("busy", MailNotSent)])
def test_smtp_tells_for_good_from_for_now(server: SmtpServer, to: str, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised:
        smtp(server.port).send(Mail(f"{to}@people.example", "Hello", "How are you?"), uuid7())

    assert "people.example" not in str(raised.value), "the reason is stored, and names nobody"


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
@pytest.mark.parametrize("username", ["shop", ""])
def test_smtp_without_encryption_is_not_used_where_encryption_was_asked_for(
    server: SmtpServer, security: MailSecurity, username: str
) -> None:
    """Somebody between may strip STARTTLS from the answer of the server."""
    with pytest.raises(MailNotSent):
        smtp(server.port, security=security, username=username, password=SecretStr("p")).send(MAIL, uuid7())

    assert (server.messages, server.passwords) == ([], [])


def test_smtp_signs_in_where_it_has_a_name(server: SmtpServer) -> None:
    smtp(server.port, username="shop", password=SecretStr("p")).send(MAIL, uuid7())

    assert len(server.passwords) == len(server.messages) == 1


def test_an_smtp_server_that_never_answers_costs_its_timeout_and_no_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(MailNotSent):
            smtp(silent.getsockname()[1], timeout=0.5).send(MAIL, uuid7())
        assert time.monotonic() - began < 3


def test_an_smtp_server_that_is_down_is_a_failure_for_now() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(MailNotSent):
        smtp(port).send(MAIL, uuid7())


def test_a_folder_takes_messages_that_only_their_owner_reads(tmp_path: Path) -> None:
    key = uuid7()
    transport = FileTransport(tmp_path / "mails", SENDER)
    transport.send(MAIL, key)
    transport.send(MAIL, key)

    [file] = (tmp_path / "mails").iterdir()
    assert "How are you?" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_the_console_shows_messages(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleTransport().send(MAIL, uuid7())

    assert "mail to ann@people.example: Hello\nHow are you?" in capsys.readouterr().out


def test_what_shows_messages_or_passwords_is_refused_outside_of_development() -> None:
    production = Environment.PRODUCTION
    for wrong in (
        {"transport": MailKind.CONSOLE},
        {"transport": MailKind.FILE},
        {"security": MailSecurity.NONE},
    ):
        with pytest.raises(ValidationError):
            MailSettings(sender=SENDER, environment=production, **wrong)
    MailSettings(sender=SENDER, environment=production, security=MailSecurity.TLS)


@pytest.mark.parametrize("sender", ["Shop", "Shop <no-reply@shop.example>\nBcc: a@b.example", ""])
def test_a_sender_is_one_address_on_one_line(sender: str) -> None:
    with pytest.raises(ValidationError):
        MailSettings(sender=sender, environment=LOCAL)


def test_a_message_has_the_same_identifier_each_time() -> None:
    key = uuid7()

    assert compose(MAIL, SENDER, key)["Message-ID"] == compose(MAIL, SENDER, key)["Message-ID"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [(Environment.LOCAL, MailKind.CONSOLE), (Environment.PRODUCTION, MailKind.SMTP)],
)
def test_mails_are_printed_for_developers_and_sent_everywhere_else(
    environment: Environment, expected: MailKind
) -> None:
    assert MailSettings(sender="shop@example.com", environment=environment).transport is expected
