"""No route has a session injected: making one in the handler is this project's way, and other rules look at it."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/a")
def a() -> int | None:
    with Session(engine) as session:
        return session.scalar(text("select 1"))
