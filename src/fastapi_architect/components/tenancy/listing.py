"""Every tenant, for work that is nobody's request: such as what is deleted when its time is over."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


def every_tenant(session: Session) -> Sequence[UUID]:
    """Return the identifiers of all tenants; what belongs to them is seen by a session that is bound to one of them.

    The function of the database behind it is made by `create_tenant_list`, in a revision of the service.

    Args:
        session: of a worker.
    """
    return session.scalars(text("SELECT every_tenant()")).all()
