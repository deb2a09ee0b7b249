"""Ways to send a message: to an SMTP server, into a folder, onto the screen."""

import smtplib
import ssl
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from uuid import UUID

from ..outbox import PermanentFailure, RetryLater
from .message import Mail
from .settings import MailSecurity, MailSettings


class MailNotSent(RetryLater):
    """It did not work this time."""


class MailTransport(Protocol):
    """A way to send messages; a project may bring its own, such as the API of a provider."""

    def send(self, mail: Mail, key: UUID) -> None:
        """Send one message.

        Args:
            mail: the message.
            key: the same each time the message is sent again: an idempotency key, or part of its Message-ID.

        Raises:
            PermanentFailure: this message will never be accepted.
            Exception: it may work later.
        """


class SmtpTransport:
    """Speaks to an SMTP server, in bounded time and over TLS."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    def send(self, mail: Mail, key: UUID) -> None:
        """Send one message over a connection of its own."""
        message = compose(mail, self._settings.sender, key)
        try:
            with self._connect() as server:
                self._log_in(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            raise _refused(code) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refused(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"the SMTP server did not take it: {type(error).__name__}") from error

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        where = (settings.smtp_host, settings.smtp_port)
        if settings.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(*where, timeout=settings.timeout, context=ssl.create_default_context())
        server = smtplib.SMTP(*where, timeout=settings.timeout)
        if settings.security is MailSecurity.STARTTLS:
            try:
                # Raises where the server, or somebody between, does not offer it: nothing is sent in the clear.
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self._settings.username:
            server.login(self._settings.username, self._settings.password.get_secret_value())


class FileTransport:
    """Writes messages into a folder, each as a file that a mail program opens. For development and tests."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail, key: UUID) -> None:
        """Write one message; the same one again replaces its file."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / f"{key}.eml"
        file.touch(mode=0o600)
        file.write_bytes(compose(mail, self._sender, key).as_bytes())


class ConsoleTransport:
    """Prints messages. For development."""

    def send(self, mail: Mail, key: UUID) -> None:
        """Print one message, in one write, so that those of two workers do not mingle."""
        sys.stdout.write(f"\n--- mail to {mail.to}: {mail.subject}\n{mail.text}\n---\n")
        sys.stdout.flush()


def compose(mail: Mail, sender: str, key: UUID) -> EmailMessage:
    """Return the message with its headers; sent again, it has the same Message-ID, by which receivers know it."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{key}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    # No answer of an absent person is wanted, which might go round in circles.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    return message


def _refused(code: int) -> Exception:
    # The server's words may repeat the address; they belong neither into a table nor into a log.
    if 500 <= code < 600:
        return PermanentFailure(f"the SMTP server refused it for good ({code})")
    return MailNotSent(f"the SMTP server asked to try again later ({code})")
