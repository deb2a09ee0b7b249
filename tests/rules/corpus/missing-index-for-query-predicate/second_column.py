"""An index helps with its first column, not with its second; a legacy query searches like any other."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import Index, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Visit(Base):
    __tablename__ = "visits"
    __table_args__ = (Index("ix_visits", "site", "visitor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str]
    visitor: Mapped[str]
    at: Mapped[datetime]


def of_visitor(session: Session, visitor: str) -> list[Visit]:
    return session.query(Visit).filter_by(visitor=visitor).all()  # finding: missing-index-for-query-predicate


def of_site(session: Session, site: str, visitor: str) -> list[Visit]:
    return session.query(Visit).filter(Visit.site == site, Visit.visitor == visitor).all()


@app.get("/visits")
def list_visits(site: str, visitor: str) -> int:
    with Session(engine) as session:
        return len(of_visitor(session, visitor)) + len(of_site(session, site, visitor))
