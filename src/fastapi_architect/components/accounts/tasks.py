"""What workers do for accounts: they send mails, and throw away what is over.

A token is made by the worker that sends it, in a transaction of its own that is committed before the mail goes out. So it
exists nowhere but in the mail, nothing waits for a network inside a transaction, and a second delivery sends another
token, which is as good as the first.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from ..database import Database
from ..mail import Mail, Mailing
from ..outbox import HandlerContext, handles
from .attempts import attempt_key, counting
from .component import Accounts
from .emails import email_key
from .models import Account, AccountSession, Attempts, MailedToken, Purpose
from .settings import AccountSettings
from .tokens import hash_token, new_token

#: How long sessions are kept after their end, to know where their owner has been.
KEEP_SESSIONS = timedelta(days=90)
KEEP_TOKENS = timedelta(days=90)


@handles("accounts.registration_requested")
def send_registration(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Send the link that opens an account, or the note that there is one."""
    accounts = context.component(Accounts)
    with _sessions(context).begin() as session:
        if not _may_be_sent(context, session, accounts.settings, payload["email"]):
            return
        known = _find_by_email(session, payload["email"])
        if known is None:
            lifetime = timedelta(hours=accounts.settings.registration_hours)
            token = _add_token(session, Purpose.REGISTER, payload["email"], lifetime, None)
            mail = accounts.mails.open_account(payload["email"], token)
        else:
            mail = accounts.mails.account_exists(known.email)
    _send(context, mail)


@handles("accounts.reset_requested")
def send_reset(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Send the link that resets a password, if the address has an account; always to the address that is stored."""
    accounts = context.component(Accounts)
    with _sessions(context).begin() as session:
        account = _find_by_email(session, payload["email"])
        if account is None or not account.is_active:
            return
        if not _may_be_sent(context, session, accounts.settings, payload["email"]):
            return
        lifetime = timedelta(minutes=accounts.settings.reset_minutes)
        token = _add_token(session, Purpose.RESET, account.email, lifetime, account.id)
        mail = accounts.mails.reset_password(account.email, token)
    _send(context, mail)


@handles("accounts.email_change_requested")
def send_email_change(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Send the proof to the new address."""
    accounts = context.component(Accounts)
    with _sessions(context).begin() as session:
        account = session.get(Account, UUID(payload["account_id"]))
        if account is None or not account.is_active:
            return
        if not _may_be_sent(context, session, accounts.settings, payload["email"]):
            return
        mail = _email_change_mail(session, accounts, account, payload["email"])
    _send(context, mail)


@handles("accounts.email_change_requested")
def warn_of_email_change(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Tell the present address what is about to happen."""
    to = _address_of(context, payload)
    if to is not None:
        _send(context, context.component(Accounts).mails.email_change_begun(to, payload["email"]))


@handles("accounts.email_changed")
def tell_of_email_change(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Tell the old address what has happened."""
    new = _address_of(context, payload)
    if new is not None:
        _send(context, context.component(Accounts).mails.email_changed(payload["old_email"], new))


@handles("accounts.password_changed")
def tell_of_password_change(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Tell the owner that the password has changed."""
    to = _address_of(context, payload)
    if to is not None:
        _send(context, context.component(Accounts).mails.password_changed(to))


@handles("accounts.clean")
def clean(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Delete what is over. No living session loses anything by it, not even the memory of its used tokens."""
    now = datetime.now(UTC)
    session = context.session
    session.execute(delete(AccountSession).where(AccountSession.expires_at < now - KEEP_SESSIONS))
    session.execute(delete(MailedToken).where(MailedToken.expires_at < now - KEEP_TOKENS))
    session.execute(delete(Attempts).where(Attempts.window_ends_at < now - timedelta(days=1)))


def _send(context: HandlerContext, mail: Mail) -> None:
    context.component(Mailing).send(mail, context.event_id)


def _sessions(context: HandlerContext) -> Any:
    return context.component(Database).sync_sessions


def _find_by_email(session: Session, email: str) -> Account | None:
    statement = select(Account).where(Account.email_key == email_key(email))
    return session.execute(statement).scalar_one_or_none()


def _address_of(context: HandlerContext, payload: dict[str, Any]) -> str | None:
    with _sessions(context)() as session:
        statement = select(Account.email).where(Account.id == UUID(payload["account_id"]))
        found: str | None = session.execute(statement).scalar_one_or_none()
    return found


def _email_change_mail(session: Session, accounts: Accounts, account: Account, email: str) -> Mail:
    taken = exists().where(Account.email_key == email_key(email), Account.id != account.id)
    if session.execute(select(taken)).scalar_one():
        return accounts.mails.email_taken(email)
    lifetime = timedelta(hours=accounts.settings.email_change_hours)
    token = _add_token(session, Purpose.CHANGE_EMAIL, email, lifetime, account.id)
    return accounts.mails.confirm_email(email, token)


def _add_token(
    session: Session, purpose: Purpose, email: str, lifetime: timedelta, account_id: UUID | None
) -> str:
    token = new_token()
    session.add(
        MailedToken(
            account_id=account_id,
            purpose=purpose,
            email=email,
            token_hash=hash_token(token),
            expires_at=datetime.now(UTC) + lifetime,
        )
    )
    return token


def _may_be_sent(context: HandlerContext, session: Session, settings: AccountSettings, email: str) -> bool:
    """Keep strangers from filling a mailbox; nobody is told, because an answer could tell who has an account."""
    if context.attempt > 1:
        # It was counted when it was tried first; a mail server that is down must not use the limit up.
        return True
    key = attempt_key(settings.signing_key.get_secret_value(), "mails to", email_key(email))
    counted = session.execute(counting([key], timedelta(hours=1))).one()
    return bool(counted.tries <= settings.mails_per_address)
