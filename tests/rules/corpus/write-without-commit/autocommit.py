"""Every statement is committed by the engine."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop", isolation_level="AUTOCOMMIT")


@app.post("/views")
def count_view() -> None:
    with engine.connect() as connection:
        connection.execute(text("UPDATE counters SET views = views + 1"))
