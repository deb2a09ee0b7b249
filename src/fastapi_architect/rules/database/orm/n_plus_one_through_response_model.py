"""The response model reads a relationship of every row, and each reading is a query.

The handler returns rows, and FastAPI fills the response model from them. A field that is a relationship is loaded lazily
at that moment, once for each row: a page of 100 books with their authors takes up to 101 queries, and nothing in the
handler shows it. `selectinload` fetches all of them in one more query.

Known limits: loading is looked for in everything the handler calls, so that an option on another query of the same
relationship counts, too. With asyncio the same field fails instead; another rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.schemas import Schema, SchemaField
from fastapi_architect.concepts.database import LoaderOption, SqlExecution
from fastapi_architect.program.types import options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Type,
    ir,
    last_name,
    steps,
)

rule = Rule(
    __name__,
    "The response model queries once for each row",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#selectin-eager-loading",
        "https://fastapi.tiangolo.com/tutorial/response-model/",
    ),
    requires=("sqlalchemy",),
)

_LISTS = ("list", "List", "Sequence", "Iterable", "tuple", "set", "ScalarResult")
#: Rows of a page when nothing says how many.
_PAGE = 100


@rule.check(per=PathOperation)
def lazy_field(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.response_type is None or operation.is_websocket:
        return
    schema = _row_schema(operation.response_type, graph)
    model = _row_model(graph.program.inference.return_type(handler), graph)
    if schema is None or model is None or schema.kind.startswith("sqlmodel-table"):
        return
    lazy = list(_lazy(schema, model, graph, ()))
    if not lazy:
        return
    reached, complete = effects(graph).reached(operation.functions)
    loaded = _loaded(reached, graph)
    for path, field, relationship in lazy:
        if "*" in loaded or relationship.attribute in loaded or _is_async(reached, graph):
            continue
        yield _finding(operation, handler, (path, field, relationship), model, complete=complete)
        return


def _element(of: Type | None) -> Type | None:
    """What a list type holds; None for anything that is no list."""
    for option in options(of):
        if not isinstance(option, Instance) or not isinstance(option.cls, str) or not option.args:
            continue
        if option.cls.rpartition(".")[2] in _LISTS:
            return option.args[0]
    return None


def _row_schema(of: Type, graph: AppGraph) -> Schema | None:
    for option in options(_element(of)):
        if isinstance(option, Instance):
            return _schema(option, graph)
    return None


def _schema(of: Instance, graph: AppGraph) -> Schema | None:
    return next((s for s in graph.schemas if s.cls is of.cls), None)


def _row_model(of: Type | None, graph: AppGraph) -> Model | None:
    for option in options(_element(of)):
        if isinstance(option, Instance) and id(option.cls) in graph.database.model_of:
            return graph.database.model_of[id(option.cls)]
    return None


Lazy = tuple[tuple[str, ...], SchemaField, Relationship]


def _lazy(schema: Schema, model: Model, graph: AppGraph, above: tuple[str, ...]) -> Iterator[Lazy]:
    """Fields of the schema that read a lazy relationship of the model, and those of the schemas below them."""
    for field in schema.fields:
        relationship = model.relationship_by_name.get(field.name)
        if field.excluded or relationship is None or field.is_computed:
            continue
        path = (*above, field.name)
        if relationship.loads_when_read:
            yield path, field, relationship
        target = graph.database.model_of.get(id(relationship.target))
        if target is not None and len(path) < 3:
            for option in options(_element(field.type) or field.type):
                below = _schema(option, graph) if isinstance(option, Instance) else None
                if below is not None:
                    yield from _lazy(below, target, graph, path)


def _loaded(functions: tuple[Function, ...], graph: AppGraph) -> set[str]:
    """Attributes that some loader option names; "*" where one cannot be read."""
    found: set[str] = set()
    for function in functions:
        if any(isinstance(a, ir.Starred) for s in function.facts.calls_named("options") for a in s.node.args):
            found.add("*")  # options of a constant, or those that a dependency was made with
        for option in graph.within(LoaderOption, function):
            if option.kind in ("selectin", "joined", "subquery", "contains", "raise", "noload"):
                found |= {last_name(a) or "*" for a in option.attributes} or {"*"}
    return found


def _is_async(functions: tuple[Function, ...], graph: AppGraph) -> bool:
    return any(call.is_async for function in functions for call in graph.within(SqlExecution, function))


def _rows(operation: PathOperation, graph_default: int = _PAGE) -> tuple[str, int]:
    """Name of the page size's parameter with its default, as far as they are known."""
    for parameter in operation.all_parameters():
        if parameter.name in ("limit", "size", "page_size", "per_page", "take", "count"):
            value = getattr(getattr(parameter, "default", None), "value", None)
            return parameter.name, value if isinstance(value, int) and value > 0 else graph_default
    return "", graph_default


