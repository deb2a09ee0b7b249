"""`.update` of a dictionary of query parameters stores nothing; `.delete` of a query does."""

from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import Depends, FastAPI, Request
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Draft(Base):
    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)


def get_session() -> Session:
    raise NotImplementedError


app = FastAPI()


def next_page(query: str, page: int) -> str:
    query = parse_qs(query)
    query.update({"page": [str(page + 1)]})
    return urlencode(query, doseq=True)


@app.get("/drafts")
def list_drafts(request: Request, page: int = 1) -> str:
    return next_page(str(request.url.query), page)


@app.get("/drafts/link")
def link(query_params, page: int = 1) -> str:
    query_params.update({"page": page})
    return urlencode(query_params)


@app.get("/drafts/clear")
def clear(session: Annotated[Session, Depends(get_session)]) -> str:  # finding: unsafe-method-semantics
    drafts_query = session.query(Draft)
    drafts_query.delete()
    session.commit()
    return "cleared"
