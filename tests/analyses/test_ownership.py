"""Who is signed in, whose are the rows, and what is looked up for whom."""

from __future__ import annotations

from pathlib import Path

from tests.appgraph.sample import program_of

from fastapi_architect.analyses.origins import CALLER, flat
from fastapi_architect.analyses.ownership import checked_inputs, unscoped_lookups
from fastapi_architect.analyses.principal import story
from fastapi_architect.analyses.row_owners import owners, principal_models
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.source.tree import SourceTree

START = """
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase): ...

class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    buyer: Mapped[int] = mapped_column(ForeignKey("people.id"))
    approved_by: Mapped[int] = mapped_column(ForeignKey("people.id"))

class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))

class Colour(Base):
    __tablename__ = "colours"
    id: Mapped[int] = mapped_column(primary_key=True)

app = FastAPI()

def get_session() -> Session: ...

def current(token: str = Depends(OAuth2PasswordBearer("t")), session: Session = Depends(get_session)) -> Person:
    person = session.scalar(select(Person).where(Person.token == token))
    if person is None:
        raise HTTPException(401)
    return person
"""


def graph_of(tmp_path: Path, text: str) -> AppGraph:
    return AppGraph(program_of(START + text), all_libraries(), SourceTree.open(tmp_path))


READ = """
@app.get("/orders/{order_id}")
def read(order_id: int, person: Person = Depends(current), session: Session = Depends(get_session)):
    order = session.get(Order, order_id)
"""


def test_the_principal_is_what_the_guard_gives(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, READ)
    assert [model.name for model in principal_models(graph)] == ["Person"]
    frame = story(graph, graph.operations[0]).frames[-1]
    assert flat(frame.arguments["person"]) == {CALLER}
    assert flat(frame.arguments["order_id"]) == {("client", "order_id")}


def test_owners_are_found_by_foreign_keys_and_not_by_names(tmp_path: Path) -> None:
    found = owners(graph_of(tmp_path, READ))
    assert sorted(owner.path for owner in found.values()) == ["Line.order_id -> Order.buyer", "Order.buyer"]


def test_a_row_that_is_given_away_unseen_is_unscoped(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, READ + "    return order\n")
    (found,) = unscoped_lookups(graph, graph.operations[0])
    assert (found.owner.model.name, found.chosen) == ("Order", ("client", "order_id"))


def test_a_comparison_in_a_helper_covers_what_the_client_chose(tmp_path: Path) -> None:
    text = READ + "    check(person, order)\n    return order\n"
    helper = "\ndef check(who, what):\n    if what.buyer != who.id:\n        raise HTTPException(404)\n"
    graph = graph_of(tmp_path, helper + text)
    assert ("client", "order_id") in {
        origin[:2] for origin in checked_inputs(story(graph, graph.operations[0]))
    }
    assert unscoped_lookups(graph, graph.operations[0]) == ()


def test_a_row_that_is_only_looked_for_is_not_used(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, READ + "    if order is None:\n        raise HTTPException(404)\n")
    assert unscoped_lookups(graph, graph.operations[0]) == ()
