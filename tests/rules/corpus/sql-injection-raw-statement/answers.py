"""What another service answers becomes part of a statement, or a bound value of it."""

import httpx
import requests
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
factory = sessionmaker(create_engine("sqlite://"))


def get_db():
    with factory() as session:
        yield session


def fetch(order_id: int) -> dict:
    return requests.get(f"https://delivery.example/orders/{order_id}", timeout=5).json()


@app.get("/orders/{order_id}")
def status(order_id: int, db: Session = Depends(get_db)) -> str:
    status = fetch(order_id)["status"]
    db.execute(text(f"UPDATE orders SET status = '{status}' WHERE id = {order_id}"))  # finding: sql-injection-raw-statement
    return status


@app.get("/bound/{order_id}")
def bound(order_id: int, db: Session = Depends(get_db)) -> str:
    status = fetch(order_id)["status"]
    db.execute(text("UPDATE orders SET status = :status"), {"status": status})  # silent: a bound value
    return status


@app.get("/codes/{order_id}")
async def codes(order_id: int, db: Session = Depends(get_db)) -> int:
    async with httpx.AsyncClient() as client:
        answer = await client.get("https://delivery.example/")
    db.execute(text(f"UPDATE orders SET code = {answer.status_code}"))  # silent: a number
    count = int(answer.json()["count"])
    db.execute(text(f"UPDATE orders SET count = {count}"))  # silent: a number by now
    return count


def refresh(db: Session) -> None:
    names = requests.get("https://delivery.example/names", timeout=5).json()
    for name in names:
        store(name["name"], db)


def store(name: str, db: Session) -> None:
    db.execute(text(f"INSERT INTO names VALUES ('{name}')"))  # finding: sql-injection-raw-statement no operation asks for it
