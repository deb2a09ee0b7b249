"""Through dependencies, service classes and repositories."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request, WebSocket
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from repository import BookRepository, count_by_author, in_thread, page_of
from service import BookService, get_service
from sqlalchemy import text
from sqlalchemy.orm import Session
from store import get_session

app = FastAPI()
SessionDep = Annotated[Session, Depends(get_session)]


class Filters(BaseModel):
    name: str
    limit: int = 10


@dataclass
class Sorting:
    column: str = "id"
    page: int = 1


def lowered(name: str) -> str:
    return name.lower()


class Paging:
    def __init__(self, cursor: str, size: int = 10):
        self.cursor = cursor
        self.size = size


@app.get("/service")
def through_service(name: str, service: Annotated[BookService, Depends(get_service)]):
    return service.named(name)


@app.get("/repository")
def through_repository(author: str, session: SessionDep):
    return BookRepository(session).by_author(author)


@app.get("/dependency")
def through_dependency(session: SessionDep, name: str = Depends(lowered)):
    return session.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement


@app.get("/class-dependency")
def class_dependency(session: SessionDep, paging: Annotated[Paging, Depends()]):
    first = session.execute(text(f"SELECT * FROM books LIMIT {paging.size}")).all()
    return first + session.execute(text(f"SELECT * FROM books WHERE id > '{paging.cursor}'")).all()  # finding: sql-injection-raw-statement


@app.get("/dataclass-dependency")
def dataclass_dependency(session: SessionDep, sorting: Annotated[Sorting, Depends()]):
    first = session.execute(text(f"SELECT * FROM books OFFSET {sorting.page}")).all()
    return first + session.execute(text(f"SELECT * FROM books WHERE c = '{sorting.column}'")).all()  # finding: sql-injection-raw-statement


@app.get("/request")
def through_request(request: Request, session: SessionDep):
    name = request.query_params["name"]
    return session.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement


@app.post("/json")
async def through_json(request: Request, session: SessionDep):
    body = await request.json()
    query = f"SELECT * FROM books WHERE name = '{body['name']}'"
    return session.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/state")
def through_state(request: Request, session: SessionDep):
    return session.execute(text(f"SELECT * FROM {request.app.state.schema}.books")).all()


@app.post("/model")
def through_model(filters: Filters, session: SessionDep):
    rows = session.execute(text(f"SELECT * FROM books LIMIT {filters.limit}")).all()
    return rows + session.execute(text(f"SELECT * FROM books WHERE name = '{filters.name}'")).all()  # finding: sql-injection-raw-statement


@app.get("/header")
def through_header(x_tenant: Annotated[str, Header()], session: SessionDep):
    return count_by_author(session, filters={"author": x_tenant, "limit": 3})


@app.get("/keywords")
def through_keywords(name: str, session: SessionDep):
    values = {"name": name}
    return page_of(session, **values)


@app.websocket("/socket")
async def through_socket(socket: WebSocket, session: SessionDep):
    await socket.accept()
    name = await socket.receive_text()
    session.execute(text(f"SELECT * FROM books WHERE name = '{name}'"))  # finding: sql-injection-raw-statement


@app.get("/closure")
def through_closure(name: str, session: SessionDep):
    def load():
        return session.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement

    return load()


@app.get("/lambda")
async def through_lambda(name: str, session: SessionDep):
    return await run_in_threadpool(lambda: session.execute(text(f"SELECT 1 WHERE name = '{name}'")).all())  # finding: sql-injection-raw-statement


@app.get("/thread")
async def through_thread(name: str, session: SessionDep):
    return await run_in_threadpool(in_thread, session, name)


@app.get("/partial")
def through_partial(name: str, session: SessionDep):
    load = partial(BookRepository(session).by_code, name)
    return load()
