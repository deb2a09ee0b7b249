"""A service that does right what the checks of this component look for, and the same one with each fault that they must find.

The caller is whoever the header names. That is an example of a caller, and not of authentication.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, FastAPI, Path, Response
from fastapi.requests import HTTPConnection
from pydantic import Field
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from fastapi_architect.components.database import (
    Base,
    Database,
    InputModel,
    OutputModel,
    SessionDep,
    Uuid7Id,
)
from fastapi_architect.components.problem_details import Forbidden, NotAuthenticated, NotFound, ProblemDetails
from fastapi_architect.components.service import (
    Principal,
    install,
    is_public,
    principal_of,
    public,
    remember_principal,
)

TENANT, OTHER_TENANT = UUID(int=1), UUID(int=2)
CALLERS = {
    "reader": Principal(UUID(int=11), frozenset({"shelves:read"}), TENANT),
    "writer": Principal(UUID(int=12), frozenset({"shelves:read", "shelves:write"}), TENANT),
    "other": Principal(UUID(int=13), frozenset({"shelves:read", "shelves:write"}), OTHER_TENANT),
}
EVERYTHING = {"shelves:read", "shelves:write"}


class Shelf(Uuid7Id, Base):
    """A shelf of one tenant."""

    __tablename__ = "testing_shelves"

    tenant_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(50))
    things: Mapped[list["Thing"]] = relationship(lazy="raise", order_by="Thing.id")


class Thing(Uuid7Id, Base):
    """A thing on a shelf."""

    __tablename__ = "testing_things"

    shelf_id: Mapped[UUID] = mapped_column(ForeignKey(Shelf.id), index=True)
    name: Mapped[str] = mapped_column(String(50))


class Name(InputModel):
    """A new name."""

    name: Annotated[str, Field(min_length=1, max_length=50, examples=["upper left"])]


class PublishedThing(OutputModel):
    """A thing."""

    id: UUID
    name: str


class PublishedShelf(PublishedThing):
    """A shelf with its things."""

    things: list[PublishedThing]


async def deny_by_default(connection: HTTPConnection) -> None:
    """Refuse strangers."""
    caller = CALLERS.get(connection.headers.get("x-caller", ""))
    if caller is not None:
        remember_principal(connection, caller)
    elif not is_public(connection.scope.get("endpoint")):
        raise NotAuthenticated


class require:  # noqa: N801
    """Refuse who was not granted the permission."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Return the caller."""
        caller = principal_of(connection)
        if caller is None or not all(caller.may(each) for each in self.permissions):
            raise Forbidden("You may not do this.")
        return caller


Reader = Annotated[Principal, Depends(require("shelves:read"))]
Writer = Annotated[Principal, Depends(require("shelves:write"))]
router = APIRouter(
    prefix="/shelves", responses={code: {"description": "refused"} for code in (401, 403, 404, 422)}
)


@router.get("")
async def list_shelves(caller: Reader, session: SessionDep) -> list[PublishedShelf]:
    """Return every shelf of the tenant."""
    statement = (
        select(Shelf)
        .where(Shelf.tenant_id == caller.tenant_id)
        .options(selectinload(Shelf.things))
        .limit(100)
    )
    return [PublishedShelf.model_validate(shelf) for shelf in (await session.execute(statement)).scalars()]


@router.get("/{shelf_id}")
async def read_shelf(shelf_id: UUID, caller: Reader, session: SessionDep) -> PublishedThing:
    """Return a shelf of the tenant."""
    return PublishedThing.model_validate(await find_shelf(shelf_id, caller, session))


@router.put("/{shelf_id}")
async def rename_shelf(shelf_id: UUID, new: Name, caller: Writer, session: SessionDep) -> PublishedThing:
    """Give a shelf of the tenant another name."""
    shelf = await find_shelf(shelf_id, caller, session)
    shelf.name = new.name
    await session.commit()
    return PublishedThing.model_validate(shelf)


@router.get("/{shelf_id}/things/{thing_id}")
async def read_thing(shelf_id: UUID, thing_id: UUID, caller: Reader, session: SessionDep) -> PublishedThing:
    """Return a thing on a shelf of the tenant."""
    shelf = await find_shelf(shelf_id, caller, session)
    statement = select(Thing).where(Thing.id == thing_id, Thing.shelf_id == shelf.id)
    thing = (await session.execute(statement)).scalar_one_or_none()
    if thing is None:
        raise NotFound("There is no such thing.")
    return PublishedThing.model_validate(thing)


