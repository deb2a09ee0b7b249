"""A list reads the long texts, documents or files of every row, and nobody looks at them.

`select(Book)` asks for every column of the table. Where a list shows titles, the database reads each book's full text
from disk all the same, sends it, and the process keeps all of them in memory until the answer is out. `load_only` or
`defer` leaves the long columns in the database; where one or two values are needed, `select(Book.id)` is enough.

The rows are followed through names, loops, comprehensions, response models and the functions that return them; where
they go anywhere else, nothing is said. Rows that are loaded only to be counted or filtered in Python are reported by
`full-table-materialised`.

Known limits: whether a column is long is concluded from its type and name (`LargeBinary`, vectors and `Text` for sure,
`JSON` perhaps). A model in which some of the long columns are needed is left alone, as are statements that another
function puts together and tables that stay small by their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.select_statements import SelectStatement, selects
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.analyses.small_tables import stays_small
from fastapi_architect.analyses.surroundings import mentions_of, nodes_of, parents_of
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import Schema
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.concepts.database import QueryStart
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Finding,
    Function,
    Instance,
    Module,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    Type,
    dotted_name,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Long columns are loaded for every row of a list and not used",
    severity=Severity.MINOR,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/columns.html#limiting-which-columns-load-with-column-deferral",
    ),
    requires=("sqlalchemy",),
)

_LISTS = frozenset({"list", "List", "Sequence", "Iterable", "tuple", "set", "Collection"})
_SAME = frozenset({"list", "tuple", "reversed", "iter", "set"})
_CHAIN = frozenset({"all", "unique", "fetchall", "scalars"})
_VALIDATES = frozenset({"model_validate", "from_orm"})
_STEPS = frozenset({"where", "join", "order_by", "limit", "offset", "options", "distinct"})
#: Options that are about relationships only.
_RELATIONSHIP_OPTIONS = frozenset(
    {"selectinload", "joinedload", "subqueryload", "lazyload", "noload", "raiseload", "immediateload"}
)
#: Names of values that are short whatever the type of their column.
_SHORT = lazy_pattern(
    r"(^|_)(id|ids|uid|uuid|name|title|slug|status|state|type|kind|email|phone|url|uri|path|code|key|keys|token|hash|hashed|"
    r"digest|salt|nonce|iv|password|secret|version|lang|language|locale|country|city|color|icon|label|tags|role|roles|"
    r"scope|scopes|permissions|checksum|signature|username|symbol|currency|unit|ip|host|domain|etag|mime|extension|flags|"
    r"subject|author|timezone|model|provider|source|category|priority)$"
)
#: Values of a sentence or a handful of settings: never a reason of their own.
_MIDDLING = lazy_pattern(
    r"(^|_)(description|message|msg|comment|comments|note|notes|reason|summary|error|detail|options|overrides?|settings|preferences|"
    r"params|filters|headers|address|bio|ids|names)$"
)
_SHORT_TYPES = frozenset({"CITEXT", "TINYTEXT"})
_VECTORS = frozenset({"VECTOR", "HALFVEC", "HALFVECTOR", "SPARSEVEC"})
_LONG_FAMILIES = frozenset({"text", "binary", "json"})
_LIMIT = 1000
_MAX_CALLERS = 3


@rule.check(per=Function, having=(QueryStart,))
def unused_long_columns(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source" or not _long_columns(graph):
        return
    for statement in selects(graph, function):
        model = _model(statement, graph)
        if model is None or not is_served(function, graph):
            continue
        rows = _Rows(model, graph)
        rows.of_result(statement, function)
        columns = _long_columns(graph)[id(model.cls)]
        if rows.known and rows.used and not any(c.attribute in rows.used for c in columns):
            is_read = not rows.callers and not any(o.is_write for o in graph.entries(function))
            yield _finding(statement, columns, rows, sure=is_read)


# ── which columns are long ──────────────────────────────────────────────────────────────────────────────────


@question
def _long_columns(graph: AppGraph) -> dict[int, tuple[Column, ...]]:
    """Identity of each model's class to its long columns that are loaded with the row; others are left out."""
    found: dict[int, tuple[Column, ...]] = {}
    for model in graph.models:
        if stays_small(model.name):
            continue
        columns = tuple(c for c in model.columns if _is_long(c) and not _is_deferred(c))
        if any(not _MIDDLING.search(c.attribute) for c in columns):
            found[id(model.cls)] = columns
    return found


