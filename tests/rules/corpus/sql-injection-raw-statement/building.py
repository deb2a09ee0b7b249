"""Every way to put text together."""

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/f-string")
def f_string(name: str):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement


@app.get("/percent")
def percent(name: str):
    query = "SELECT * FROM books WHERE name = '%s'" % name
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/percent-mapping")
def percent_mapping(name: str):
    query = "SELECT * FROM books WHERE name = '%(name)s'" % {"name": name}
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/format")
def format_(name: str):
    query = "SELECT * FROM books WHERE name = '{}'".format(name)
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/plus")
def plus(name: str):
    query = "SELECT * FROM books WHERE name = '" + name + "'"
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/augmented")
def augmented(name: str | None = None):
    query = "SELECT * FROM books"
    if name:
        query += f" WHERE name = '{name.strip()}'"
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/join")
def join(names: list[str]):
    conditions = []
    for name in names:
        conditions.append(f"name = '{name}'")
    query = "SELECT * FROM books WHERE " + " OR ".join(conditions)
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/comprehension")
def comprehension(names: list[str]):
    query = "SELECT * FROM books WHERE name IN (%s)" % ", ".join(["'" + name + "'" for name in names])
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/placeholders")
def placeholders(names: list[str]):
    query = "SELECT * FROM books WHERE name IN (%s)" % ", ".join(f":n{i}" for i, _ in enumerate(names))
    values = {f"n{i}": name for i, name in enumerate(names)}
    with engine.connect() as connection:
        return connection.execute(text(query), values).all()


@app.get("/conditions")
def conditions(name: str | None = None, author: str | None = None):
    clauses, values = [], {}
    if name:
        clauses.append("name = :name")
        values["name"] = name
    if author:
        clauses.append("author = :author")
        values["author"] = author
    with engine.connect() as connection:
        return connection.execute(text("SELECT * FROM books WHERE " + " AND ".join(clauses)), values).all()


@app.get("/walrus")
def walrus(name: str):
    with engine.connect() as connection:
        if query := f"SELECT * FROM books WHERE name = '{name}'":
            return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/conditional")
def conditional(name: str, exact: bool):
    query = f"SELECT * FROM books WHERE name = '{name}'" if exact else "SELECT * FROM books"
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/bindparams")
def bindparams(name: str):
    statement = text("SELECT * FROM books WHERE name = :name").bindparams(name=name)
    with engine.connect() as connection:
        return connection.execute(statement).all()


@app.get("/driver")
def driver(name: str):
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT * FROM books WHERE name = '" + name + "'").all()  # finding: sql-injection-raw-statement


@app.get("/rebound")
def rebound(name: str):
    name = "fixed"
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()


@app.get("/expression")
def expression(name: str):
    from sqlalchemy import column, select, table

    books = table("books", column("name"))
    with engine.connect() as connection:
        return connection.execute(select(books).where(books.c.name == name)).all()


class Changes(BaseModel):
    name: str | None = None
    author: str | None = None


@app.patch("/fields-of-a-model")
def fields_of_a_model(changes: Changes):
    values = changes.model_dump(exclude_unset=True)
    assignments = ", ".join(f"{key} = :{key}" for key in values)
    with engine.connect() as connection:
        connection.execute(text(f"UPDATE books SET {assignments}"), values)


@app.patch("/items-of-a-model")
def items_of_a_model(changes: Changes):
    assignments = [f"{key} = :{key}" for key, value in changes.model_dump().items() if value is not None]
    with engine.connect() as connection:
        connection.execute(text(f"UPDATE books SET {', '.join(assignments)}"), changes.model_dump())


@app.patch("/values-of-a-model")
def values_of_a_model(changes: Changes):
    assignments = [f"{key} = '{value}'" for key, value in changes.model_dump().items()]
    with engine.connect() as connection:
        connection.execute(text(f"UPDATE books SET {', '.join(assignments)}"))  # finding: sql-injection-raw-statement


@app.patch("/keys-of-a-body")
def keys_of_a_body(changes: dict[str, str]):
    assignments = [f"{key} = :{key}" for key in changes]
    with engine.connect() as connection:
        connection.execute(text(f"UPDATE books SET {', '.join(assignments)}"), changes)  # finding: sql-injection-raw-statement


def conditions_for(name: str, limit: str):
    values = {"name": name, "limit": limit}
    return "name = :name LIMIT :limit", values


@app.get("/pair")
def pair(name: str, limit: str):
    condition, values = conditions_for(name, limit)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE {condition}"), values).all()


@app.patch("/collected")
def collected(changes: Changes):
    values: dict[str, str] = {}
    for key, value in changes.model_dump().items():
        if value is not None:
            values[key] = value
    with engine.connect() as connection:
        connection.execute(text("UPDATE books SET " + ", ".join(f"{key} = :{key}" for key in values)), values)


@app.patch("/constant-keys")
def constant_keys(name: str | None = None, author: str | None = None):
    values = {"id": 1}
    if name:
        values["name"] = name
    if author:
        values["author"] = author
    with engine.connect() as connection:
        connection.execute(text("UPDATE books SET " + ", ".join(f"{key} = :{key}" for key in values)), values)


@app.patch("/collected-values")
def collected_values(changes: Changes):
    values: dict[str, str] = {}
    for key, value in changes.model_dump().items():
        values[key] = value
    query = "UPDATE books SET " + ", ".join(f"{key} = '{values[key]}'" for key in values)
    with engine.connect() as connection:
        connection.execute(text(query))  # finding: sql-injection-raw-statement
