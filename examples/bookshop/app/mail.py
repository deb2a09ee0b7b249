"""E-mails, sent by workers only."""

from dataclasses import dataclass

import httpx


class MailServiceUnavailable(Exception):
    """The mail service is down or overloaded: try again later."""


@dataclass(frozen=True)
class Mail:
    """One message to one person."""

    recipient: str
    subject: str
    body: str


def send_mail(client: httpx.Client, sender: str, mail: Mail, idempotency_key: str) -> None:
    """Hand a message to the mail service.

    Args:
        client: bound to the service, with credentials and a timeout.
        sender: the address of the shop.
        mail: the message.
        idempotency_key: the service sends only one message for a key, however often it is asked.

    Raises:
        MailServiceUnavailable: it may work later.
        httpx.HTTPStatusError: the service refuses this message for good.
    """
    message = {"from": sender, "to": mail.recipient, "subject": mail.subject, "text": mail.body}
    try:
        response = client.post("/messages", json=message, headers={"Idempotency-Key": idempotency_key})
    except httpx.TransportError as error:
        raise MailServiceUnavailable from error
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise MailServiceUnavailable
    response.raise_for_status()