def _is_long(column: Column) -> bool:
    kind = column.type
    if kind is None or (kind.family not in _LONG_FAMILIES and kind.name.upper() not in _VECTORS):
        return False
    if column.primary_key or column.unique or column.foreign_keys:
        return False
    if _SHORT.search(column.attribute) or kind.name.upper() in _SHORT_TYPES:
        return False
    if kind.name.upper() in _VECTORS or kind.family == "json":
        return True
    if kind.impl not in ("", kind.name):  # a type of the program: encrypted values, lists as text
        return False
    return kind.family in ("text", "binary") and (kind.length is None or kind.length >= _LIMIT)


def _is_deferred(column: Column) -> bool:
    """Loaded only when read, also as `deferred(Column(...))`."""
    bound = column.owner.facts.bindings.get(column.attribute, ()) if column.owner is not None else ()
    return column.deferred or any(
        b.value.__class__ is ir.Call and last_name(b.value.func) == "deferred" for b in bound
    )


# ── which statements ask for all columns of many rows ───────────────────────────────────────────────────────


def _model(statement: SelectStatement, graph: AppGraph) -> Model | None:
    """The one model with long columns that a list reads whole; None for every other statement."""
    start = statement.start
    if start is None or len(start.entities) != 1 or statement.is_open or statement.single:
        return None
    classes = list(statement.models(graph))
    if len(classes) != 1 or id(classes[0]) not in _long_columns(graph):
        return None
    model = graph.database.model_of[id(classes[0])]
    if any(step.kind not in _STEPS for step in statement.steps):
        return None
    if any(not _is_about_relationships(a) for step in statement.of_kind("options") for a in step.args):
        return None
    return None if _is_one_row(statement, model) else model


def _is_about_relationships(option: ir.Expr) -> bool:
    while isinstance(option, ir.Call):
        if last_name(option.func) not in _RELATIONSHIP_OPTIONS:
            return False
        if not isinstance(option.func, ir.Attribute) or not isinstance(option.func.value, ir.Call):
            return "*" not in {a.value for a in option.args if isinstance(a, ir.Constant)}
        option = option.func.value
    return False


def _is_one_row(statement: SelectStatement, model: Model) -> bool:
    """`limit(1)`, or the primary key or another unique column is given."""
    for step in statement.of_kind("limit"):
        if any(isinstance(a, ir.Constant) and a.value == 1 for a in step.args):
            return True
    keys = {c.attribute for c in model.columns if c.primary_key or c.unique}
    wheres = statement.of_kind("where")
    if any(keyword.arg in keys for step in wheres for keyword in step.keywords):
        return True
    return any(
        isinstance(test, ir.Compare) and test.ops == ["=="] and last_name(test.left) in keys
        for step in wheres
        for arg in step.args
        for test in walk(arg)
    )


