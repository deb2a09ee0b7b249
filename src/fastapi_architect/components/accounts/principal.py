"""Somebody who signed in to an account."""

from dataclasses import dataclass
from uuid import UUID

from ..service.principal import Principal

#: `Principal.method` of whoever came with an access token.
METHOD = "access_token"


@dataclass(frozen=True, slots=True)
class AccountPrincipal(Principal):
    """The holder of an account, in one of its sessions. An API key is none, even one of the same account."""

    session_id: UUID | None = None
