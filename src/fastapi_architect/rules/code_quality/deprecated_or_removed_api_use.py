"""The code calls what the installed version has deprecated, renamed or removed.

A deprecated call still works and warns where nobody looks; the release that drops it turns it into an error at import or
in the middle of a request. A renamed setting is worse: Pydantic 2 ignores `orm_mode` with a warning, and the schema
quietly does something else.

Known limits: versions come from lock files, pins and lower bounds; without any, the newest is assumed. The first use in a
file is reported and the others are counted. Tests, vendored and generated code are left out. SQLAlchemy's `Session.query`
is legacy, not deprecated, and is not reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from fastapi_architect.analyses.deprecations import (
    Deprecation,
    InstalledVersions,
    Use,
    deprecated_uses,
    uses_pydantic_v1,
)
from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Edit,
    Files,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    dotted_name,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "The code uses a deprecated or removed API",
    severity=Severity.MINOR,
    cwe=477,
    references=(
        "https://docs.pydantic.dev/latest/migration/",
        "https://fastapi.tiangolo.com/advanced/events/#alternative-events-deprecated",
        "https://starlette.dev/release-notes/",
    ),
)

_SHOWN = 5
#: A longer value of a setting reads `...`.
_LONG = 60
_RENAMED_SETTINGS = {
    "orm_mode": "from_attributes",
    "allow_population_by_field_name": "populate_by_name",
    "anystr_lower": "str_to_lower",
    "anystr_strip_whitespace": "str_strip_whitespace",
    "anystr_upper": "str_to_upper",
    "max_anystr_length": "str_max_length",
    "min_anystr_length": "str_min_length",
    "schema_extra": "json_schema_extra",
    "validate_all": "validate_default",
}


@rule.check(per=AppGraph)
def deprecated_call(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    groups: dict[tuple[str, int], list[Use]] = defaultdict(list)
    for use in deprecated_uses(graph):
        groups[use.site.scope.module.path, id(use.deprecation)].append(use)
    for uses in groups.values():
        yield _finding(sorted(uses, key=lambda use: use.site.node.span), graph)


def _finding(uses: list[Use], graph: AppGraph) -> Finding:
    first = uses[0]
    deprecation = first.deprecation
    name, new = _shown(deprecation), deprecation.instead
    more = f" ({len(uses)} times in this file)" if len(uses) > 1 else ""
    package = {"python": "Python", "fastapi": "FastAPI"}.get(
        deprecation.package, deprecation.package.capitalize()
    )
    installed = f"; {first.version} is installed" if first.version is not None else ""
    if first.is_gone:
        issue = (
            f"`{name}` is gone since {package} {deprecation.removed}{installed}{more}: {deprecation.effect}."
        )
    else:
        issue = f"`{name}` is deprecated since {package} {deprecation.since}{installed}{more}."
    return rule.at(
        first.site,
        issue,
        f"Consider `{new}` instead:\n```python\n{_example(first, graph)}\n```",
        reasoning=f"{package} warns about it at run time and has announced its end; the next upgrade that drops it turns a "
        "warning into a failure.",
        exploit=f"An upgrade of {package} drops `{name}`: the code that stands here raises.",
        confidence=first.confidence,
        trace=steps(*((use.site, f"`{name}` again") for use in uses[1 : 1 + _SHOWN])),
        fix=_fix(uses),
    )


def _shown(deprecation: Deprecation) -> str:
    """`Field(regex=...)`, `.dict()`, `on_event`: as the reader has written it."""
    last = deprecation.names[0].rpartition(".")[2]
    if deprecation.keyword:
        last = deprecation.names[0].rpartition(".")[2] if len(deprecation.names) < 3 else "Query"
        return f"{last}({deprecation.keyword}=...)"
    if deprecation.names[0].startswith("pydantic.BaseModel."):
        return f".{last}()"
    return last


def _example(use: Use, graph: AppGraph) -> str:
    """Bad and good code, in the reader's own words."""
    node, deprecation = use.site.node, use.deprecation
    bad = written(graph, use.site.scope, node)
    own = _OWN.get(deprecation.names[0].rpartition(".")[2])
    good = own(use, graph) if own is not None else ""
    if good:
        return good if good.startswith("# Bad") else f"# Bad\n{bad}\n\n# Good\n{good}"
    if deprecation.keyword:
        old = f"{dotted_name(node.func) or 'Field'}({deprecation.keyword}=...)"
        return f"# Bad\n{old}\n\n# Good\n{old.replace(f'{deprecation.keyword}=', f'{deprecation.instead}=')}"
    target = node.func if isinstance(node, ir.Call) else node
    receiver = dotted_name(target.value) if isinstance(target, ir.Attribute) else ""
    ending = "(...)" if isinstance(node, ir.Call) else ""
    prefix = f"{receiver}." if receiver and deprecation.rename else ""
    last = deprecation.names[0].rpartition(".")[2]
    return f"# Bad\n{dotted_name(target) or last}{ending}\n\n# Good\n{prefix}{deprecation.instead}" + (
        ending if "(" not in deprecation.instead else ""
    )


