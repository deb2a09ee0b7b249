"""What follows an order, outside of its request."""

from uuid import UUID

from celery import shared_task
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.mail import Mail, MailServiceUnavailable, send_mail
from app.order_updates.schemas import OrderUpdate, channel_of
from app.orders.models import Order
from app.outbox.worker_repository import find_open, mark_processed
from app.settings import get_settings
from app.tasks import ShopTask
from app.users.models import User
from app.worker_resources import get_mail_client, get_redis, get_sessions


def write_confirmation(order: Order, recipient: str) -> Mail:
    """Return the e-mail that confirms an order."""
    lines = [f"{item.quantity} x {item.title}: {item.unit_price} EUR" for item in order.items]
    body = "\n".join(["Thank you for your order.", *lines, f"Total: {order.total} EUR"])
    return Mail(recipient, f"Your order {order.id}", body)


@shared_task(
    base=ShopTask,
    name="orders.send_confirmation",
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(MailServiceUnavailable,),
    retry_backoff=True,
    retry_backoff_max=120,
    retry_jitter=True,
    max_retries=5,
    soft_time_limit=40,
    time_limit=60,
)
def send_confirmation(event_id: str) -> None:
    """Confirm an order by e-mail. The event's identifier keeps a second delivery from a second e-mail."""
    with get_sessions()() as session:
        event = find_open(session, UUID(event_id))
        if event is None:
            return
        statement = (
            select(Order, User.email)
            .join(User, User.id == Order.user_id)
            .where(Order.id == UUID(event.payload["order_id"]))
            .options(selectinload(Order.items))
        )
        row = session.execute(statement).one_or_none()
    if row is not None:
        mail = write_confirmation(row[0], row[1])
        send_mail(get_mail_client(), get_settings().mail_sender, mail, idempotency_key=event_id)
    with get_sessions().begin() as session:
        mark_processed(session, UUID(event_id))


@shared_task(
    base=ShopTask,
    name="orders.announce_status",
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(RedisError,),
    retry_backoff=True,
    retry_backoff_max=120,
    retry_jitter=True,
    max_retries=5,
    soft_time_limit=40,
    time_limit=60,
)
def announce_status(event_id: str) -> None:
    """Tell the owner's open websockets the present status; said twice, it is still the same status."""
    with get_sessions()() as session:
        event = find_open(session, UUID(event_id))
        if event is None:
            return
        statement = select(Order.user_id, Order.status).where(Order.id == UUID(event.payload["order_id"]))
        row = session.execute(statement).one_or_none()
    if row is not None:
        update = OrderUpdate(order_id=UUID(event.payload["order_id"]), status=row.status)
        get_redis().publish(channel_of(row.user_id), update.model_dump_json())
    with get_sessions().begin() as session:
        mark_processed(session, UUID(event_id))
