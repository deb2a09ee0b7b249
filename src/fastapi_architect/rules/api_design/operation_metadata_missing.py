"""Operations are published without saying what they return.

The OpenAPI document is what clients, generators and testers work from. An operation without a response type
has the schema `{}`: generated clients give back "any", nothing is filtered, and nobody notices when a field
disappears. Tags and a summary are what readers find an operation by.

Known limits: counted once an application, and not at all where the document is switched off.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import registered
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Operations are published without saying what they return",
    severity=Severity.INFO,
    cwe=1059,
    references=(
        "https://fastapi.tiangolo.com/tutorial/response-model/",
        "https://opensource.zalando.com/restful-api-guidelines/#101",
    ),
)

_RESPONSE = "starlette.responses.Response"


@rule.check(per=Application)
def operations_that_say_too_little(application: Application, graph: AppGraph) -> Iterator[Finding]:
    url = application.keywords.get("openapi_url")
    if url is not None and url.__class__ is ir.Constant and url.kind == "none":
        return
    operations = [
        o for o in application.operations if o.kind == "http" and o.in_schema and o.handler is not None
    ]
    missing = {
        what: [o for o in operations if lacks(o)]
        for what, lacks in (
            ("no response type", lambda o: _lacks_response(o, graph)),
            ("no tags", lambda o: not o.tags and "tags" not in o.keywords and not o.floating),
            ("neither summary nor docstring", _lacks_description),
        )
    }
    untyped = missing["no response type"]
    if not untyped:
        return
    listed = [
        f"{len(found)} {'have' if len(found) > 1 else 'has'} {what} (such as `{found[0]}`)"
        for what, found in missing.items()
        if found
    ]
    yield _finding(application, listed, untyped, len(operations), graph)


def _lacks_response(operation: PathOperation, graph: AppGraph) -> bool:
    if operation.response_model is not None or operation.status_code in (204, 304):
        return False
    if {"response_class", "responses"} & operation.keywords.keys() or operation.handler is None:
        return False
    handler = operation.handler
    if handler.is_generator:
        return False
    returned = [s.node.value for s in handler.facts.sites(ir.Return) if s.node.value is not None]
    hierarchy = graph.program.inference.hierarchy
    for value in returned:
        for option in options(graph.program.inference.type_of(value, handler)):
            if isinstance(option, Instance) and hierarchy.is_subclass(option.cls, _RESPONSE):
                return False
    return bool(returned)


def _lacks_description(operation: PathOperation) -> bool:
    documented = operation.handler is not None and bool(operation.handler.node.docstring)
    return not documented and not {"summary", "description"} & operation.keywords.keys()


def _finding(
    application: Application, listed: list[str], untyped: list[PathOperation], total: int, graph: AppGraph
) -> Finding:
    first = untyped[0]
    model = "".join(part.capitalize() for part in first.handler_name.rpartition(".")[2].split("_")) + "Out"
    return rule.at(
        application.location,
        f"Of the {total} operations that `{application.name}` publishes, {', '.join(listed)}.",
        f"Consider a return type, which FastAPI validates, filters by and publishes:\n"
        f"```python\nclass {model}(BaseModel): ...\n\n\n{registered(graph, first, returns=model)}\n```",
        reasoning="Without a return type or response_model, FastAPI publishes the schema {} and sends whatever is returned.",
        exploit=f"A client that is generated from the schema gets nothing but `Any` from `{first}`.",
        confidence=Confidence.CERTAIN,
        trace=steps(*((o, f"{o} has no response type") for o in untyped[:5])),
        routes=routes_of(untyped),
        symbol=application.scope.full_name,
    )


rule.bad = '''
    from fastapi import FastAPI

    app = FastAPI()  # finding: operation-metadata-missing


    @app.get("/books", tags=["books"])
    def list_books():
        """Every book."""
        return ["Dune"]
'''

rule.good = '''
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/books", tags=["books"])
    def list_books() -> list[str]:
        """Every book."""
        return ["Dune"]
'''


@rule.symptom
def the_schema_says_nothing(proof: Proof) -> None:
    """The published schema of the response is empty."""
    document = proof.client.get("/openapi.json").json()
    answer = document["paths"]["/books"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {}