# ── what is read of the rows ────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """Follows the rows of one statement.

    Attributes:
        known: everything that happens to them was followed.
        used: attributes that are read of each row.
        schemas: response models that they are turned into.
        operations: operations that answer with them.
        callers: how many functions they were handed up through.
        related: relationships are among what is read.
    """

    def __init__(self, model: Model, graph: AppGraph) -> None:
        self.model = model
        self.known = True
        self.used: set[str] = set()
        self.schemas: list[Schema] = []
        self.operations: list[PathOperation] = []
        self.callers = 0
        self.related = False
        self._graph = graph
        self._seen: set[int] = set()

    def of_result(self, statement: SelectStatement, function: Function) -> None:
        """Follow what the call that sends the statement gives."""
        sends = last_name(statement.site.node.func)
        if sends in ("scalars", "exec", "all"):
            self._rows(statement.site.node, function)
        elif sends == "execute":
            self._result(statement.site.node, function)
        else:
            self.known = False

    def _result(self, node: Any, function: Function) -> None:
        """Rows of `execute` are tuples until `scalars` takes the objects out."""
        parents = parents_of(function, self._graph)
        parent: Any = parents.get(id(node))
        if parent.__class__ is ir.Await:
            self._result(parent, function)
        elif parent.__class__ is ir.Attribute and parent.attr in ("scalars", "unique"):
            call: Any = parents.get(id(parent))
            if call.__class__ is not ir.Call:
                self.known = False
            elif parent.attr == "scalars":
                self._rows(call, function)
            else:
                self._result(call, function)
        elif parent.__class__ is ir.Assign:
            for read in self._reads(parent.targets, function):
                self._result(read, function)
        else:
            self.known = False

    def _rows(self, node: Any, function: Function) -> None:
        """Follow an expression that means all rows."""
        parents = parents_of(function, self._graph)
        parent: Any = parents.get(id(node))
        kind = parent.__class__
        if kind is ir.Await:
            self._rows(parent, function)
        elif kind is ir.Attribute:
            call: Any = parents.get(id(parent))
            if call.__class__ is ir.Call and parent.attr in _CHAIN and not call.args:
                self._rows(call, function)
            else:
                self.known = False
        elif kind in (ir.Assign, ir.AnnAssign):
            targets = parent.targets if kind is ir.Assign else [parent.target]
            for read in self._reads(targets, function):
                self._rows(read, function)
        elif kind is ir.Return:
            self._returned(function)
        elif kind is ir.Call:
            self._passed(node, parent, function)
        elif kind is ir.Keyword:
            self._into_schema(parent, parents.get(id(parent)), function)
        elif not self._is_looped(node, parent, parents, function):
            self.known = False

    def _is_looped(self, node: Any, parent: Any, parents: dict[int, Any], function: Function) -> bool:
        """The rows are taken one by one, or only their being there is asked."""
        kind = parent.__class__
        if kind is ir.Generator and parent.iter is node and parent.target.__class__ is ir.Name:
            around: Any = parents.get(id(parent))
            places = [around.elt, around.value, *(test for g in around.generators for test in g.ifs)]
            places += [g.iter for g in around.generators if g is not parent]
            for read in (n for place in places for n in walk(place)):
                if read.__class__ is ir.Name and read.id == parent.target.id:
                    self._row(read, function)
            return True
        if kind is ir.For and parent.iter is node:
            for read in self._reads([parent.target], function):
                self._row(read, function)
            return True
        if kind is ir.Subscript and parent.value is node and parent.slice.__class__ is ir.Slice:
            self._rows(parent, function)
            return True
        return kind in (ir.If, ir.Branch) or (kind is ir.UnaryOp and parent.op == "not")

    def _reads(self, targets: list[Any], function: Function) -> list[Any]:
        """Where a name is read that is bound once and in this body only."""
        if len(targets) != 1 or targets[0].__class__ is not ir.Name:
            self.known = False
            return []
        target = targets[0]
        if len(function.facts.bindings.get(target.id, ())) != 1 or any(
            mentions_of(inner, target.id) for inner in function.functions
        ):
            self.known = False
            return []
        nodes = nodes_of(function)
        return [n for n in nodes if n.__class__ is ir.Name and n.id == target.id and n is not target]

    def _passed(self, node: Any, call: ir.Call, function: Function) -> None:
        """The rows are the argument of a call."""
        name = call.func.id if isinstance(call.func, ir.Name) else ""
        if call.func is node or call.keywords or len(call.args) != 1:
            self.known = False
        elif name in _SAME:
            self._rows(call, function)
        elif name not in ("len", "bool", "any"):
            self.known = False

    def _row(self, node: Any, function: Function) -> None:
        """Follow an expression that means one row."""
        parents = parents_of(function, self._graph)
        parent: Any = parents.get(id(node))
        kind = parent.__class__
        if kind is ir.Attribute:
            around: Any = parents.get(id(parent))
            writes = around.__class__ in (ir.Assign, ir.AugAssign, ir.AnnAssign, ir.Delete)
            is_target = writes and getattr(around, "value", None) is not parent
            is_called = around.__class__ is ir.Call and around.func is parent
            self._read(parent.attr, readable=not (is_target or is_called))
        elif kind is ir.Comprehension and parent.elt is node and parent.kind in ("list", "generator"):
            self._rows(parent, function)
        elif kind is ir.Call and parent.func is not node and last_name(parent.func) in _VALIDATES:
            alone = len(parent.args) == 1 and not parent.keywords and isinstance(parent.func, ir.Attribute)
            of = self._type(parent.func.value, function) if alone else None
            self._filled(next((o.cls for o in options(of) if isinstance(o, ClassRef)), None))
        else:
            self.known = False

    def _type(self, expr: ir.Expr, function: Function) -> Type | None:
        return self._graph.program.inference.type_of(expr, function)

    def _read(self, attribute: str, *, readable: bool = True) -> None:
        if attribute in self.model.by_attribute:
            self.used.add(attribute)
            self.known = self.known and readable
        elif attribute in self.model.relationship_by_name and readable:
            self.related = True
        else:
            self.known = False  # a property or method may read what it likes

    # ── response models ─────────────────────────────────────────────────────────────────────────────────────

    def _into_schema(self, keyword: ir.Keyword, call: Any, function: Function) -> None:
        """`Page(items=rows)`: each row becomes what the field holds."""
        of = self._type(call.func, function) if call.__class__ is ir.Call else None
        cls = next((o.cls for o in options(of) if isinstance(o, ClassRef)), None)
        schema = schema_of(cls, self._graph) if isinstance(cls, Class) else None
        field = schema.by_name.get(keyword.arg or "") if schema is not None else None
        self._filled(_element(field.type) if field is not None else None)

    def _filled(self, cls: Class | str | None, *, by_framework: bool = False) -> None:
        """A response model reads its fields of each row."""
        schema = schema_of(cls, self._graph) if isinstance(cls, Class) else None
        if schema is None or not _is_readable(schema) or not (schema.is_orm or by_framework):
            self.known = False
            return
        self.schemas.append(schema)
        for field in schema.fields:
            if not field.is_computed:
                self._read(field.alias or field.name)

    def _returned(self, function: Function) -> None:
        """A handler answers with the rows; any other function hands them to its callers."""
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        operations = self._graph.operations_running(function)
        for operation in operations:
            self._answered(operation, function)
        callers = self._graph.program.calls.callers(function)
        sites = [site for site in callers if _module(site.scope).kind == "source"]  # tests do not count
        if (not operations and not sites) or (sites and len(self._seen) > _MAX_CALLERS):
            self.known = False
            return
        for site in sites:
            self.callers += 1
            if not self.known or not isinstance(site.scope, Function) or site.node.__class__ is not ir.Call:
                self.known = False
                return
            self._rows(site.node, site.scope)

    def _answered(self, operation: PathOperation, function: Function) -> None:
        chosen = any(name.startswith("response_model_") for name in operation.keywords)
        if operation.handler is not function or operation.is_write or operation.is_websocket or chosen:
            self.known = False
            return
        self.operations.append(operation)
        self._filled(_element(operation.response_type), by_framework=True)


def _module(scope: Scope) -> Module:
    """The module a scope belongs to."""
    return scope if isinstance(scope, Module) else scope.module


def _element(of: Type | None) -> Class | None:
    """The class of what a list holds; None when it is no list, or may hold several things."""
    found = options(of)
    if len(found) != 1 or not isinstance(found[0], Instance) or not isinstance(found[0].cls, str):
        return None
    if found[0].cls.rpartition(".")[2] not in _LISTS or not found[0].args:
        return None
    inner = options(found[0].args[0])
    only = inner[0] if len(inner) == 1 else None
    return only.cls if isinstance(only, Instance) and isinstance(only.cls, Class) else None


def _is_readable(schema: Schema) -> bool:
    """Its fields say all that it reads of an object."""
    return (
        schema.kind in ("pydantic", "sqlmodel")
        and schema.extra != "allow"
        and all(base.partition(".")[0] in ("pydantic", "sqlmodel", "typing") for base in schema.library_bases)
        and not any(v.kind == "model" and v.mode in ("before", "wrap") for v in schema.validators)
        and not any("AliasChoices" in names_in(f.default) for f in schema.fields)
        and not any({"AliasPath", "AliasChoices"} & set(names_in(f.annotation)) for f in schema.fields)
    )


# ── report ──────────────────────────────────────────────────────────────────────────────────────────────────


def _finding(statement: SelectStatement, columns: tuple[Column, ...], rows: _Rows, *, sure: bool) -> Finding:
    start = statement.start
    model, function = _written(statement, rows.model), statement.function
    names = " and ".join(f"`{model}.{c.attribute}`" for c in columns[:3])
    if rows.schemas:
        reader = " and ".join(dict.fromkeys(f"`{schema.name}`" for schema in rows.schemas))
        why = f"{reader} {'has' if len(rows.schemas) == 1 else 'have'} no such field"
    else:
        why = "only " + ", ".join(f"`{name}`" for name in sorted(rows.used)) + " of each row is read"
    kinds = {c.type.family for c in columns if c.type is not None and not _MIDDLING.search(c.attribute)}
    return rule.at(
        start.site if start is not None else statement.site,
        f"`{function.name}` loads {names} of every `{model}` row, and {why}.",
        f"Consider leaving them in the database, with the conditions as they are:\n```python\n{_instead(statement, columns, rows)}\n```",
        reasoning=f"`select({model})` asks for every column; all that happens to the rows was followed, and none of it "
        f"reads {names}.",
        exploit=f"With a thousand rows, {names} {'travel' if columns[1:] else 'travels'} a thousand times to "
        f"{first_route(rows.operations, function.name)}, for nothing.",
        confidence=Confidence.FIRM if sure and kinds - {"json"} else Confidence.TENTATIVE,
        trace=steps(
            (statement.site, "the rows are loaded here"),
            *((c.location, f"`{c.attribute}` may hold a long value") for c in columns[:3]),
            *((schema.location, f"`{schema.name}` reads the other columns") for schema in rows.schemas[:1]),
        ),
        routes=routes_of(rows.operations),
    )


def _written(statement: SelectStatement, model: Model) -> str:
    """The model as the statement names it."""
    entity = statement.start.entities[0] if statement.start is not None else None
    return (dotted_name(entity) if entity is not None else "") or model.name


def _instead(statement: SelectStatement, columns: tuple[Column, ...], rows: _Rows) -> str:
    model = _written(statement, rows.model)
    used = [f"{model}.{c.attribute}" for c in rows.model.columns if c.attribute in rows.used]
    if rows.related or len(used) > 5:  # relationships need their foreign keys: name what is left out
        option = ", ".join(f"defer({model}.{c.attribute})" for c in columns)
    else:
        option = f"load_only({', '.join(used)})"
    queried = statement.start is not None and statement.start.kind == "query"
    if not rows.schemas and not rows.related and len(used) <= 2:
        asked = ", ".join(used)
        return f"rows = session.query({asked}).all()" if queried else f"statement = select({asked})"
    if queried:
        return f"rows = session.query({model}).options({option}).all()"
    return f"statement = select({model}).options({option})"


rule.bad = """
    from collections.abc import Sequence

    from fastapi import FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import StaticPool, Text, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Article(Base):
        __tablename__ = "articles"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        content: Mapped[str] = mapped_column(Text)


    class ArticleSummary(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        title: str


    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/articles", response_model=list[ArticleSummary])
    def list_articles() -> Sequence[Article]:
        with Session(engine) as session:
            return session.scalars(select(Article).limit(50)).all()  # finding: overfetching-columns-or-rows
"""

rule.good = """
    from collections.abc import Sequence

    from fastapi import FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import StaticPool, Text, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, load_only, mapped_column


    class Base(DeclarativeBase):
        pass


    class Article(Base):
        __tablename__ = "articles"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        content: Mapped[str] = mapped_column(Text)


    class ArticleSummary(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        title: str


    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/articles", response_model=list[ArticleSummary])
    def list_articles() -> Sequence[Article]:
        with Session(engine) as session:
            statement = select(Article).options(load_only(Article.id, Article.title)).limit(50)
            return session.scalars(statement).all()
"""


@rule.symptom
def the_text_of_every_article_is_fetched(proof: Proof) -> None:
    """The list shows titles, and the SELECT asks for the full text of every article."""
    from sqlalchemy.orm import Session

    main = proof.module()
    with Session(main.engine) as session:
        session.add_all(main.Article(title=f"Article {n}", content="long " * 1000) for n in range(3))
        session.commit()
    with proof.count_statements() as counted:
        assert [set(each) for each in proof.client.get("/articles").json()] == [{"id", "title"}] * 3
    assert any("articles.content" in statement for statement in counted.statements)
