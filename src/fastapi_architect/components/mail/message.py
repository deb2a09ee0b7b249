"""One message to one person, and its templates."""

import html
from dataclasses import dataclass
from string import Template
from typing import Any

from email_validator import EmailNotValidError, validate_email

from ..problem_details import InvalidInput

MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person.

    Raises:
        InvalidInput: the recipient is not one address, or a header would hold more than one line.
    """

    to: str
    subject: str
    text: str
    html: str | None = None

    def __post_init__(self) -> None:
        check_address(self.to)
        # A line break in a header begins the next one: `Bcc:` and whoever the attacker likes.
        if not self.subject or not self.subject.isprintable() or len(self.subject) > MAX_SUBJECT:
            raise InvalidInput(f"A subject is one line of at most {MAX_SUBJECT} characters.")


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """The words of a message, with `$name` where something is filled in.

    What is filled into the HTML is escaped; into an attribute only between quotes, and an address only after a scheme
    that stands in the template. `$$` is a dollar sign.
    """

    subject: str
    text: str
    html: str | None = None

    def render(self, to: str, **values: object) -> Mail:
        """Return the message to one person.

        Raises:
            KeyError: the template names a value that was not given.
            InvalidInput: the subject would be more than one line, or the recipient is not one address.
        """
        escaped = {name: html.escape(str(value), quote=True) for name, value in values.items()}
        return Mail(
            to,
            Template(self.subject).substitute(values),
            Template(self.text).substitute(values),
            None if self.html is None else Template(self.html).substitute(escaped),
        )


def check_address(address: str) -> str:
    """Return the address, if it is exactly one.

    Raises:
        InvalidInput: it is not.
    """
    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False)
    except EmailNotValidError:
        raise InvalidInput("That is not an e-mail address.") from None
    return address


def as_payload(mail: Mail) -> dict[str, Any]:
    """Return the message as it lies in the outbox."""
    return {"to": mail.to, "subject": mail.subject, "text": mail.text, "html": mail.html}