def _finding(
    operation: PathOperation, handler: Function, found: Lazy, model: Model, *, complete: bool
) -> Finding:
    path, field, relationship = found
    size, rows = _rows(operation)
    sure = complete and not operation.is_write  # a write answers with the few rows that it was sent
    option = f"selectinload({model.name}.{path[0]})" + "".join(
        f".selectinload({relationship.owner.name}.{p})" for p in path[1:]
    )
    shown = f"`{size}={rows}`" if size else f"{rows} rows"
    return rule.at(
        handler,
        f"{operation.names[0]} runs 1 + n queries: `{field.owner.name}.{field.name}` loads `{relationship.owner.name}."
        f"{relationship.attribute}` once for each row, up to {rows + 1} queries with {shown}.",
        "Load it together with the rows, where the statement is made:\n```python\n"
        f"statement = select({model.name}).options({option})\n```\nor leave the field out of `{field.owner.name}`.",
        reasoning=f"The relationship is loaded lazily (`lazy={relationship.lazy!r}`), and no loader option in what "
        f"`{handler.name}` calls names it; FastAPI reads it while it builds the response.",
        exploit=f"With {rows} rows, `{operation.names[0]}` sends one query for them and {rows} more, one for each `{path[-1]}`.",
        confidence=Confidence.FIRM if sure else Confidence.TENTATIVE,
        trace=steps(
            (field.location, f"the response model reads `{field.name}`"),
            (relationship.location, f"`{relationship.attribute}` is loaded when it is read"),
        ),
        routes=operation.names,
        impact=float(rows),
    )


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
        author: Mapped[Author] = relationship()


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str


    class BookOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        author: AuthorOut


    Base.metadata.create_all(engine)


    @app.post("/books/{author}")
    def add_book(author: str, session: SessionDep) -> None:
        session.add(Book(author=Author(name=author)))
        session.commit()


    @app.get("/books", response_model=list[BookOut])
    def list_books(session: SessionDep, limit: int = 50) -> list[Book]:  # finding: n-plus-one-through-response-model
        return list(session.scalars(select(Book).limit(limit)))
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
        author: Mapped[Author] = relationship()


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str


    class BookOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        author: AuthorOut


    Base.metadata.create_all(engine)


    @app.post("/books/{author}")
    def add_book(author: str, session: SessionDep) -> None:
        session.add(Book(author=Author(name=author)))
        session.commit()


    @app.get("/books", response_model=list[BookOut])
    def list_books(session: SessionDep, limit: int = 50) -> list[Book]:
        return list(session.scalars(select(Book).options(selectinload(Book.author)).limit(limit)))
"""


@rule.symptom
def five_books_take_six_queries(proof: Proof) -> None:
    """Five books of five authors are answered with one query for the books and one for each author."""
    for author in ("Austen", "Brontë", "Christie", "Dickens", "Eliot"):
        proof.client.post(f"/books/{author}")
    with proof.count_statements() as counted:
        assert len(proof.client.get("/books").json()) == 5
    assert len([s for s in counted.statements if "SELECT" in s]) >= 6
