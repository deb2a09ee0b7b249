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
from collections.abc import Iterator

from fastapi_architect.analyses.deprecations import (
    Deprecation,
    InstalledVersions,
    Use,
    deprecated_uses,
    uses_pydantic_v1,
)
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
        yield _finding(sorted(uses, key=lambda use: use.site.node.span))


def _finding(uses: list[Use]) -> Finding:
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
        f"Consider `{new}` instead:\n```python\n{_example(first)}\n```",
        reasoning=f"{package} warns about it at run time and has announced its end; the next upgrade that drops it turns a "
        "warning into a failure.",
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


def _example(use: Use) -> str:
    """Bad and good code, in the reader's names where they are known."""
    node, deprecation = use.site.node, use.deprecation
    last = deprecation.names[0].rpartition(".")[2]
    if last == "on_event":
        return _LIFESPAN
    if last == "TemplateResponse":
        return _TEMPLATE
    if last in _EXAMPLES:
        return _EXAMPLES[last]
    if deprecation.keyword:
        old = f"{dotted_name(node.func) or 'Field'}({deprecation.keyword}=...)"
        return f"# Bad\n{old}\n\n# Good\n{old.replace(f'{deprecation.keyword}=', f'{deprecation.instead}=')}"
    target = node.func if isinstance(node, ir.Call) else node
    receiver = dotted_name(target.value) if isinstance(target, ir.Attribute) else ""
    ending = "(...)" if isinstance(node, ir.Call) else ""
    prefix = f"{receiver}." if receiver and deprecation.rename else ""
    return f"# Bad\n{dotted_name(target) or last}{ending}\n\n# Good\n{prefix}{deprecation.instead}" + (
        ending if "(" not in deprecation.instead else ""
    )


_LIFESPAN = """# Bad
@app.on_event("startup")
async def start(): ...


# Good
@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await start()
    yield


app = FastAPI(lifespan=lifespan)"""

_TEMPLATE = """# Bad
templates.TemplateResponse("page.html", {"request": request})

# Good
templates.TemplateResponse(request, "page.html")"""

_EXAMPLES = {
    "validator": '# Bad\n@validator("name")\ndef check(cls, value): ...\n\n\n'
    '# Good\n@field_validator("name")\n@classmethod\ndef check(cls, value): ...',
    "root_validator": "# Bad\n@root_validator(pre=True)\ndef check(cls, values): ...\n\n\n"
    '# Good\n@model_validator(mode="before")\n@classmethod\ndef check(cls, data): ...',
    "parse_obj_as": "# Bad\nparse_obj_as(list[Item], data)\n\n# Good\nTypeAdapter(list[Item]).validate_python(data)",
    "ORJSONResponse": "# Bad\n@app.get('/', response_class=ORJSONResponse)\ndef read(): ...\n\n\n"
    "# Good\n@app.get('/')\ndef read() -> Item: ...",
    "utcnow": "# Bad\ndatetime.utcnow()\n\n# Good\ndatetime.now(UTC)",
    "utcfromtimestamp": "# Bad\ndatetime.utcfromtimestamp(seconds)\n\n# Good\ndatetime.fromtimestamp(seconds, UTC)",
    "declarative_base": "# Bad\nBase = declarative_base()\n\n\n# Good\nclass Base(DeclarativeBase): ...",
    "get": "# Bad\nsession.query(User).get(user_id)\n\n# Good\nsession.get(User, user_id)",
    "execute": "# Bad\nengine.execute(statement)\n\n# Good\nwith engine.connect() as connection:\n"
    "    connection.execute(statement)",
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
        yield _config_finding(found, confidence)


def _config_finding(found: list[tuple[Class, Class]], confidence: Confidence) -> Finding:
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
    names = [_RENAMED_SETTINGS.get(n, n) for n in inner.facts.bindings if not n.startswith("_")]
    values = ", ".join(
        f"{n}=..." for n in names if not isinstance(inner.facts.bindings.get(n, [None])[0], Function)
    )
    return rule.at(
        inner,
        issue,
        f"Consider `model_config` instead:\n```python\nclass {cls.name}(BaseModel):\n"
        f"    model_config = ConfigDict({values})\n```",
        reasoning="Class-based configuration warns at import and goes with Pydantic 3; names that were changed in 2.0 are "
        "ignored already.",
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
