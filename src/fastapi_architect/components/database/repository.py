"""Queries that every kind of row needs."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from ..problem_details import Conflict, NotFound
from .filtering import Filter
from .models import SoftDeleted, Uuid7Id
from .ordering import Order
from .schemas import PageQuery, Slice

Row = TypeVar("Row", bound=Uuid7Id)

_OF_THE_PAGE = {"limit", "cursor", "sort"}
_UNIQUE_VIOLATION = "23505"


class Repository(Generic[Row]):
    """Finds, lists, adds and deletes rows of one model; soft-deleted ones are left out.

    A subclass names the model and what may be asked, and narrows `visible` to what belongs to the caller:

        class NoteRepository(Repository[Note]):
            model = Note
            orders = {"newest": Order(Note.id, descending=True), "title": Order(Note.title)}
            filters = {"title": contains(Note.title)}

            def __init__(self, session: AsyncSession, owner_id: UUID) -> None:
                super().__init__(session)
                self._owner_id = owner_id

            def visible(self) -> Select[Note]:
                return super().visible().where(Note.owner_id == self._owner_id)
    """

    model: type[Row]
    #: By the value of the query's field `sort`; the first one is the default.
    orders: ClassVar[Mapping[str, Order]]
    #: By the name of the query's field.
    filters: ClassVar[Mapping[str, Filter]] = {}
    #: What the caller reads when there is no such row, or none of theirs.
    missing: ClassVar[str] = "There is no such thing."
    #: What the caller reads when a unique constraint refuses a row.
    duplicate: ClassVar[str] = "Something with these values exists already."

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def visible(self) -> Select[Row]:
        """Return the query of all rows that may be found; every other one begins with it."""
        statement = select(self.model)
        deleted_at = getattr(self.model, "deleted_at", None)
        return statement if deleted_at is None else statement.where(deleted_at.is_(None))

    async def find(self, row_id: UUID) -> Row | None:
        """Return the row with this identifier, if it is visible."""
        statement = self.visible().where(self.model.id == row_id)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def get(self, row_id: UUID) -> Row:
        """Return the row with this identifier.

        Raises:
            NotFound: there is none, or it is not visible; the two look alike.
        """
        return self._present(await self.find(row_id))

    async def get_locked(self, row_id: UUID) -> Row:
        """Return the row with this identifier, locked against other writers until the transaction ends.

        Raises:
            NotFound: there is none, or it is not visible.
        """
        statement = (
            self.visible()
            .where(self.model.id == row_id)
            .with_for_update()
            # What this session read before it had the lock may be old.
            .execution_options(populate_existing=True)
        )
        return self._present((await self._session.execute(statement)).scalar_one_or_none())

    async def list(self, query: PageQuery) -> Slice[Row]:
        """Return a page of the visible rows.

        Args:
            query: each of its fields beside `limit`, `cursor` and `sort` has a filter of the same name.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        rows = (await self._session.execute(self._page(query))).scalars().all()
        return self._slice(query, rows)

    async def list_columns(
        self, query: PageQuery, *columns: ColumnElement[Any] | QueryableAttribute[Any]
    ) -> Slice[Any]:
        """Return a page as rows of some columns: for a list that shows little of wide rows, or something of other tables too.

        Args:
            query: as of `list`.
            columns: of the tables of `visible`; among them the identifier and the columns of all orders.

        Raises:
            InvalidInput: the cursor is not one of this list in this order.
        """
        statement = self._page(query).with_only_columns(*columns)
        return self._slice(query, (await self._session.execute(statement)).all())

    def condition(self, field: str, value: Any) -> ColumnElement[bool]:
        """Return what a field of the query asks for; a subclass overrides it where that depends on more than the value."""
        return self.filters[field](value)

    def _page(self, query: PageQuery) -> Select[Row]:
        """Return the query of a page, and of one row more."""
        name, order = self._order(query)
        identifier = self.model.id
        statement = order.arrange(self.visible(), identifier).limit(query.limit + 1)
        for field in sorted(type(query).model_fields.keys() - _OF_THE_PAGE):
            value = getattr(query, field)
            if value is not None:
                statement = statement.where(self.condition(field, value))
        if query.cursor is not None:
            statement = statement.where(order.after(name, query.cursor, identifier))
        return statement

    def _slice(self, query: PageQuery, rows: Sequence[Any]) -> Slice[Any]:
        name, order = self._order(query)
        page = rows[: query.limit]
        return Slice(page, order.cursor(name, page[-1]) if len(rows) > query.limit else None)

    def _order(self, query: PageQuery) -> tuple[str, Order]:
        name = str(getattr(query, "sort", next(iter(self.orders))))
        return name, self.orders[name]

    async def add(self, row: Row) -> Row:
        """Add a row; it has its identifier afterwards.

        Raises:
            Conflict: there is one with the same unique values.
        """
        self._session.add(row)
        try:
            await self._session.flush()
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != _UNIQUE_VIOLATION:
                raise
            raise Conflict(self.duplicate) from error
        return row

    async def soft_delete(self, row: Row) -> None:
        """Let the row vanish from every query of this repository, and keep it.

        Raises:
            TypeError: the model is not `SoftDeleted`.
        """
        deleting: Any = row
        if not isinstance(deleting, SoftDeleted):
            raise TypeError(f"{self.model.__name__} is not SoftDeleted")
        # The clock of the database, as everywhere.
        now: Any = func.now()
        deleting.deleted_at = now
        await self._session.flush()

    def _present(self, row: Row | None) -> Row:
        if row is None:
            raise NotFound(self.missing)
        return row
