"""The worker's side: messages leave here."""

from typing import Any

from ..outbox import HandlerContext, Retries, handles
from .component import Mailing
from .message import Mail
from .queueing import TOPIC


@handles(TOPIC, retries=Retries(attempts=10, first=10, longest=7200))
def send_mail(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Send a message that a request put into the outbox. No transaction is open while the server answers."""
    context.component(Mailing).send(Mail(**payload), context.event_id)
