"""Who writes, and by which way."""

from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from ..problem_details import InvalidInput
from ..service import ComponentSettings, Environment
from .message import check_address


class MailKind(StrEnum):
    """Ways to send that come with the component."""

    CONSOLE = "console"
    FILE = "file"
    SMTP = "smtp"


class MailSecurity(StrEnum):
    """How the connection to the SMTP server is encrypted."""

    #: From the first byte, usually port 465.
    TLS = "tls"
    #: Upgraded before anything is said, usually port 587; refused where the server does not offer it.
    STARTTLS = "starttls"
    #: Not at all: only for development.
    NONE = "none"


def _require_sender(value: str) -> str:
    if not value.isprintable():
        raise ValueError("is one line")
    try:
        check_address(parseaddr(value)[1])
    except InvalidInput:
        raise ValueError("is an address, such as Shop <no-reply@shop.example>") from None
    return value


def _transport_of_environment(data: dict[str, Any]) -> MailKind:
    return MailKind.CONSOLE if data.get("environment") is Environment.LOCAL else MailKind.SMTP


class MailSettings(ComponentSettings):
    """MAIL_*: who writes, and by which way."""

    model_config = SettingsConfigDict(env_prefix="MAIL_")

    #: `Shop <no-reply@shop.example>`.
    sender: Annotated[str, AfterValidator(_require_sender)]
    #: Left out, mails are printed on a developer's machine and sent everywhere else.
    transport: MailKind = Field(default_factory=_transport_of_environment)
    folder: Path = Path("mails")
    smtp_host: str = "localhost"
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: MailSecurity = MailSecurity.STARTTLS
    username: str = ""
    password: SecretStr = SecretStr("")
    #: Seconds for each answer of the server.
    timeout: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def nothing_leaks(self) -> Self:
        """Refuse, outside of development, what shows messages or passwords: a reset link is as good as a password."""
        if self.is_local:
            return self
        if self.transport is not MailKind.SMTP:
            raise ValueError("MAIL_TRANSPORT is smtp outside of local development")
        if self.security is MailSecurity.NONE:
            raise ValueError("MAIL_SECURITY is tls or starttls outside of local development")
        return self
