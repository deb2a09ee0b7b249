"""Which database is asked depends on the caller; scripts make what they like."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text

app = FastAPI()


def probe(host: str) -> bool:
    engine = create_engine(f"postgresql+psycopg://reader@{host}/shop")
    with engine.connect() as connection:
        return connection.scalar(text("select 1")) == 1


@app.get("/sites/{site}")
def is_reachable(site: str) -> bool:
    return probe(f"{site}.example.org")


def main() -> None:
    with create_engine("sqlite:///shop.db").connect() as connection:
        connection.execute(text("select 1"))
