"""When a row was read is kept on purpose; a row that is made, or another column, is a change."""

from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy import create_engine, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Report(Base):
    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    last_access: Mapped[datetime]


class Shelf:
    def save(self, report: Report) -> None:
        with Session(engine) as session:
            session.add(report)
            session.commit()

    def find(self, report_id: int) -> Report:
        with Session(engine) as session:
            return session.get_one(Report, report_id)


shelf = Shelf()


@app.get("/reports/{report_id}")
def read(report_id: int) -> str:
    report = shelf.find(report_id)
    report.last_access = datetime.now(UTC)
    shelf.save(report)
    return report.title


@app.get("/reports/{report_id}/title")
def title(report_id: int) -> None:
    with Session(engine) as session:
        session.execute(update(Report).where(Report.id == report_id).values(last_access=datetime.now(UTC)))
        session.commit()


@app.get("/reports/{report_id}/renamed")
def rename(report_id: int) -> None:  # finding: unsafe-method-semantics
    report = shelf.find(report_id)
    report.title = "renamed"
    report.last_access = datetime.now(UTC)
    shelf.save(report)


@app.get("/reports/new")
def new() -> None:  # finding: unsafe-method-semantics
    report = Report(title="new")
    report.last_access = datetime.now(UTC)
    shelf.save(report)
