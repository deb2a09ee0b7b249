"""A client, an engine of templates or a model is made anew for every request.

A client keeps connections open so that the next request need not open them; made for one request it opens a
connection, agrees on keys, answers once and throws all of it away. An environment of templates compiles every
template again.

Known limits: a client whose address, proxy or credentials come from the request itself, or from a tenant's or
provider's record, cannot be shared and is left out, as is one that is given a pool of connections that is kept, or
that asks only hosts that the data names (a user's website). One whose options come from another argument is
tentative. What is seldom run is known by names.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.named_hosts import comes_with_data
from fastapi_architect.analyses.offloading import called_name
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.per_request import PerRequest, is_kept, per_request
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
from fastapi_architect.concepts.template import TemplateEnvironment
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A client is created for every request",
    severity=Severity.IMPORTANT,
    cwe=1073,
    references=(
        "https://www.python-httpx.org/async/#opening-and-closing-clients",
        "https://fastapi.tiangolo.com/advanced/events/#lifespan",
    ),
    requires=("httpx",),
)

_KINDS = frozenset({"http", "redis", "object-storage", "model-api", "mongo", "search", "queue"})
_COSTS = {
    "http": "a new connection and, for https, a new handshake each time",
    "redis": "a new pool of connections each time",
    "object-storage": "loading the service's description and a new handshake each time",
    "model-api": "a new connection and a new handshake each time",
    "template": "every template compiled again each time",
}
#: Options that make two clients different.
_IDENTITY = frozenset(
    {"base_url", "auth", "api_key", "proxy", "proxies", "transport", "cert", "verify", "region_name"}
)

#: Names of arguments that carry one customer's own configuration.
_TENANT = lazy_pattern(
    r"provider|tenant|workspace|organi[sz]ation|integration|connection|credential", re.IGNORECASE
)

#: Operations that a person asks for once a day or once in a lifetime, or a probe now and then.
_SELDOM = lazy_pattern(
    r"oauth|oidc|saml|sso|callback|register|log-?in|sign-?up|reset|verify|setup|install|checkout|billing|health|"
    r"/(readiness|ready|readyz|liveness|live|livez|ping|heartbeat)/?$",
    re.IGNORECASE,
)

#: Functions that most requests pass by: what they fetch is kept, or they are run once in a while.
_RARELY_RUN = lazy_pattern(
    r"refresh|captcha|discover|well_known|openid_config|oidc|jwks|^test_\w*connection|provision|deploy|install|checkout|billing|health",
    re.IGNORECASE,
)

#: Names that a test has for what is good for a while.
_EXPIRY = lazy_pattern(r"expir|stale", re.IGNORECASE)
_NAMES = (ir.Name, ir.Attribute)

#: Arguments that bring connections along.
_POOLS = frozenset({"connection_pool", "connector"})


@rule.check(per=ClientCreation)
def client_for_one_request(client: ClientCreation, graph: AppGraph) -> Iterator[Finding]:
    if client.kind in _KINDS:
        yield from _judged(client, client.kind, graph)


@rule.check(per=TemplateEnvironment)
def environment_for_one_request(environment: TemplateEnvironment, graph: AppGraph) -> Iterator[Finding]:
    yield from _judged(environment, "template", graph)


def _judged(made: ClientCreation | TemplateEnvironment, kind: str, graph: AppGraph) -> Iterator[Finding]:
    function = made.function
    if function is None or function.module.kind != "source" or is_kept(made.site):
        return
    found = per_request(function, graph)
    # A socket lives long: a client of its own costs little beside it.
    if (
        found is None
        or _is_for_this_request(made, found, function)
        or _shares_connections(made, function, graph)
        or _goes_elsewhere_each_time(made, function, graph)
        or any(_waits_for_expiry(site) for site in (made.site, *found.hops))
    ):
        return
    if not all(operation.is_websocket for operation in found.operations):
        cheap = kind == "template" and not _compiles_the_same(function)
        finding = _finding(made, kind, found, graph)
        minor = cheap or _is_seldom(found, function, graph)
        yield replace(finding, severity=Severity.MINOR) if minor else finding


def _compiles_the_same(function: Function) -> bool:
    """An environment keeps templates that it loads by name; a text that is handed in would be compiled anew by any."""
    return bool(function.facts.calls_named("get_template")) or any(
        all(each.__class__ is ir.Constant or last_name(each).isupper() for each in site.node.args)
        for site in function.facts.calls_named("from_string")
    )


def _is_seldom(found: PerRequest, function: Function, graph: AppGraph) -> bool:
    """What only administrators, probes or people who are signing in reach, or what is fetched once in a while."""
    way = [function.name, *(site.scope.name for site in found.hops[1:])]
    if any(_RARELY_RUN.search(name) for name in way) or any(_is_remembered(site) for site in found.hops):
        return True
    return all(
        is_for_administrators(operation, graph) or _SELDOM.search(operation.path)
        for operation in found.operations
    )


def _is_remembered(site: Site) -> bool:
    """`self.rates = fetch()` behind `if self.rates: return self.rates`: most requests are answered from what is kept."""
    kept = {
        target.attr
        for target in getattr(site.statement, "targets", ())
        if isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name)
    }
    return any(
        each.context.inside("if") is not None
        and any(isinstance(n, ir.Attribute) and n.attr in kept for n in walk(each.node.value))
        for each in site.scope.facts.sites(ir.Return)
        if kept and each.node.value is not None
    )


def _waits_for_expiry(site: Site) -> bool:
    """`if token.expires_at < soon:` around it: most requests find what was fetched still good."""
    return any(
        context.role == "if"
        and isinstance(context.node, ir.If)
        and any(
            _EXPIRY.search(last_name(node)) for node in walk(context.node.test) if isinstance(node, _NAMES)
        )
        for context in site.context
    )


def _goes_elsewhere_each_time(
    made: ClientCreation | TemplateEnvironment, function: Function, graph: AppGraph
) -> bool:
    """The data names the host of every request that it sends: no connection would serve a second time."""
    if not isinstance(made, ClientCreation) or made.kind != "http" or made.url is not None:
        return False
    sent = [
        (request, scope)
        for scope in (function, *function.functions)
        for request in graph.within(OutboundRequest, scope)
        if request.client is not None
    ]
    return bool(sent) and all(comes_with_data(request.url, scope, graph) for request, scope in sent)


def _shares_connections(
    made: ClientCreation | TemplateEnvironment, function: Function, graph: AppGraph
) -> bool:
    """It is given a pool that lives elsewhere: `Redis(connection_pool=self._pool)` is only a handle on it."""
    given = [k.value for k in made.node.keywords if k.arg in _POOLS]
    return bool(given) and not any(_is_made_here(value, function, graph) for value in given)


def _is_made_here(pool: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """`ConnectionPool(...)`, `ConnectionPool.from_url(...)`, a name of such a one, or what a function makes and does not keep."""
    if isinstance(pool, ir.Name):
        bound = [b.value for b in function.facts.bindings.get(pool.id, ()) if b.value is not None]
        return any(_is_made_here(value, function, graph) for value in bound if isinstance(value, ir.Call))
    if not isinstance(pool, ir.Call) or _is_pool(pool):
        return isinstance(pool, ir.Call)
    sites = [site for site in function.facts.calls if site.node is pool]
    return any(
        _is_pool(inner.node) and not is_kept(inner)
        for site in sites
        for target in graph.program.calls.targets(site)
        for inner in target.facts.calls
    )


def _is_pool(call: ir.Call) -> bool:
    """The call names a class."""
    return any(word.endswith(("Pool", "Connector")) for word in dotted_name(call.func).split("."))


def _finding(
    made: ClientCreation | TemplateEnvironment, kind: str, found: PerRequest, graph: AppGraph
) -> Finding:
    function = made.function
    assert function is not None
    name = called_name(made.site)
    count = len(found.operations)
    routes = f"one of {count} routes" if count > 1 else "the route"
    hops = [(site, f"{site.scope.name} calls {called_name(site)}") for site in found.hops]
    # Through hops, how often it is reached is a guess: of ten such findings on public backends, three mattered.
    confidence = Confidence.TENTATIVE if found.hops else Confidence.CERTAIN if made.sure else Confidence.FIRM
    return rule.at(
        made,
        f"`{function.name}` creates `{name}` anew whenever {routes} gets there: "
        f"{_COSTS.get(kind, _COSTS['http'])}.",
        _suggestion(made, kind, found, graph),
        reasoning=f"`{found.root.name}` runs for each request, and nothing on the way to `{name}` keeps what "
        f"was made.",
        exploit=f"Three requests to {first_route(found.operations, function.name)} create `{name}` three times: "
        f"{_COSTS.get(kind, _COSTS['http'])}.",
        confidence=Confidence.TENTATIVE if _differs(made, function) else confidence,
        trace=steps(*hops, (made, f"{name} is created here, for one request")),
        routes=routes_of(found.operations),
        impact=float(count),
    )


def _is_for_this_request(
    made: ClientCreation | TemplateEnvironment, found: PerRequest, function: Function
) -> bool:
    """Its address, proxy or credentials are values of the request, or of a tenant's record: there is none to share."""
    sent = {
        p.name
        for operation in found.operations
        for p in operation.all_parameters()
        if p.owner is function and p.is_input
    }
    pending = [k.value for k in made.node.keywords if k.arg in _IDENTITY]
    seen: set[str] = set()
    while pending:
        for node in walk(pending.pop()):
            if not isinstance(node, ir.Name) or node.id in seen:
                continue
            seen.add(node.id)
            for binding in function.facts.bindings.get(node.id, ()):
                if binding.kind == "parameter" and (node.id in sent or _TENANT.search(node.id)):
                    return True
                if binding.value is not None:
                    pending.append(binding.value)
    return False


