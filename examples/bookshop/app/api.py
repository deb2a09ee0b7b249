"""Every route of the shop, and who may call it.

Denial is the default: an operation is open to strangers only if its router stands under `public`, `webhooks`
or `sockets`, and `tests/test_authorisation.py` holds the list of those.
"""

from fastapi import APIRouter, Depends

from app.auth import router as auth
from app.auth.dependencies import get_current_user, require_admin
from app.books import router as books
from app.covers import router as covers
from app.health import router as health
from app.order_updates import router as order_updates
from app.orders import router as orders
from app.payments import router as payments
from app.problems import BAD_REQUEST, FORBIDDEN, INVALID, TIMED_OUT, TOO_LARGE, UNAUTHENTICATED
from app.reviews import router as reviews
from app.users import router as users

public = APIRouter()
public.include_router(auth.public)
public.include_router(books.public)
public.include_router(covers.public)
public.include_router(reviews.public)
public.include_router(payments.webhooks)
public.include_router(order_updates.sockets)

members = APIRouter(dependencies=[Depends(get_current_user)], responses={401: UNAUTHENTICATED})
members.include_router(auth.members)
members.include_router(users.members)
members.include_router(orders.members)
members.include_router(order_updates.members)
members.include_router(reviews.members)

admins = APIRouter(
    prefix="/admin",
    dependencies=[Depends(require_admin)],
    responses={401: UNAUTHENTICATED, 403: FORBIDDEN},
)
admins.include_router(users.admins)
admins.include_router(books.admins)
admins.include_router(covers.admins)
admins.include_router(orders.admins)

version_1 = APIRouter(
    prefix="/api/v1",
    responses={400: BAD_REQUEST, 413: TOO_LARGE, 422: INVALID, 504: TIMED_OUT},
)
version_1.include_router(public)
version_1.include_router(members)
version_1.include_router(admins)

probes = health.probes
