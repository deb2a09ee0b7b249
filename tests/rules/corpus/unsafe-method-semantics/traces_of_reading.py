"""Reading leaves a trace: a counter of views, an audit entry, the time of the last visit; a POST may store."""

from fastapi import FastAPI
from sqlalchemy import create_engine, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    views: Mapped[int]


class AuditEntry(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def count_view(session: Session, number: int) -> None:
    session.execute(update(Page).where(Page.id == number).values(views=Page.views + 1))
    session.commit()


@app.get("/pages/{number}")
def read_page(number: int) -> str:
    with Session(engine) as session:
        count_view(session, number)
        session.add(AuditEntry(text="read"))
        session.commit()
    return "page"


@app.post("/pages")
def create_page() -> str:
    with Session(engine) as session:
        session.add(Page(views=0))
        session.commit()
    return "page"
