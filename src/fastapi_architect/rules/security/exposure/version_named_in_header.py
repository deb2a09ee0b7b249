"""A header of every answer says what the service is made of, and in which version.

Who looks for services with a known hole asks for these headers first: `X-Powered-By: Python 3.10, FastAPI 0.103` saves the
trying out. Nobody needs them; a version of one's own API says nothing about what it is built with.

Known limits: headers by the usual names (`Server`, `X-Powered-By`, `X-Runtime` ...) whose text names a product together with a
version, or takes the version from the interpreter or a package. What a server or proxy adds itself is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A header names what the service is built with, and its version",
    severity=Severity.MINOR,
    cwe=200,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html#x-powered-by",
        "https://owasp.org/www-project-secure-headers/#remove-headers",
    ),
)

_HEADERS = lazy_pattern(
    r"^(server|x-(powered-by|runtime|generator|framework|technology|server|backend))$", re.IGNORECASE
)
_PRODUCT = lazy_pattern(
    r"(python|fastapi|starlette|uvicorn|gunicorn|hypercorn|nginx|apache|sqlalchemy|pydantic|django|flask|linux|ubuntu|debian)"
    r"[\s/^~=v-]*\d+(\.\d+)+",
    re.IGNORECASE,
)
#: What gives the version of the interpreter, of the system or of a package of others.
_VERSIONS = lazy_pattern(
    r"^(platform\.(python_version|platform|version|release)|sys\.version(_info)?|(fastapi|starlette|uvicorn|pydantic|sqlalchemy)\.__version__)$"
)


@rule.check(per=AppGraph)
def version_in_a_header(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    middleware = {id(m.function) for application in graph.applications for m in application.middleware}
    for module in graph.program.mentioning("headers"):
        for function in all_functions(module) if module.kind == "source" else ():
            for site, header, value in _written(function):
                product = _product(graph, value, function)
                if product and (id(function) in middleware or graph.entries(function)):
                    yield _finding(graph, function, site, header, product)


def _written(function: Function) -> Iterator[tuple[Site, str, ir.Expr]]:
    """`response.headers["Server"] = value`, and `headers={"Server": value}` of what is made here."""
    for site in function.facts.sites(ir.Assign):
        for target in site.node.targets:
            if target.__class__ is ir.Subscript and dotted_name(target.value).endswith("headers"):
                header = _name(target.slice)
                if header:
                    yield site, header, site.node.value
    for site in function.facts.calls:
        for keyword in site.node.keywords:
            if keyword.arg != "headers" or keyword.value.__class__ is not ir.Dict:
                continue
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                header = _name(key)
                if header:
                    yield site, header, value


def _name(key: ir.Expr | None) -> str:
    """The header when it is one of those, else ""."""
    name = key.value if isinstance(key, ir.Constant) and isinstance(key.value, str) else ""
    return name if _HEADERS.match(name) else ""


def _product(graph: AppGraph, value: ir.Expr, function: Function) -> str:
    """The product and version in a text, or what the version is taken from."""
    text = graph.program.constants.string(value, function)
    found = _PRODUCT.search(text) if text is not None else None
    if found is not None:
        return found[0]
    named = (dotted_name(node) for node in walk(value) if node.__class__ is ir.Attribute)
    return next((name for name in named if _VERSIONS.match(name)), "")


def _finding(graph: AppGraph, function: Function, site: Site, header: str, product: str) -> Finding:
    operations = graph.entries(function)
    route = first_route(operations, function.name)
    return rule.at(
        site,
        f"`{function.name}` tells every client in `{header}` what the service runs on: `{product}`.",
        f'Leave the header out, or say nothing in it:\n```python\nresponse.headers.pop("{header}", None)\n```'
        if header.lower() == "server"
        else "Leave the header out; clients do not need it, and operators find versions in the deployment.",
        reasoning=f"`{product}` is what advisories are searched by.",
        exploit=f"Ask {route}, look the versions in `{header}` up in lists of known holes, and send what fits.",
        confidence=Confidence.FIRM,
        trace=steps((site, f"{header} is written here")),
        routes=routes_of(operations),
        context=Context(data="internal", writes=False),
    )


_HEAD = """
    from fastapi import FastAPI, Response

    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/health")
    def read_health(response: Response) -> dict[str, bool]:
        response.headers["X-Powered-By"] = "Python 3.10, FastAPI 0.103.0"  # finding: version-named-in-header
        return {"ok": True}
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/health")
    def read_health(response: Response) -> dict[str, bool]:
        response.headers["X-Api-Version"] = "2"
        return {"ok": True}
"""
)


@rule.exploit
def the_versions_are_in_the_answer(proof: Proof) -> None:
    """The answer to a probe names the interpreter and the framework with their versions."""
    answer = proof.client.get("/health")
    assert "FastAPI 0.103" in " ".join(answer.headers.values())
