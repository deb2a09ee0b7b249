"""Requests and responses about authors and books."""

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

from app.schemas.fields import EntityId


class AuthorWrite(BaseModel):
    """An author as staff enter them."""

    name: str = Field(min_length=1, max_length=200)
    country: str | None = Field(default=None, min_length=2, max_length=2)


class AuthorOut(BaseModel):
    """An author."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    country: str | None


class BookWrite(BaseModel):
    """A book as staff enter it."""

    author_id: EntityId
    title: str = Field(min_length=1, max_length=300)
    subtitle: str | None = Field(default=None, max_length=300)
    isbn: str = Field(pattern=r"^[0-9X-]{10,17}$")
    summary: str | None = Field(default=None, max_length=2000)
    price: float = Field(gt=0, le=10_000, allow_inf_nan=False)  # finding: money-as-float
    stock: int = Field(ge=0, le=100_000)

    @field_validator("summary")
    @classmethod
    def strip_summary(cls, value: str | None) -> str | None:  # finding: validator-defect
        """Cut the white space that pasted texts bring along."""
        if value is not None:
            value = value.strip()


class BookOut(BaseModel):
    """A book with its author."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    subtitle: str | None
    isbn: str
    summary: str | None
    price: float  # finding: money-as-float
    stock: int
    is_featured: bool
    author: AuthorOut


class BookTitle(BaseModel):
    """A book in the list that pops up while somebody types."""

    id: int
    title: str


class StockUpdate(BaseModel):
    """How many copies lie in the warehouse."""

    stock: int = Field(ge=0, le=100_000)


class EditionOut(BaseModel):
    """One form of a book."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    book_id: int
    binding: str
    pages: int


class FeedItem(BaseModel):
    """A book as other sites list it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    isbn: str
    stock: int


class CoverOut(BaseModel):
    """A stored picture."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    book_id: int
    filename: str


class CoverImport(BaseModel):
    """A picture that a publisher offers on their own site."""

    book_id: EntityId
    source_url: HttpUrl = Field(max_length=500)


class CoverProperties(BaseModel):
    """What a picture is like: its size, its colours, in the words of ImageMagick."""

    description: str
