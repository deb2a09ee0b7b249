"""The name says that every row is meant, or only some of them."""

from fastapi import FastAPI
from sqlalchemy import create_engine, delete, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Banner(Base):
    __tablename__ = "banners"

    id: Mapped[int] = mapped_column(primary_key=True)
    shown: Mapped[bool]


def deactivate_all(session: Session) -> None:
    session.execute(update(Banner).values(shown=False))


def purge_banners(session: Session) -> None:
    session.execute(delete(Banner))


def purge_old(session: Session) -> None:
    session.execute(delete(Banner))  # finding: write-statement-without-where


def allow(session: Session) -> None:
    session.execute(update(Banner).values(shown=True))  # finding: write-statement-without-where


@app.post("/banners/{banner_id}")
def show(banner_id: int) -> None:
    with Session(engine) as session:
        deactivate_all(session)
        session.execute(update(Banner).where(Banner.id == banner_id).values(shown=True))
        session.commit()


@app.delete("/banners")
def remove() -> None:
    with Session(engine) as session:
        purge_banners(session)
        purge_old(session)
        allow(session)
        session.commit()
