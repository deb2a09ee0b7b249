"""E-mails about accounts. Each token is made here, so that it exists nowhere but in the e-mail."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from celery import shared_task
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.auth.models import OneTimeToken, Purpose, RefreshToken
from app.auth.tokens import RESET_LIFETIME, VERIFICATION_LIFETIME, hash_opaque_token, new_opaque_token
from app.mail import Mail, MailServiceUnavailable, send_mail
from app.outbox.worker_repository import find_open, mark_processed
from app.settings import get_settings
from app.tasks import ShopTask
from app.users.models import User
from app.worker_resources import get_mail_client, get_sessions


def add_one_time_token(session: Session, user_id: UUID, purpose: Purpose, lifetime: timedelta) -> str:
    """Return a new token; only its hash is stored."""
    token = new_opaque_token()
    session.add(
        OneTimeToken(
            user_id=user_id,
            purpose=purpose,
            token_hash=hash_opaque_token(token),
            expires_at=datetime.now(UTC) + lifetime,
        )
    )
    return token


def find_active_user(session: Session, email: str) -> User | None:
    """Return the account of an address unless it is locked."""
    statement = select(User).where(User.email == email, User.is_active.is_(True))
    return session.execute(statement).scalar_one_or_none()


def deliver(event_id: UUID, mail: Mail | None) -> None:
    """Send the e-mail, if there is one to send, and close its event. No transaction is open meanwhile."""
    if mail is not None:
        send_mail(get_mail_client(), get_settings().mail_sender, mail, idempotency_key=str(event_id))
    with get_sessions().begin() as session:
        mark_processed(session, event_id)


@shared_task(
    base=ShopTask,
    name="auth.send_verification",
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
def send_verification(event_id: str) -> None:
    """Send the link that activates a new account."""
    with get_sessions().begin() as session:
        event = find_open(session, UUID(event_id))
        if event is None:
            return
        user = session.get(User, UUID(event.payload["user_id"]))
        mail = None
        if user is not None:
            token = add_one_time_token(session, user.id, Purpose.VERIFY_EMAIL, VERIFICATION_LIFETIME)
            # After the #: a browser does not send it, so that it stands in no server's log.
            link = f"{get_settings().website_url}verify-email#{token}"
            mail = Mail(user.email, "Welcome to the bookshop", f"Activate your account: {link}")
    deliver(UUID(event_id), mail)


@shared_task(
    base=ShopTask,
    name="auth.send_registration_notice",
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
def send_registration_notice(event_id: str) -> None:
    """Tell the owner of an address that somebody tried to register it again."""
    with get_sessions()() as session:
        event = find_open(session, UUID(event_id))
        if event is None:
            return
        user = find_active_user(session, event.payload["email"])
    link = f"{get_settings().website_url}forgot-password"
    text = f"You have an account already. If you have forgotten your password: {link}"
    deliver(UUID(event_id), None if user is None else Mail(user.email, "Your bookshop account", text))


@shared_task(
    base=ShopTask,
    name="auth.send_password_reset",
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
def send_password_reset(event_id: str) -> None:
    """Send the link that resets a password, if the address has an account."""
    with get_sessions().begin() as session:
        event = find_open(session, UUID(event_id))
        if event is None:
            return
        user = find_active_user(session, event.payload["email"])
        mail = None
        if user is not None:
            token = add_one_time_token(session, user.id, Purpose.RESET_PASSWORD, RESET_LIFETIME)
            link = f"{get_settings().website_url}reset-password#{token}"
            mail = Mail(user.email, "Reset your password", f"Choose a new password: {link}")
    deliver(UUID(event_id), mail)


@shared_task(base=ShopTask, name="auth.delete_expired_tokens", soft_time_limit=40, time_limit=60)
def delete_expired_tokens() -> None:
    """Delete the tokens that have run out."""
    now = datetime.now(UTC)
    with get_sessions().begin() as session:
        session.execute(delete(RefreshToken).where(RefreshToken.expires_at < now))
        session.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < now))
