"""Raising again, raising something else, and cleaning up in `finally` all let it go on."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


def get_session() -> Iterator[Session]:
    session = Session(engine)
    try:
        yield session
        session.commit()
    except IntegrityError as exc:
        session.rollback()
        raise HTTPException(409, "it exists") from exc
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


@app.get("/books")
def count(session: Annotated[Session, Depends(get_session)]) -> int:
    return session.scalar(text("select count(*) from books")) or 0