def _differs(made: ClientCreation | TemplateEnvironment, function: Function) -> bool:
    """An option by which clients differ comes from this call, not from settings."""
    if function.facts.is_global:
        return True  # what it fetched is kept in a global name: most requests do not get here
    local = function.facts.bindings
    if function.name == "__init__" and len(function.parameters) > 1:
        return True  # a client for whoever is named in the arguments
    given = [k.value for k in made.node.keywords if k.arg in _IDENTITY]
    if any(k.arg is None or _is_fitted(k, local) for k in made.node.keywords):
        return True
    if isinstance(made, ClientCreation) and made.kind != "http":
        given += [*made.node.args, *(k.value for k in made.node.keywords)]
        if _is_of_a_caller(made.node.func, function):
            return True
    return any(node.__class__ is ir.Name and node.id in local for value in given for node in walk(value))


def _is_fitted(keyword: ir.Keyword, local: Container[str]) -> bool:
    """`connector=pinned(addresses)`: the connections themselves are made for what this call knows."""
    value = keyword.value
    return (
        keyword.arg == "connector"
        and isinstance(value, ir.Call)
        and any(isinstance(node, ir.Name) and node.id in local for arg in value.args for node in walk(arg))
    )


def _is_of_a_caller(func: ir.Expr, function: Function) -> bool:
    """`session.client("s3")`, where the session is a parameter, or is made from something."""
    if not isinstance(func, ir.Attribute) or not isinstance(func.value, ir.Name):
        return False
    for binding in function.facts.bindings.get(func.value.id, ()):
        made = binding.value
        if binding.kind == "parameter" or (isinstance(made, ir.Call) and (made.args or made.keywords)):
            return True
    return False


