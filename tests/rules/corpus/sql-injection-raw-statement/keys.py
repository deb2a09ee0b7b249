"""Columns named by the keys of a mapping: whoever wrote the keys down decides, not whoever sent the values."""

from dataclasses import asdict, dataclass

import psycopg
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
CONNECTION = psycopg.connect("dbname=shop")


class Account(BaseModel):
    name: str
    mail: str


def written(text: str) -> str:
    return text.lower()


def update(changes) -> None:
    columns = [f"{written(key)} = %({key})s" for key in changes.keys()]
    CONNECTION.execute(f"UPDATE accounts SET {', '.join(columns)}", changes)


def update_pairs(changes) -> None:
    columns = []
    for key, value in changes.items():
        columns.append(f"{key} = %({key})s")
    CONNECTION.execute(f"UPDATE accounts SET {', '.join(columns)}", changes)


def update_anything(changes) -> None:
    columns = [f"{written(key)} = %({key})s" for key in changes.keys()]
    CONNECTION.execute(f"UPDATE accounts SET {', '.join(columns)}", changes)  # finding: sql-injection-raw-statement


@app.post("/name")
def rename(account: Account) -> None:
    update(changes={"name": account.name})
    changes = {}
    if account.mail:
        changes["mail"] = account.mail
    update(changes)
    update_pairs(changes)


@app.post("/account")
def change(account: Account) -> None:
    update(account.model_dump())
    update_pairs(account.model_dump())


@app.post("/anything")
def change_anything(body: dict) -> None:
    update_anything(body)


@app.post("/chosen")
def change_chosen(account: Account) -> None:
    given = account.dict(exclude_unset=True)
    chosen = {key: given[key] for key in given.keys() if key != "id"}
    CONNECTION.execute(f"UPDATE accounts SET {', '.join(f'{key} = :{key}' for key in chosen.keys())}", chosen)


@app.post("/copied")
def copied(account: Account) -> None:
    row = dict(CONNECTION.execute("SELECT * FROM accounts").fetchone())
    row.update({"name": account.name}, mail=account.mail)
    CONNECTION.execute(f"INSERT INTO accounts ({', '.join(row.keys())}) VALUES (%(name)s)", row)


@app.post("/chosen-by-the-client")
def change_what_is_sent(body: dict) -> None:
    chosen = {key: value for key, value in body.items() if value}
    CONNECTION.execute(f"UPDATE accounts SET {', '.join(f'{key} = :{key}' for key in chosen.keys())}", chosen)  # finding: sql-injection-raw-statement


@app.post("/copied-from-the-client")
def copy_what_is_sent(body: dict) -> None:
    row = {"name": "x"}
    row.update(body)
    CONNECTION.execute(f"INSERT INTO accounts ({', '.join(row.keys())}) VALUES (%(name)s)", row)  # finding: sql-injection-raw-statement


class Accounts:
    """Its functions are called on the class."""

    def update(account: Account) -> None:
        given = account.model_dump()
        CONNECTION.execute(f"UPDATE accounts SET {', '.join(f'{key} = :{key}' for key in given.keys())}", given)

    def find(account: Account) -> None:
        CONNECTION.execute(f"SELECT * FROM accounts WHERE name = '{account.name}'")  # finding: sql-injection-raw-statement


@app.post("/on-the-class")
def on_the_class(account: Account) -> None:
    Accounts.update(account)
    Accounts.find(account)


@dataclass
class Rating:
    stars: int
    words: str


@app.post("/rating")
def rate(rating: Rating) -> None:
    given = {key: value for key, value in asdict(rating).items() if value}
    CONNECTION.execute(f"INSERT INTO ratings ({', '.join(given.keys())}) VALUES (%(stars)s, %(words)s)", given)


@app.post("/rating-by-hand")
def rate_by_hand(rating: Rating) -> None:
    given = asdict(rating)
    CONNECTION.execute(f"INSERT INTO ratings (words) VALUES ('{given['words']}')")  # finding: sql-injection-raw-statement
