"""Money is kept, or taken and given, as a binary floating-point number.

`0.1 + 0.2` is `0.30000000000000004`: a float cannot hold most amounts exactly. Sums drift by cents, totals do not equal the
sum of their lines, and comparisons with what was paid fail. `Numeric(12, 2)` in the table and `Decimal` in Python hold
what was written; whole cents in an integer do, too.

Known limits: money is known by the names of columns and fields; a price is taken for one of a catalogue, and tentative, where
nothing is traded and no amount stored; arithmetic that turns a `Numeric` column into a float in the middle of a function is
not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fastapi_architect.analyses.request_models import schema_uses
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import Schema
from fastapi_architect.program.definitions import Class, all_functions
from fastapi_architect.program.types import FLOAT, without_none
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Finding,
    Function,
    Instance,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    options,
    walk,
)

rule = Rule(
    __name__,
    "Money is held in a floating-point number",
    severity=Severity.IMPORTANT,
    cwe=1339,
    references=(
        "https://docs.python.org/3/tutorial/floatingpoint.html",
        "https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-FLOAT",
    ),
    requires=("sqlalchemy",),
)

#: Classes whose fee is a percentage as often as an amount, and whose total counts things.
_SETTINGS = lazy_pattern(r"(Settings|Config|Configuration|Options)$")
_STATISTICS = lazy_pattern(r"Count|Stat|Metric")

#: Last words of names that mean money wherever they stand.
_MONEY = frozenset("price fee fees balance salary subtotal refund payout invoice".split())  # noqa: SIM905
#: Words that mean money beside other money only.
_MAYBE = frozenset("amount total cost tax discount payment budget revenue wage charge deposit".split())  # noqa: SIM905
#: Names of classes whose amounts and totals are money.
_TRADE = lazy_pattern(
    r"order|invoice|payment|transaction|account|wallet|cart|basket|purchase|sale|expense|payroll|refund|checkout|"
    r"subscription|billing|ledger|donation|receipt",
    re.IGNORECASE,
)
_CURRENCIES = frozenset("usd eur gbp chf cny rmb inr jpy".split())  # noqa: SIM905
#: A word that says the number is something else: `price_change`, `load_balance_ratio`, `min_price` of a search.
_OTHER = frozenset(
    "rate ratio percent percentage pct score weight factor count tokens min max minimum maximum avg average "  # noqa: SIM905
    "mean std multiplier change delta vote votes white load class time seconds".split()
)


def _words(name: str) -> list[str]:
    return [w for w in re.split(r"[_\W]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()) if w]


def _means(name: str) -> str:
    """ "money", "maybe", or "" for a name that says nothing of the kind."""
    words = _words(name)
    if words and words[-1] in _CURRENCIES and len(words) > 1:
        return "money" if words[-2] in _MONEY | _MAYBE else ""
    if not words or _OTHER & set(words):
        return ""
    return "money" if words[-1] in _MONEY else "maybe" if words[-1] in _MAYBE else ""


def _is_money(name: str, owner: str, siblings: Iterable[str]) -> bool:
    """By its own name, or by the company it keeps."""
    meaning = _means(name)
    if _SETTINGS.search(owner) or meaning != "maybe":
        return meaning == "money" and not _SETTINGS.search(owner)
    if _STATISTICS.search(owner):
        return False
    others = {s for s in siblings if s != name}
    return bool(_TRADE.search(owner)) or any(
        _means(s) == "money" or _words(s)[-1:] == ["currency"] for s in others
    )


@rule.check(per=Model)
def float_column(model: Model, graph: AppGraph) -> Iterator[Finding]:
    names = [c.attribute or c.name for c in model.columns]
    for column in model.columns:
        name = column.attribute or column.name
        if column.owner is not model.cls or column.type is None or column.type.family != "float":
            continue
        if _is_money(name, model.name, names):
            mapped = f"{name}: Mapped[Decimal] = mapped_column(Numeric(12, 2))"
            yield rule.at(
                column,
                f"`{model.name}.{name}` keeps money in a {column.type.name} column, which cannot hold most amounts exactly.",
                "Use a decimal column, and migrate the values with a cast that rounds:\n```python\n"
                "from decimal import Decimal\n\n"
                f"from sqlalchemy import Numeric\n\n# Bad\n{name}: Mapped[float]\n# Good\n{mapped}\n```",
                reasoning="Binary fractions have no 0.1: sums over rows drift, and equality with a paid amount fails.",
                exploit=f"Three rows with 0.10 in `{model.name}.{name}` add up to 0.30000000000000004.",
                confidence=_sureness(name, model.cls, graph),
                symbol=model.cls.full_name,
            )


@rule.check(per=Schema)
def float_field(schema: Schema, graph: AppGraph) -> Iterator[Finding]:
    if schema.kind not in ("pydantic", "sqlmodel", "pydantic-dataclass"):
        return
    names = [f.name for f in schema.fields]
    # What no client sends is only shown: nothing is lost that was not a float before.
    sure = Confidence.FIRM if _is_sent(schema, graph) else Confidence.TENTATIVE
    for field in schema.fields:
        if (
            field.owner is schema.cls
            and without_none(field.type) == FLOAT
            and _is_money(field.name, schema.cls.name, names)
        ):
            optional = " | None" if field.nullable else ""
            yield rule.at(
                field,
                f"`{schema.cls.name}.{field.name}` is money, and a float: amounts are rounded before your code sees them.",
                "Let Pydantic read and write decimals:\n```python\nfrom decimal import Decimal\n\n# Bad\n"
                f"{field.name}: float{optional}\n# Good\n"
                f"{field.name}: Decimal{optional} = Field(max_digits=12, decimal_places=2)\n```\n"
                "Or send whole cents as an integer.",
                reasoning="Even where the column is exact, the value passes through a binary fraction here.",
exploit=f"A client sends 0.10 three times as `{field.name}`: the sum is 0.30000000000000004.",
                confidence=min(sure, _sureness(field.name, schema.cls, graph), key=_RANK.index),
                symbol=schema.cls.full_name,
            )  # fmt: skip


def _sureness(name: str, owner: Class, graph: AppGraph) -> Confidence:
    """A price may be that of a catalogue, shown and sorted by; balances and what is traded are somebody's money."""
    words = _words(name)
    if words[-1] not in ("price", "cost") and not {"price", "cost", "estimate", "estimated"} & set(words):
        return Confidence.FIRM
    traded = _TRADE.search(owner.name) or (_has_accounts(graph) and _is_reckoned(name, owner, graph))
    return Confidence.FIRM if traded else Confidence.TENTATIVE