def _arguments(use: Use, graph: AppGraph) -> list[str]:
    node, scope = use.site.node, use.site.scope
    if not isinstance(node, ir.Call):
        return []
    return [written(graph, scope, each) for each in node.args] + [
        f"{each.arg}={written(graph, scope, each.value)}" for each in node.keywords if each.arg
    ]


def _receiver(use: Use, graph: AppGraph) -> str:
    func = use.site.node.func if isinstance(use.site.node, ir.Call) else use.site.node
    return written(graph, use.site.scope, func.value) if isinstance(func, ir.Attribute) else ""


def _decorated(use: Use) -> Function | None:
    """The function that the deprecated decorator stands above."""
    scope, node = use.site.scope, use.site.node
    inner = [*scope.functions, *(f for cls in scope.classes for f in cls.functions)]
    return next((f for f in inner if any(d.span == node.span for d in f.node.decorators)), None)


def _as_lifespan(use: Use, graph: AppGraph) -> str:
    function, app = _decorated(use), _receiver(use, graph) or "app"
    if function is None:
        return ""
    call = f"await {function.name}()" if function.is_async else f"{function.name}()"
    body = (
        f"    yield\n    {call}"
        if "shutdown" in " ".join(_arguments(use, graph))
        else f"    {call}\n    yield"
    )
    return (
        f"# Bad\n@{written(graph, use.site.scope, use.site.node)}\n{definition(graph, function)}\n\n\n"
        f"# Good\n@asynccontextmanager\nasync def lifespan(app: FastAPI) -> AsyncIterator[None]:\n{body}\n\n\n"
        f"{app} = FastAPI(lifespan=lifespan)"
    )


def _as_field_validator(use: Use, graph: AppGraph) -> str:
    function = _decorated(use)
    given = [
        each for each in _arguments(use, graph) if not each.startswith(("pre=", "always=", "each_item="))
    ]
    before = ['mode="before"'] if "pre=True" in _arguments(use, graph) else []
    return _validator(f"field_validator({', '.join([*given, *before])})", function, use, graph)


def _as_model_validator(use: Use, graph: AppGraph) -> str:
    # A root validator works on the mapping of values, which a validator of Pydantic 2 is given before the fields are read.
    return _validator('model_validator(mode="before")', _decorated(use), use, graph)


def _validator(decorator: str, function: Function | None, use: Use, graph: AppGraph) -> str:
    if function is None:
        return ""
    bad = f"@{written(graph, use.site.scope, use.site.node)}"
    return (
        f"# Bad: {' '.join(bad.split())}\n# Good\n@{decorator}\n@classmethod\n{definition(graph, function)}"
    )


def _with_request_first(use: Use, graph: AppGraph) -> str:
    given = _arguments(use, graph)
    return f"{_receiver(use, graph) or 'templates'}.TemplateResponse(request, {given[0]})" if given else ""


def _adapted(use: Use, graph: AppGraph) -> str:
    given = _arguments(use, graph)
    return f"TypeAdapter({given[0]}).validate_python({given[1]})" if len(given) > 1 else ""


def _from_timestamp(use: Use, graph: AppGraph) -> str:
    return f"{_receiver(use, graph) or 'datetime'}.fromtimestamp({', '.join([*_arguments(use, graph)[:1], 'UTC'])})"


def _got(use: Use, graph: AppGraph) -> str:
    """`session.query(Model).get(key)` as `session.get(Model, key)`."""
    func = use.site.node.func if isinstance(use.site.node, ir.Call) else None
    query = func.value if isinstance(func, ir.Attribute) else None
    given = _arguments(use, graph)
    if (
        not isinstance(query, ir.Call)
        or not isinstance(query.func, ir.Attribute)
        or not query.args
        or not given
    ):
        return ""
    scope = use.site.scope
    return (
        f"{written(graph, scope, query.func.value)}.get({written(graph, scope, query.args[0])}, {given[0]})"
    )


def _connected(use: Use, graph: AppGraph) -> str:
    given = ", ".join(_arguments(use, graph))
    return (
        f"with {_receiver(use, graph) or 'engine'}.connect() as connection:\n    connection.execute({given})"
    )


#: What the new form looks like, where it is more than another name.
_OWN: dict[str, Callable[[Use, AppGraph], str]] = {
    "on_event": _as_lifespan,
    "TemplateResponse": _with_request_first,
    "validator": _as_field_validator,
    "root_validator": _as_model_validator,
    "parse_obj_as": _adapted,
    "utcnow": lambda use, graph: f"{_receiver(use, graph) or 'datetime'}.now(UTC)",
    "utcfromtimestamp": _from_timestamp,
    "declarative_base": lambda _use, _graph: "class Base(DeclarativeBase): ...",
    "get": _got,
    "execute": _connected,
    "ORJSONResponse": lambda _use, _graph: (
        "# Bad: response_class=ORJSONResponse\n# Good: a return type, which is written fast"
    ),
}


def _fix(uses: list[Use]) -> Fix | None:
    """The new name written over the old, where that is all and every use in the file allows it."""
    edits = [_edit(use) for use in uses]
    made = tuple(edit for edit in edits if edit is not None)
    if not made or len(made) < len(edits):
        return None
    return Fix(f"Write `{uses[0].deprecation.rename}`", made, safe=True)


