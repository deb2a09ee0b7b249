"""Putting a message on its way from a request."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ..outbox import add_event
from .message import Mail, as_payload

TOPIC = "mail.send"


def queue_mail(session: AsyncSession | Session, mail: Mail) -> UUID:
    """Send a message after the commit of the caller, at least once; a rollback takes it back.

    It lies in the outbox until it is sent. A message with a token in it is not for here: add an event, and let the handler
    of that event make the token and send the message (`context.component(Mailing).send`).
    """
    return add_event(session, TOPIC, as_payload(mail))
