"""Values that the driver writes into the statement, quoted; and the text that it takes as it is."""

import psycopg2
from fastapi import FastAPI, HTTPException
from psycopg2 import sql
from sqlalchemy import create_engine, literal, select, text

app = FastAPI()
engine = create_engine("postgresql+psycopg://shop")
CONNECTION = psycopg2.connect("dbname=shop")
MAX = 10


def column_of(index) -> str:
    if index <= 0 or index > MAX:
        raise HTTPException(422, "There is no such column.")
    return f"note_{index}"


class Client:
    def __enter__(self):
        return self.connection.cursor()

    def __exit__(self, *args):
        self.connection.close()


@app.get("/books/{title}")
def by_title(title: str):
    with Client() as cur:
        query = cur.mogrify("SELECT * FROM books WHERE title = %(title)s", {"title": title})
        cur.execute(query=query)
        return cur.fetchall()


@app.get("/many")
def many(a: str, b: str):
    cursor = CONNECTION.cursor()
    rows = b",".join(cursor.mogrify("(%s, %s)", (each, 1)) for each in (a, b))
    cursor.execute(b"INSERT INTO tags VALUES " + rows)


@app.put("/notes/{title}")
def note(title: str, index: int, note: str):
    column = column_of(index)
    with Client() as cur:
        cur.execute(cur.mogrify(f"UPDATE books SET {column} = %(n)s WHERE title = %(t)s", {"n": note, "t": title}))


@app.put("/notes-of-body")
def note_of_body(body: dict):
    column = column_of(body["index"])
    cursor = CONNECTION.cursor()
    cursor.execute(f"UPDATE books SET {column} = %s", (body["note"],))


@app.put("/unchecked")
def unchecked(body: dict):
    with Client() as cur:
        query = cur.mogrify(f"UPDATE books SET note_{body['index']} = %s", (body["note"],))
        cur.execute(query)  # finding: sql-injection-raw-statement


@app.get("/composed")
def composed(table: str, title: str):
    cursor = CONNECTION.cursor()
    query = sql.SQL("SELECT * FROM {} WHERE title = {}").format(sql.Identifier(table), sql.Literal(title))
    cursor.execute(query)
    names = sql.SQL(", ").join(map(sql.Identifier, table.split(",")))
    cursor.execute(sql.SQL("SELECT {names} FROM books").format(names=names))


@app.get("/composed-text")
def composed_text(table: str):
    cursor = CONNECTION.cursor()
    cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(table)))  # finding: sql-injection-raw-statement


@app.get("/bound")
def bound(title: str):
    with engine.connect() as connection:
        connection.execute(text("SELECT * FROM books WHERE title = :t").bindparams(t=title))
        connection.execute(select(literal(title)))
        return connection.execute(text(f"SELECT '{title}'").bindparams()).all()  # finding: sql-injection-raw-statement
