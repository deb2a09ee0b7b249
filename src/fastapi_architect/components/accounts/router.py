"""Accounts over HTTP: signing in, the own account, and administration."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from ..access import current_principal, public, require
from ..database import Page, PageQuery
from ..problem_details import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    Unavailable,
    problems,
)
from ..service import Principal
from .dependencies import AccountServiceDep, CurrentAccount, OriginDep, SignInDep
from .initial_passwords import takes_initial_password
from .schemas import (
    Accepted,
    AccountRecord,
    Administration,
    EmailChange,
    EmailConfirmation,
    Login,
    PasswordChange,
    PasswordReset,
    Profile,
    ProfileChange,
    Refresh,
    Registration,
    RegistrationRequest,
    ResetRequest,
    SessionList,
    SessionRecord,
    TokenPair,
)

READ, MANAGE = "accounts:read", "accounts:manage"

signing_in = APIRouter(prefix="/auth", tags=["signing in"])
# The guard stands here too, for applications that have none of their own.
own_account = APIRouter(prefix="/me", tags=["own account"], dependencies=[Depends(current_principal)])
administration = APIRouter(prefix="/accounts", tags=["accounts"], dependencies=[Depends(current_principal)])


@signing_in.post(
    "/register",
    summary="Ask for an account",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(TooManyRequests),
)
@public
async def ask_to_register(
    request: RegistrationRequest, service: AccountServiceDep, origin: OriginDep
) -> Accepted:
    """Have a link sent with which an account can be opened. The answer is the same when there is one already."""
    await service.ask_to_register(request.email, origin)
    return Accepted(detail="We have sent an e-mail. Follow its link.")


@signing_in.post(
    "/register/confirm",
    summary="Open an account",
    status_code=status.HTTP_201_CREATED,
    responses=problems(InvalidInput, Conflict, Unavailable),
)
@public
async def register(registration: Registration, service: AccountServiceDep, origin: OriginDep) -> Profile:
    """Open an account with the token from the mail. The password is chosen here, by whoever reads that mail."""
    account = await service.register(
        registration.token.get_secret_value(),
        registration.password.get_secret_value(),
        registration.display_name,
        origin,
    )
    return Profile.model_validate(account)


@signing_in.post(
    "/login", summary="Sign in", responses=problems(NotAuthenticated, TooManyRequests, Unavailable)
)
@public
async def log_in(login: Login, sign_in: SignInDep, origin: OriginDep) -> TokenPair:
    """Exchange an e-mail address and a password for an access token and a refresh token."""
    tokens = await sign_in.log_in(login.email, login.password.get_secret_value(), origin)
    return TokenPair.model_validate(tokens)


@signing_in.post("/refresh", summary="Refresh the tokens", responses=problems(NotAuthenticated))
@public
async def refresh(request: Refresh, sign_in: SignInDep) -> TokenPair:
    """Exchange a refresh token for the next pair. A token that comes back a second time ends its session."""
    return TokenPair.model_validate(await sign_in.refresh(request.refresh_token.get_secret_value()))


@signing_in.post(
    "/forgot-password",
    summary="Ask for a new password",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(TooManyRequests),
)
@public
async def ask_for_reset(request: ResetRequest, service: AccountServiceDep, origin: OriginDep) -> Accepted:
    """Have a link sent to the address, if it has an account."""
    await service.ask_for_reset(request.email, origin)
    return Accepted(detail="If this address has an account, we have sent it an e-mail.")


@signing_in.post(
    "/reset-password",
    summary="Reset the password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(InvalidInput, Unavailable),
)
@public
async def reset_password(reset: PasswordReset, service: AccountServiceDep, origin: OriginDep) -> None:
    """Set a new password with the token from the mail. Everything that is signed in ends."""
    await service.reset_password(reset.token.get_secret_value(), reset.password.get_secret_value(), origin)


@signing_in.post(
    "/confirm-email",
    summary="Confirm a new e-mail address",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(InvalidInput, Conflict),
)
@public
async def change_email(
    confirmation: EmailConfirmation, service: AccountServiceDep, origin: OriginDep
) -> None:
    """Change the address of an account with the token that was sent to the new one."""
    await service.change_email(confirmation.token.get_secret_value(), origin)


@signing_in.post(
    "/logout", summary="Sign out", status_code=status.HTTP_204_NO_CONTENT, responses=problems(Forbidden)
)
async def log_out(account: CurrentAccount, sign_in: SignInDep) -> None:
    """End this session: its refresh token and its access tokens."""
    await sign_in.log_out(account)


@own_account.get("", summary="Read the own account", responses=problems(Forbidden, NotFound))
async def read_own_account(account: CurrentAccount, service: AccountServiceDep) -> Profile:
    """Return the account of the caller."""
    return Profile.model_validate(await service.read(account.id))


@own_account.patch("", summary="Change the own account", responses=problems(Forbidden, NotFound, Conflict))
async def rename(change: ProfileChange, account: CurrentAccount, service: AccountServiceDep) -> Profile:
    """Change how the caller is called."""
    return Profile.model_validate(await service.rename(account, change.display_name))


@own_account.put(
    "/password",
    summary="Change the password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden, NotFound, InvalidInput, TooManyRequests, Unavailable),
)
@takes_initial_password
async def change_password(
    change: PasswordChange, account: CurrentAccount, service: AccountServiceDep, origin: OriginDep
) -> None:
    """Replace the password. Everything that is signed in ends, this session included.

    Whoever signed in with a password that was made for them can call nothing else before.
    """
    await service.change_password(
        account, change.present_password.get_secret_value(), change.password.get_secret_value(), origin
    )


@own_account.put(
    "/email",
    summary="Ask for another e-mail address",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(Forbidden, NotFound, TooManyRequests, Unavailable),
)
async def ask_to_change_email(
    change: EmailChange, account: CurrentAccount, service: AccountServiceDep, origin: OriginDep
) -> Accepted:
    """Have a link sent to the new address; until it is followed the old one stays."""
    await service.ask_to_change_email(account, change.password.get_secret_value(), change.email, origin)
    return Accepted(detail="We have sent an e-mail to the new address. Follow its link.")


@own_account.get("/sessions", summary="List the own sessions", responses=problems(Forbidden))
async def list_sessions(account: CurrentAccount, sign_in: SignInDep) -> SessionList:
    """Return where the caller is signed in, newest first, a hundred at most."""
    found = await sign_in.list_sessions(account)
    records = [SessionRecord.model_validate(session) for session in found]
    items = [record.model_copy(update={"is_present": record.id == account.session_id}) for record in records]
    return SessionList(items=items)


@own_account.delete(
    "/sessions",
    summary="Sign out everywhere",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden),
)
async def log_out_everywhere(account: CurrentAccount, sign_in: SignInDep) -> None:
    """End all sessions of the caller, this one included."""
    await sign_in.log_out_everywhere(account)


@own_account.delete(
    "/sessions/{session_id}",
    summary="End one session",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden, NotFound),
)
async def end_session(session_id: UUID, account: CurrentAccount, sign_in: SignInDep) -> None:
    """End one of the caller's sessions, such as that of a lost telephone."""
    await sign_in.end_session(account, session_id)


@administration.get(
    "", summary="List accounts", dependencies=[Depends(require(READ))], responses=problems(InvalidInput)
)
async def list_accounts(
    query: Annotated[PageQuery, Query()], service: AccountServiceDep
) -> Page[AccountRecord]:
    """Return accounts, newest first."""
    return Page[AccountRecord].of(await service.list_accounts(query))


@administration.get(
    "/{account_id}",
    summary="Read an account",
    dependencies=[Depends(require(READ))],
    responses=problems(NotFound),
)
async def read_account(account_id: UUID, service: AccountServiceDep) -> AccountRecord:
    """Return one account."""
    return AccountRecord.model_validate(await service.read(account_id))


@administration.patch(
    "/{account_id}",
    summary="Administer an account",
    responses=problems(NotFound, Conflict, InvalidInput),
)
async def administer(
    account_id: UUID,
    change: Administration,
    admin: Annotated[Principal, Depends(require(MANAGE))],
    service: AccountServiceDep,
) -> AccountRecord:
    """Give or take roles, deactivate or activate. Deactivating ends all access at once."""
    account = await service.administer(
        admin, account_id, change.version, roles=change.roles, is_active=change.is_active
    )
    return AccountRecord.model_validate(account)
