"""Mail to readers."""

import logging
import smtplib
from email.message import EmailMessage

from sqlalchemy.orm import Session

from app.core.config import settings
from app.models import Order, User

logger = logging.getLogger(__name__)


def deliver(recipient: str, subject: str, body: str) -> None:
    """Hand one message to the mail server."""
    message = EmailMessage()
    message["From"] = settings.mail_sender
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(body)
    with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.mail_timeout_seconds) as server:
        server.send_message(message)


def send_invoice(session: Session, order_id: int) -> None:
    """Send the invoice of an order to the reader who placed it."""
    order = session.get(Order, order_id)
    if order is None:
        logger.error("no order %s to send an invoice for", order_id)
        return
    user = session.get(User, order.user_id)
    if user is None:
        logger.error("no reader to send the invoice of order %s to", order_id)
        return
    try:
        deliver(user.email, f"Invoice {order.number}", f"Please pay {order.total} {order.currency}.")
    except OSError:
        logger.exception("the invoice of order %s was not sent", order_id)
