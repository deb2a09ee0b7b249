"""A write fails, and everybody is told that it was done.

`except Exception` around a commit catches the constraint that was hurt, the connection that was lost and the bug in the line
above. When the clause does no more than pass, log or roll back, the code behind it goes on as after a success: the client reads
200 and `"saved"`, and nothing was saved. A log record tells the operator; the caller needs an error.

Known limits: only what commits to a database or writes a document is followed, not payments. Clauses that set a flag, return
another value, call something, log no more than a warning or say in a comment why nothing is to be done are left alone, and so is
what is written on the side (history, statistics, notifications), by the names of the functions. In loops, beside another
commit and in helpers it is tentative.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.hidden_failures import HiddenFailure, hidden_failures
from fastapi_architect.analyses.own_code import written
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    dotted_name,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A broad except hides that a write was not done",
    severity=Severity.IMPORTANT,
    cwe=396,
    references=(
        "https://docs.python.org/3/tutorial/errors.html#handling-exceptions",
        "https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def a_failed_write_passes_for_done(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for hidden in hidden_failures(graph):
        yield _finding(hidden, graph)


def _finding(hidden: HiddenFailure, graph: AppGraph) -> Finding:
    function, handler = hidden.function, hidden.handler
    operations = graph.operations_running(function) or graph.entries(function)
    route = first_route(operations, function.name)
    call = f"{dotted_name(hidden.write.node.func)}()"
    caught = written(graph, function, handler.type)
    told = (
        f"{route} is answered as a success" if hidden.answers else f"no caller of `{function.name}` can tell"
    )
    return rule.at(
        function.location(handler),
        f"`{function.name}` catches whatever `{call}` raises and goes on: {told}.",
        "Catch what you expect and answer it with an error; let the rest pass:\n"
        "```python\ntry:\n    ...\nexcept IntegrityError as error:\n"
        '    raise HTTPException(409, "This is there already.") from error\n```',
        reasoning=f"`except{f' {caught}' if caught else ''}` catches everything, and nothing in the clause raises, "
        "returns an error or leaves a mark.",
        exploit=f"`{call}` fails, for a constraint or a lost connection: {told}, and nothing was written.",
        confidence=Confidence.FIRM if hidden.is_sure else Confidence.TENTATIVE,
        trace=steps((hidden.write, "fails"), (function.location(handler), "the failure ends here")),
        routes=routes_of(operations),
        symbol=function.full_name,
        context=Context(writes=True),
    )


_EXAMPLE = """
    import logging

    from fastapi import FastAPI%s
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")
    logger = logging.getLogger(__name__)


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        number: Mapped[str] = mapped_column(primary_key=True)


    Base.metadata.create_all(engine)


    @app.post("/orders/{number}")
    def place(number: str) -> dict[str, str]:
        with Session(engine) as session:
            session.add(Order(number=number))
            try:
                session.commit()
            %s
        return {"status": "placed"}


    @app.get("/orders")
    def count() -> int:
        with Session(engine) as session:
            return session.scalar(select(func.count()).select_from(Order)) or 0
"""

rule.bad = _EXAMPLE % (
    "",
    """except Exception:  # finding: broad-except-hides-failure
                session.rollback()
                logger.exception("an order was not placed")""",
)

rule.good = _EXAMPLE % (
    ", HTTPException",
    """except IntegrityError as error:
                session.rollback()
                raise HTTPException(409, "There is an order of this number.") from error""",
)


@rule.symptom
def an_order_is_placed_that_is_not_there(proof: Proof) -> None:
    """Two orders are confirmed, and one is there."""
    answers = [proof.client.post("/orders/7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json() == {"status": "placed"}
    assert proof.client.get("/orders").json() == 1
