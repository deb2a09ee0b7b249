"""A script's one session serves nobody else."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/orders")
def count_orders() -> int:
    with Session(engine) as session:
        return session.scalar(text("select count(*) from orders"))


def repair(session: Session) -> None:
    session.execute(text("delete from orders where total < 0"))


if __name__ == "__main__":
    session = Session(engine)
    repair(session)