def _suggestion(
    made: ClientCreation | TemplateEnvironment, kind: str, found: PerRequest, graph: AppGraph
) -> str:
    function = made.function
    assert function is not None
    name = called_name(made.site)
    if isinstance(made, TemplateEnvironment):
        renders = function.facts.calls_named("get_template")
        body = definition(
            graph, function, "template = environment.get_template(...)" if renders else "return environment"
        )
        return f"Create it once, at module level:\n```python\nenvironment = {name}(...)\n\n\n{body}\n```"
    attribute = {"http": "http", "object-storage": "storage", "model-api": "model"}.get(
        kind, kind
    ) + "_client"
    opened = f"{attribute} = {name}(...)\n    yield {{'{attribute}': {attribute}}}"
    if made.is_async and kind == "http":
        opened = f"async with {name}(...) as {attribute}:\n        yield {{'{attribute}': {attribute}}}"
    lifespan = f"@asynccontextmanager\nasync def lifespan(app: FastAPI):\n    {opened}"
    if function is found.root and not function.is_method:
        own = next(
            (p.name for p in function.parameters if p.annotation and last_name(p.annotation) == "Request"), ""
        )
        taken = {} if own else {"request": ("Request", "")}
        body = f"{attribute} = {own or 'request'}.state.{attribute}"
        user = definition(graph, function, body, parameters=taken)
        return f"Create it once, in the lifespan, and take it from the request's state:\n```python\n{lifespan}\n\n\n{user}\n```"
    body = f"self.{attribute} = {attribute}" if function.name == "__init__" else "..."
    user = definition(
        graph,
        function,
        body,
        parameters={attribute: (name if name.isidentifier() or "." in name else "", "")},
    )
    return (
        f"Create it once, in the lifespan; `{found.root.name}` takes it from `request.state.{attribute}` and hands it in:\n"
        f"```python\n{lifespan}\n\n\n{user}\n```"
    )


rule.bad = """
    import httpx
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/rates/{currency}")
    async def read_rate(currency: str) -> str:
        async with httpx.AsyncClient(timeout=5) as client:  # finding: client-created-per-request
            answer = await client.get(f"https://rates.example/{currency}")
        return answer.text
"""

rule.good = """
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from typing import TypedDict

    import httpx
    from fastapi import FastAPI, Request


    class State(TypedDict):
        client: httpx.AsyncClient


    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with httpx.AsyncClient(timeout=5) as client:
            yield {"client": client}


    app = FastAPI(lifespan=lifespan)


    @app.get("/rates/{currency}")
    async def read_rate(currency: str, request: Request) -> str:
        answer = await request.state.client.get(f"https://rates.example/{currency}")
        return answer.text
"""


@rule.symptom
def three_requests_make_three_clients(proof: Proof) -> None:
    """Three requests create three clients, each with connections of its own."""
    import httpx

    made = []
    init = httpx.AsyncClient.__init__

    def counted(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        made.append(self)
        init(self, *args, **kwargs)

    proof.answer("https://rates.example/", text="1.1")
    client = proof.client
    made.clear()
    httpx.AsyncClient.__init__ = counted  # type: ignore[method-assign]
    for _ in range(3):
        assert client.get("/rates/EUR").json() == "1.1"
    assert len(made) == 3