async def find_shelf(shelf_id: UUID, caller: Principal, session: SessionDep) -> Shelf:
    """Return a shelf of the caller's tenant."""
    statement = select(Shelf).where(Shelf.id == shelf_id, Shelf.tenant_id == caller.tenant_id)
    shelf = (await session.execute(statement)).scalar_one_or_none()
    if shelf is None:
        raise NotFound("There is no such thing.")
    return shelf


@public
async def health() -> str:
    """Say that the service lives."""
    return "ok"


def create_app(database: Database) -> FastAPI:
    """Return the application without faults."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])
    app.get("/health", responses={422: {"description": "refused"}})(health)
    app.include_router(router, prefix="/api/v1")
    install(app, [ProblemDetails(), database])
    return app


def create_faulty_app(database: Database) -> FastAPI:
    """Return an application with one fault in each operation."""
    app = FastAPI(responses={code: {"description": "refused"} for code in (401, 403, 404, 422)})

    @app.get("/unguarded")
    async def unguarded() -> str:
        return "nobody thought of a guard"

    @app.get("/opened", dependencies=[Depends(deny_by_default)])
    @public
    async def opened() -> str:
        return "nobody decided this"

    @app.get("/too-strict", dependencies=[Depends(deny_by_default)])
    async def too_strict(connection: HTTPConnection) -> str:
        raise Forbidden("Nobody may do this.")

    class Forgetful(require):
        async def __call__(self, connection: HTTPConnection) -> Principal:
            return CALLERS["reader"]

    @app.get("/unchecked", dependencies=[Depends(deny_by_default), Depends(Forgetful("shelves:write"))])
    async def unchecked() -> str:
        return "the permission is named and not asked for"

    @app.get("/broken", dependencies=[Depends(deny_by_default)])
    async def broken() -> str:
        raise RuntimeError("always")

    @app.get("/shelves")
    async def list_one_by_one(session: SessionDep) -> list[int]:
        shelves = (await session.execute(select(Shelf.id).limit(100))).scalars().all()
        things = [
            (await session.execute(select(Thing.id).where(Thing.shelf_id == each).limit(100))).scalars().all()
            for each in shelves
        ]
        return [len(found) for found in things]

    @app.get("/shelves/{shelf_id}")
    async def read_any(shelf_id: UUID, session: SessionDep) -> PublishedThing:
        shelf = await session.get(Shelf, shelf_id)
        if shelf is None:
            raise NotFound("There is no such thing.")
        return PublishedThing.model_validate(shelf)

    @app.put("/shelves/{shelf_id}")
    async def rename_any(shelf_id: UUID, new: Name, session: SessionDep) -> PublishedThing:
        shelf = await session.get(Shelf, shelf_id)
        if shelf is None:
            raise NotFound("There is no such thing.")
        shelf.name = new.name
        await session.commit()
        return PublishedThing.model_validate(shelf)

    @app.delete("/shelves/{shelf_id}", status_code=204)
    async def tell_apart(shelf_id: UUID, session: SessionDep) -> None:
        raise NotFound("There is none." if await session.get(Shelf, shelf_id) is None else "It is not yours.")

    @app.get("/shelves/{shelf_id}/things/{thing_id}", dependencies=[Depends(deny_by_default)])
    async def read_below_any(
        shelf_id: UUID, thing_id: UUID, connection: HTTPConnection, session: SessionDep
    ) -> str:
        caller = principal_of(connection)
        if caller is None:
            raise NotAuthenticated
        await find_shelf(shelf_id, caller, session)
        thing = await session.get(Thing, thing_id)
        if thing is None:
            raise NotFound("There is no such thing.")
        return thing.name

    @app.get("/undocumented/{number}", response_model=None)
    async def undocumented(number: Annotated[int, Path(ge=0, le=10)]) -> Response:
        return Response("[", media_type="application/json", status_code=418)

    @app.post("/fragile")
    async def fragile(numbers: Annotated[list[int], Body(max_length=5)]) -> float:
        return 1 / (len(numbers) - 1)

    install(app, [ProblemDetails(), database])
    return app
