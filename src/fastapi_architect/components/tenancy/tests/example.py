"""The smallest application with tenants: members write notes, and see those of their organisation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from pydantic import BaseModel
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import Access, deny_by_default
from fastapi_architect.components.database import Base, Database, SessionDep, Uuid7Id
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Act, Component, Person, Principal, install
from fastapi_architect.components.tenancy import Tenancy, TenantMember, TenantOwned, require_in_tenant

PEOPLE = {name: uuid7() for name in ("anna", "bert", "carl", "mallory")}
ROLES = {"member": ["notes:read", "notes:write"], "viewer": ["notes:read"]}


class TenancyNote(Base, Uuid7Id, TenantOwned):
    """A note of an organisation."""

    __tablename__ = "tenancy_notes"

    text: Mapped[str] = mapped_column(String(200))


class NewNote(BaseModel):
    """A note to write."""

    text: str


class Names(Component):
    """Believes whoever says a name; a key says what it may do as well. An example, and nothing else."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says this name."""
        identifier = PEOPLE.get(connection.headers.get("x-name", ""))
        if identifier is None:
            return None
        scopes = connection.headers.get("x-key-scopes")
        if scopes is None:
            return Principal(identifier, frozenset({"notes:read", "notes:write"}), method="name")
        tenant = connection.headers.get("x-key-tenant")
        return Principal(identifier, frozenset(scopes.split()), UUID(tenant) if tenant else None, "api_key")


class PhoneBook(Component):
    """Knows anna and bert. An example of a directory, and nothing else."""

    def __init__(self) -> None:
        self.asked: list[list[UUID]] = []

    async def people(self, session: AsyncSession, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Return whom it knows."""
        self.asked.append(list(ids))
        known = {
            PEOPLE["anna"]: Person("anna@example.com", "Anna"),
            PEOPLE["bert"]: Person("bert@example.com"),
        }
        return {each: known[each] for each in ids if each in known}


class Diary(Component):
    """Remembers what it is told of. An example of a witness, and nothing else."""

    def __init__(self) -> None:
        self.acts: list[Act] = []

    def witness(self, session: Any, act: Act) -> None:
        """Note an act."""
        self.acts.append(act)


def create_app(
    database: Database,
    *,
    check_wall: bool = True,
    without: Sequence[str] = (),
    diary: Diary | None = None,
    more: Sequence[Component] = (),
) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.post("/notes", status_code=201)
    async def write_note(
        new: NewNote,
        member: Annotated[Principal, Depends(require_in_tenant("notes:write"))],
        session: SessionDep,
    ) -> str:
        note = TenancyNote(tenant_id=member.tenant_id, text=new.text)
        session.add(note)
        await session.commit()
        return str(note.id)

    @app.get("/notes")
    async def list_notes(member: TenantMember, session: SessionDep) -> list[str]:
        """Forget to ask for the tenant, as people do: the second wall has to hold alone."""
        return list((await session.execute(select(TenancyNote.text).limit(100))).scalars())

    roles = {name: permissions for name, permissions in ROLES.items() if name not in without}
    tenancy = Tenancy(roles, check_wall=check_wall, without=without)
    install(app, [ProblemDetails(), database, Access(), Names(), diary or Diary(), tenancy, *more])
    return app