@question
def _has_accounts(graph: AppGraph) -> bool:
    """Somebody is charged: amounts are stored in some table, or a payment provider is called.

    Without either, what is reckoned from a price is an estimate that is shown.
    """
    return bool(graph.program.mentioning(*_PROVIDERS)) or any(
        _is_amount(column.attribute or column.name, model)
        for model in graph.models
        for column in model.columns
    )


def _is_amount(name: str, model: Model) -> bool:
    """A column that holds what somebody pays or owns, and not what something would cost."""
    words = _words(name)
    if not words or words[-1] in ("price", "cost"):
        return bool(words) and _TRADE.search(model.name) is not None
    return _is_money(name, model.name, [c.attribute or c.name for c in model.columns])


#: Modules of companies that collect money.
_PROVIDERS = (
    "stripe",
    "paypalrestsdk",
    "paypalserversdk",
    "braintree",
    "Adyen",
    "square",
    "mollie",
    "razorpay",
    "paddle",
)


def _is_reckoned(name: str, owner: Class, graph: AppGraph) -> bool:
    """Some function calculates with it, or puts it into what is traded: `Order(price=book.price)`."""
    return any(
        _is_of(node, owner, function, graph)
        for module in graph.program.mentioning(name)
        if module.kind != "test"
        for function in all_functions(module)
        for node in _reckoned(function, name)
    )


def _reckoned(function: Function, name: str) -> Iterator[ir.Attribute]:
    """Reads of an attribute in arithmetic, in a sum, or in making something that is traded."""
    facts = function.facts
    parts: list[ir.Expr] = []
    for binary in facts.sites(ir.BinOp):
        parts += [binary.node.left, binary.node.right] if binary.node.op in _ARITHMETIC else []
    parts += [each.node.value for each in facts.sites(ir.AugAssign)]
    for call in facts.calls:
        made = last_name(call.node.func)
        if made in ("sum", "avg", "fsum") or (made[:1].isupper() and _TRADE.search(made)):
            parts += [*call.node.args, *(k.value for k in call.node.keywords)]
    for part in parts:
        yield from (n for n in walk(part) if isinstance(n, ir.Attribute) and n.attr == name)


def _is_of(node: ir.Attribute, owner: Class, function: Function, graph: AppGraph) -> bool:
    """The object is of this class, or of one that is not known."""
    kinds = options(graph.program.inference.type_of(node.value, function))
    known = [of for of in kinds if isinstance(of, Instance | ClassRef)]
    if not known:
        return True
    names = {of.name for of in known}
    return owner.full_name in names


_ARITHMETIC = frozenset({"+", "-", "*", "/"})
#: The less sure first.
_RANK = [Confidence.TENTATIVE, Confidence.FIRM, Confidence.CERTAIN]


def _is_sent(schema: Schema, graph: AppGraph) -> bool:
    """Clients fill in this model or one that inherits from it."""
    return id(schema.cls) in _sent(graph)


@question
def _sent(graph: AppGraph) -> frozenset[int]:
    """Classes by identity whose fields clients fill in."""
    read = [use.schema for use in schema_uses(graph).read.values()]
    owners = {id(field.owner) for each in read for field in each.fields}
    return frozenset(owners | {id(each.cls) for each in read})


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sqlalchemy import Float, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class OrderLine(Base):
        __tablename__ = "order_lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        price: Mapped[float] = mapped_column(Float)  # finding: money-as-float


    class LineIn(BaseModel):
        price: float  # finding: money-as-float


    Base.metadata.create_all(engine)


    @app.post("/lines")
    def add_line(line: LineIn) -> str:
        with Session(engine) as session:
            session.add(OrderLine(price=line.price))
            session.commit()
            return str(sum(session.scalars(select(OrderLine.price))))
"""

rule.good = """
    from decimal import Decimal

    from fastapi import FastAPI
    from pydantic import BaseModel
    from sqlalchemy import Numeric, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class OrderLine(Base):
        __tablename__ = "order_lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        price: Mapped[Decimal] = mapped_column(Numeric(12, 2))


    class LineIn(BaseModel):
        price: Decimal


    Base.metadata.create_all(engine)


    @app.post("/lines")
    def add_line(line: LineIn) -> str:
        with Session(engine) as session:
            session.add(OrderLine(price=line.price))
            session.commit()
            return str(sum(session.scalars(select(OrderLine.price))))
"""


@rule.symptom
def three_times_ten_cents_are_not_thirty(proof: Proof) -> None:
    """Three lines at 0.10 add up to 0.30000000000000004."""
    for _ in range(3):
        total = proof.client.post("/lines", json={"price": "0.10"}).json()
    assert total not in ("0.3", "0.30")
