"""Mail as a component."""

from collections.abc import Sequence
from uuid import UUID

from ..service import Component
from .message import Mail
from .settings import MailKind, MailSettings
from .transports import ConsoleTransport, FileTransport, MailTransport, SmtpTransport


class Mailing(Component):
    """Sends messages from workers.

    Args:
        settings: MAIL_*.
        transport: another way to send, such as the API of a provider.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)

    def __init__(self, settings: MailSettings, *, transport: MailTransport | None = None) -> None:
        self.settings = settings
        self.transport = transport or _transport(settings)

    def send(self, mail: Mail, key: UUID) -> None:
        """Send a message now: for handlers of events, never in a request.

        Args:
            mail: the message.
            key: `context.event_id`, so that a repeated delivery is the same message.

        Raises:
            PermanentFailure: it will never be accepted.
            Exception: it may work later.
        """
        self.transport.send(mail, key)


def _transport(settings: MailSettings) -> MailTransport:
    if settings.transport is MailKind.FILE:
        return FileTransport(settings.folder, settings.sender)
    if settings.transport is MailKind.CONSOLE:
        return ConsoleTransport()
    return SmtpTransport(settings)
