"""A parameter of a GET operation is read from the body, although it was meant for the query.

FastAPI reads lists, dictionaries and models from the body unless they are marked. On GET that is hardly
ever meant: browsers cannot send such a body, proxies drop it, and `?ids=1&ids=2` is refused with 422.

Known limits: a list in the body of DELETE is taken to be meant, unless the project's own tests or clients send it in the
query: then an unmarked one of plain values is reported, tentatively. Tentative is also what is marked with `Body()`, a
model that every request needs, because those who call it send one, and what the handler never reads. Nothing is said of a
method whose signature is made when the program runs (`@with_signature`, `__signature__`): what FastAPI sees stands nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import is_mentioned
from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.analyses.route_order import shadows
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    options,
    routes_of,
    walk,
)

rule = Rule(
    __name__,
    "A parameter meant for the query is read from the body",
    severity=Severity.IMPORTANT,
    cwe=628,
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.1",
        "https://fastapi.tiangolo.com/tutorial/query-param-models/",
    ),
)

_LISTS = ("builtins.list", "builtins.set", "builtins.tuple", "collections.abc.Sequence", "builtins.frozenset")
_PLAIN = ("builtins.str", "builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "datetime.date")


@rule.check(per=PathOperation)
def body_where_none_is_sent(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if (
        operation.kind != "http"
        or not operation.methods
        or not set(operation.methods) <= {"GET", "HEAD", "DELETE"}
    ):
        return
    deletes = "DELETE" in operation.methods
    seen: set[Location] = set()
    for parameter in operation.all_parameters():
        if parameter.kind != "body" or parameter.type is None or parameter.location in seen:
            continue
        if any(shadow.later is operation and shadow.complete for shadow in shadows(graph)):
            return  # an earlier route takes its requests: nobody is refused for a body
        seen.add(parameter.location)
        if _has_another_signature(parameter, graph):
            continue
        if not deletes or (
            parameter.marker is None and _is_plain_list(parameter) and _is_sent_in_query(parameter, graph)
        ):
            yield _finding(operation, parameter, graph)


def _has_another_signature(parameter: Parameter, graph: AppGraph) -> bool:
    """It belongs to a method, and its module gives methods other signatures than those in the code."""
    owner = parameter.owner
    return (
        isinstance(owner, Function)
        and owner.is_method
        and owner.module in graph.program.mentioning("with_signature", "__signature__")
    )


def _is_plain_list(parameter: Parameter) -> bool:
    lists = [o for o in options(parameter.type) if isinstance(o, Instance) and o.name in _LISTS]
    return any(
        isinstance(i, Instance) and i.name in _PLAIN for o in lists for a in o.args for i in options(a)
    )


def _is_sent_in_query(parameter: Parameter, graph: AppGraph) -> bool:
    """Some call of the project, or of its tests, says so: `client.delete("/books", params={"ids": [1, 2]})`."""
    sent = (
        keyword.value
        for site in graph.program.call_sites_named("delete")
        for keyword in site.node.keywords
        if keyword.arg == "params"
    )
    return any(
        isinstance(node, ir.Constant) and node.value == parameter.alias
        for value in sent
        for node in walk(value)
    )


def _is_meant(parameter: Parameter) -> bool:
    """`Body()` is written there; nothing works without it, so those who call it send one; or nothing reads it."""
    owner = parameter.owner
    if parameter.marker is not None or (parameter.required and not _is_plain_list(parameter)):
        return True
    return isinstance(owner, Function) and not is_mentioned(owner, parameter.name)


def _finding(operation: PathOperation, parameter: Parameter, graph: AppGraph) -> Finding:
    method = operation.methods[0]
    model = next(
        (o.cls.name for o in options(parameter.type) if isinstance(o, Instance) and isinstance(o.cls, Class)),
        "",
    )
    shown = written(graph, parameter.scope, parameter.annotation) or model or "list[str]"
    marked = parameter.marker is not None
    refused = ", and a request without a body is refused with 422" if parameter.required else ""
    fix = (
        None
        if marked or method == "DELETE" or not (model or _is_plain_list(parameter))
        else _marking(parameter, graph)
    )
    sure = Confidence.CERTAIN if parameter.required and not marked else Confidence.FIRM
    return rule.at(
        parameter.location,
        f"`{parameter.name}` of `{operation}` is read from the body"
        f"{'' if marked else ', because ' + (f'`{model}` is a model' if model else 'its type is no plain value')}: "
        f"`?{parameter.alias}=...` is ignored{refused}.",
        f"Read it from the query:\n```python\nfrom typing import Annotated\n\nfrom fastapi import Query\n\n\n"
        f"{_read_from_the_query(parameter, shown, graph)}\n```",
        reasoning=f"A body has no defined meaning for {method} (RFC 9110, section 9.3), and many clients and proxies drop it.",
        exploit=f"A client sends `?{parameter.alias}=...` to `{operation}`, and it is "
        f"{'refused with 422' if parameter.required else 'ignored'}.",
        confidence=Confidence.TENTATIVE if "DELETE" in operation.methods or _is_meant(parameter) else sure,
        fix=fix,
        routes=routes_of([operation]),
        symbol=parameter.owner.full_name,
    )


def _read_from_the_query(parameter: Parameter, shown: str, graph: AppGraph) -> str:
    """The function that declares the parameter, reading it from the query."""
    param = parameter.owner.parameter(parameter.name) if isinstance(parameter.owner, Function) else None
    if param is None or not isinstance(parameter.owner, Function):
        return f"{parameter.name}: Annotated[{shown}, Query()]"
    default = "" if param.default.__class__ is ir.Call else written(graph, parameter.scope, param.default)
    return definition(
        graph, parameter.owner, parameters={parameter.name: (f"Annotated[{shown}, Query()]", default)}
    )


def _marking(parameter: Parameter, graph: AppGraph) -> Fix | None:
    """`Annotated[..., Query()]`, where the module has both names already."""
    scope = parameter.owner.module
    if parameter.annotation is None or any(
        scope.facts.bindings.get(n) is None for n in ("Annotated", "Query")
    ):
        return None
    place = parameter.scope.location(parameter.annotation)
    text = text_at(graph, place)
    if not text or place.path != scope.path or text.startswith("Annotated"):
        return None
    return Fix(
        "Read it from the query",
        (Edit(place, f"Annotated[{text}, Query()]"),),
        safe=True,
        changes_contract=True,
    )


rule.bad = """
    from typing import Annotated

    from fastapi import FastAPI, Query

    app = FastAPI()


    @app.get("/books")
    def list_books(
        ids: list[int],  # finding: body-inferred-on-get-or-query-model-misread
        limit: Annotated[int, Query(le=100)] = 10,
    ) -> list[int]:
        return ids[:limit]
"""

rule.good = """
    from typing import Annotated

    from fastapi import FastAPI, Query

    app = FastAPI()


    @app.get("/books")
    def list_books(
        ids: Annotated[list[int], Query()],
        limit: Annotated[int, Query(le=100)] = 10,
    ) -> list[int]:
        return ids[:limit]
"""


@rule.symptom
def the_query_is_not_read(proof: Proof) -> None:
    """`?ids=1&ids=2` is refused with 422, because a body is expected."""
    answer = proof.client.get("/books?ids=1&ids=2")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body"]
