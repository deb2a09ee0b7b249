"""Who is behind an identifier, for whoever may know: asked of the component that keeps accounts, for a whole page at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from fastapi import FastAPI

from .assembly import components_of


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as others who may know them call them.

    Attributes:
        email: their address.
        display_name: how they want to be called; may be empty.
    """

    email: str
    display_name: str = ""


@runtime_checkable
class Directory(Protocol):
    """A component that knows people; `accounts` is one."""

    async def people(self, session: Any, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Return those of these people that are known, by one query. Who may ask is the caller's to decide."""


async def people_of(app: FastAPI, session: Any, ids: Collection[UUID]) -> Mapping[UUID, Person]:
    """Return who is behind identifiers of principals; nobody, where no component knows people.

    Args:
        app: whose components are asked.
        session: of the request.
        ids: of principals, some of which may be services.
    """
    directory = next((each for each in components_of(app) if isinstance(each, Directory)), None)
    return {} if directory is None or not ids else await directory.people(session, ids)
