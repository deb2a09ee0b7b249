"""How books look from outside."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from app.pagination import PageQuery
from app.schemas import ChangeModel, InputModel, LongText, OutputModel, ShortText

Isbn = Annotated[str, Field(min_length=13, max_length=13, pattern="^97[89][0-9]{10}$")]
Language = Annotated[str, Field(min_length=2, max_length=2, pattern="^[a-z]{2}$")]
Price = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)]
Stock = Annotated[int, Field(ge=0, le=1_000_000)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class BookQuery(PageQuery):
    """Which books the caller wants to see."""

    words: ShortText | None = None
    author: ShortText | None = None


class BookSummary(OutputModel):
    """A book in a list."""

    id: UUID
    isbn: Isbn
    title: ShortText
    author: ShortText
    language: Language
    price: Price


class BookDetails(BookSummary):
    """A book on its own page."""

    description: LongText
    stock: Stock
    has_cover: bool
    version: Version
    created_at: AwareDatetime


class NewBook(InputModel):
    """A book to put on sale."""

    isbn: Isbn
    title: ShortText
    author: ShortText
    description: LongText
    language: Language
    price: Price
    stock: Stock


class BookChange(ChangeModel):
    """The fields of a book to change, and the version that was looked at; absent fields stay as they are."""

    version: Version
    title: ShortText | None = None
    author: ShortText | None = None
    description: LongText | None = None
    language: Language | None = None
    price: Price | None = None
    stock: Stock | None = None