def _edit(use: Use) -> Edit | None:
    deprecation, node, scope = use.deprecation, use.site.node, use.site.scope
    if not deprecation.rename:
        return None
    if deprecation.keyword:
        keyword = next(k for k in node.keywords if k.arg == deprecation.keyword)
        if any(k.arg == deprecation.rename for k in node.keywords):
            return None
        begin = scope.location(keyword)
        stretch = Location(
            begin.path, begin.line, begin.column, begin.line, begin.column + len(deprecation.keyword)
        )
        return Edit(stretch, deprecation.rename)
    target = node.func if isinstance(node, ir.Call) else node
    if not isinstance(target, ir.Attribute):
        return None
    if isinstance(node, ir.Call) and not _takes_the_same(node, deprecation):
        return None
    end = scope.location(target)
    column = end.end_column - len(target.attr)
    return Edit(Location(end.path, end.end_line, column, end.end_line, end.end_column), deprecation.rename)


def _takes_the_same(call: ir.Call, deprecation: Deprecation) -> bool:
    if deprecation.keywords is None:
        return True
    most = 1 if deprecation.keywords == ("obj",) else 0
    return len(call.args) <= most and all(k.arg in deprecation.keywords for k in call.keywords)


# ── the inner class Config ──────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def inner_config_class(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    version, confidence = InstalledVersions(graph).of("pydantic")
    if version is not None and version.major < 2:
        return
    groups: dict[str, list[tuple[Class, Class]]] = defaultdict(list)
    classes = [s.cls for s in graph.schemas if s.kind in ("pydantic", "sqlmodel")]
    classes += [s.cls for s in graph.settings.classes]
    for cls in dict.fromkeys(classes):
        inner = next((c for c in cls.classes if c.name == "Config"), None)
        if inner is not None and cls.module.kind == "source" and not uses_pydantic_v1(cls.module):
            groups[cls.module.path].append((cls, inner))
    for found in groups.values():
        yield _config_finding(found, confidence, graph)


def _config_finding(found: list[tuple[Class, Class]], confidence: Confidence, graph: AppGraph) -> Finding:
    ignored = [(c, inner, n) for c, inner in found for n in _RENAMED_SETTINGS if n in inner.facts.bindings]
    cls, inner = ignored[0][:2] if ignored else found[0]
    count = f" ({len(found)} classes in this file)" if len(found) > 1 else ""
    if ignored:
        old = ignored[0][2]
        issue = f"Pydantic 2 ignores `{old}` of `{cls.name}.Config`{count}: it is called `{_RENAMED_SETTINGS[old]}` now."
    else:
        issue = (
            f"`{cls.name}` is configured by an inner `class Config`, deprecated since Pydantic 2.0{count}."
        )
    told = {
        _RENAMED_SETTINGS.get(n, n): b[-1] for n, b in inner.facts.bindings.items() if not n.startswith("_")
    }
    values = ", ".join(
        f"{n}={text if 0 < len(text) < _LONG else '...'}"
        for n, binding in told.items()
        if binding.definition is None
        for text in [written(graph, inner, binding.value)]
    )
    bases = ", ".join(written(graph, cls, base) for base in cls.node.bases) or "BaseModel"
    return rule.at(
        inner,
        issue,
        f"Consider `model_config` instead:\n```python\nclass {cls.name}({bases}):\n"
        f"    model_config = ConfigDict({values})\n```",
        reasoning="Class-based configuration warns at import and goes with Pydantic 3; names that were changed in 2.0 are "
        "ignored already.",
        exploit=f"An upgrade to Pydantic 3 drops `class Config`: what `{cls.name}.Config` says no longer holds.",
        confidence=confidence,
        trace=steps(*[(c, f"{c.name} too") for c, _ in found if c is not cls][:_SHOWN]),
    )


rule.bad = Files(
    {
        "requirements.txt": """
            fastapi==0.165.0
            pydantic==2.14.3
        """,
        "main.py": """
            from fastapi import FastAPI
            from pydantic import BaseModel

            app = FastAPI()


            class Book(BaseModel):
                title: str
                pages: int = 0


            @app.post("/books")
            def add_book(book: Book) -> dict[str, object]:
                return book.dict(exclude_unset=True)  # finding: deprecated-or-removed-api-use
        """,
    }
)

rule.good = Files(
    {
        "requirements.txt": """
            fastapi==0.165.0
            pydantic==2.14.3
        """,
        "main.py": """
            from fastapi import FastAPI
            from pydantic import BaseModel

            app = FastAPI()


            class Book(BaseModel):
                title: str
                pages: int = 0


            @app.post("/books")
            def add_book(book: Book) -> dict[str, object]:
                return book.model_dump(exclude_unset=True)
        """,
    }
)


@rule.symptom
def pydantic_warns(proof: Proof) -> None:
    """Every request makes Pydantic warn that the method will be removed."""
    assert proof.client.post("/books", json={"title": "Emma"}).json() == {"title": "Emma"}
    assert any("Deprecated" in warning and "model_dump" in warning for warning in proof.warnings)
