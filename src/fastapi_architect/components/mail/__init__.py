"""E-mail that leaves after the commit, at least once, and shows nobody what it should not."""

from .component import Mailing
from .message import Mail, MailTemplate
from .queueing import queue_mail
from .settings import MailKind, MailSecurity, MailSettings
from .transports import ConsoleTransport, FileTransport, MailNotSent, MailTransport, SmtpTransport, compose

__all__ = [
    "ConsoleTransport",
    "FileTransport",
    "Mail",
    "MailKind",
    "MailNotSent",
    "MailSecurity",
    "MailSettings",
    "MailTemplate",
    "MailTransport",
    "Mailing",
    "SmtpTransport",
    "compose",
    "queue_mail",
]
