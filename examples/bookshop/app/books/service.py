"""What may happen to the catalogue."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.books.models import Book
from app.books.repository import BookRepository
from app.books.schemas import BookChange, NewBook
from app.errors import Conflict, NotFound
from app.pagination import Slice, TitleCursor, cut


def place(book: Book) -> TitleCursor:
    """Return where a book stands in the catalogue."""
    return TitleCursor(id=book.id, title=book.title)


class BookService:
    """Reads and changes the catalogue."""

    def __init__(self, session: AsyncSession, books: BookRepository) -> None:
        self._session = session
        self._books = books

    async def list_books(
        self, words: str | None, author: str | None, cursor: TitleCursor | None, limit: int
    ) -> Slice[Book]:
        """Return a page of the catalogue, by title."""
        return cut(await self._books.list_after(words, author, cursor, limit + 1), limit, place)

    async def read_book(self, book_id: UUID) -> Book:
        """Return a book, or raise NotFound."""
        book = await self._books.find(book_id)
        if book is None:
            raise NotFound("There is no such book.")
        return book

    async def add_book(self, new: NewBook) -> Book:
        """Put a book on sale.

        Raises:
            Conflict: the catalogue has a book with this ISBN.
        """
        book = Book(
            isbn=new.isbn,
            title=new.title,
            author=new.author,
            description=new.description,
            language=new.language,
            price=new.price,
            stock=new.stock,
        )
        self._books.add(book)
        try:
            await self._session.commit()
        except IntegrityError as error:
            raise Conflict("There is a book with this ISBN.") from error
        return book

    async def change_book(self, book_id: UUID, change: BookChange) -> Book:
        """Change the fields that were sent.

        Raises:
            NotFound: there is no such book.
            Conflict: it has changed since the caller looked.
        """
        book = await self.read_book(book_id)
        if book.version != change.version:
            raise Conflict("The book has changed. Read it again.")
        sent = change.model_dump(exclude_unset=True)
        book.title = sent.get("title", book.title)
        book.author = sent.get("author", book.author)
        book.description = sent.get("description", book.description)
        book.language = sent.get("language", book.language)
        book.price = sent.get("price", book.price)
        book.stock = sent.get("stock", book.stock)
        await self._session.commit()
        return book

    async def delete_book(self, book_id: UUID) -> None:
        """Take a book off the catalogue for good.

        Raises:
            NotFound: there is no such book.
            Conflict: it has been ordered, and orders are kept.
        """
        try:
            deleted = await self._books.delete(book_id)
            await self._session.commit()
        except IntegrityError as error:
            raise Conflict("The book has been ordered. Set its stock to 0 instead.") from error
        if not deleted:
            raise NotFound("There is no such book.")
