from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session


def built(name: str) -> TextClause:
    return text("SELECT * FROM books WHERE name = '" + name + "'")  # finding: sql-injection-raw-statement


class Repository:
    def __init__(self, session: Session):
        self.session = session

    def run(self, query: str):
        return self.session.execute(text(query)).all()  # finding: sql-injection-raw-statement


class BookRepository(Repository):
    def by_name(self, name: str):
        statement = built(name)
        return self.session.execute(statement).all()

    def by_author(self, author: str):
        return self.run(f"SELECT * FROM books WHERE author = '{author}'")

    def by_code(self, code: str):
        return self.session.execute(text(f"SELECT * FROM books WHERE code = '{code}'")).all()  # finding: sql-injection-raw-statement

    def latest(self):
        return self.run("SELECT * FROM books ORDER BY id DESC")


def count_by_author(session: Session, filters: dict):
    limited = text(f"SELECT 1 LIMIT {filters['limit']}")
    session.execute(limited)
    return session.execute(text(f"SELECT count(*) FROM books WHERE author = '{filters['author']}'")).scalar()  # finding: sql-injection-raw-statement


def page_of(session: Session, name: str, size: int = 10):
    return session.execute(text(f"SELECT * FROM books WHERE name = '{name}' LIMIT {size}")).all()  # finding: sql-injection-raw-statement


def in_thread(session: Session, name: str):
    return session.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement


def maintenance(session: Session, table: str):
    """Nothing calls it with request data."""
    return session.execute(text(f"VACUUM {table}"))
