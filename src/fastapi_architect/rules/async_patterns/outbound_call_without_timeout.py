"""A call to another host may wait for ever.

`requests`, `urllib` and `smtplib` have no time limit of their own, `aiohttp` waits five minutes,
`timeout=None` switches off the limit that httpx has. When the other side accepts the connection and says
nothing, each such call keeps a worker, a thread or a connection until the process is restarted.

Known limits: a limit that an adapter, a proxy or a subclass adds at run time is seen only when the subclass
is part of the project. Limits of database statements are another matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from packaging.version import Version

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.analyses.time_limits import is_limited
from fastapi_architect.concepts.concurrency import AsyncWait
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
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
    Proof,
    Rule,
    Scope,
    Severity,
    argument,
    dotted_name,
    ir,
    last_name,
    options,
    steps,
)

rule = Rule(
    __name__,
    "A call to another host has no time limit",
    severity=Severity.IMPORTANT,
    cwe=1088,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://requests.readthedocs.io/en/latest/user/advanced/#timeouts",
        "https://www.python-httpx.org/advanced/timeouts/",
        "https://docs.aiohttp.org/en/stable/client_quickstart.html#timeouts",
    ),
    requires=("requests",),
)

#: Clients whose calls take a limit; readers of tables that also accept an address do not.
_TAKE_A_LIMIT = ("requests.", "httpx.", "urllib.request.urlopen", "urllib3.", "aiohttp.", "http.client.")

#: Since this version redis-py waits five seconds unless told otherwise.
_REDIS_WITH_LIMIT = Version("8")
#: What finds out that the other side is gone, while nobody limits how long it is silent.
_LIVES = frozenset({"socket_connect_timeout", "socket_keepalive"})


@rule.check(per=OutboundRequest)
def request_may_wait_for_ever(request: OutboundRequest, graph: AppGraph) -> Iterator[Finding]:
    own = argument(request.node, None, "timeout")
    if not _in_question(request, graph) or not request.name.startswith(_TAKE_A_LIMIT):
        return
    if own is not None:
        if _is_none(own) and not request.name.endswith(".stream"):
            # Whoever writes None has thought about it.
            yield _finding(request, "switches the time limit off", graph, Confidence.TENTATIVE)
        return
    if request.timeout_given or request.default_timeout is not None or _limits_itself(request, graph):
        return
    if not (request.is_async and is_limited(request.site, graph)):
        sure = Confidence.CERTAIN if request.sure else Confidence.FIRM
        yield _finding(request, "waits for ever when the other side says nothing", graph, sure)


@rule.check(per=ClientCreation)
def client_may_wait_for_ever(client: ClientCreation, graph: AppGraph) -> Iterator[Finding]:
    if not _in_question(client, graph):
        return
    sure = Confidence.CERTAIN if client.sure else Confidence.FIRM
    if client.kind == "http" and client.timeout is not None and _is_none(client.timeout):
        relays = _only_relays_streams(client)
        yield _finding(client, "switches the time limit off", graph, Confidence.TENTATIVE if relays else sure)
    elif client.timeout_given:
        return
    elif client.name == "aiohttp.ClientSession" and not _requests_have_limits(client, graph):
        found = _finding(client, "waits up to five minutes for every answer", graph, sure)
        yield replace(found, severity=Severity.MINOR)  # late, but it does end
    elif client.kind == "mail" and client.name.startswith("smtplib.") and client.default_timeout is None:
        yield _finding(client, "waits for ever when the mail server says nothing", graph, sure)
    elif client.kind == "redis" and _old_redis(graph) and not _is_limited_redis(client, graph):
        yield _finding(client, "waits for ever when Redis says nothing", graph, sure)


@rule.check(per=AsyncWait)
def request_may_wait_for_an_event(wait: AsyncWait, graph: AppGraph) -> Iterator[Finding]:
    function = wait.function
    if (
        function is None
        or wait.kind not in ("event", "condition")
        or function.is_generator
        or wait.site.loops
    ):
        return
    on = event_loop(graph).of(function)
    if on.kind in ("operation", "dependency") and on.root is function and not is_limited(wait.site, graph):
        yield _finding(wait, "waits for ever when nobody signals", graph, Confidence.FIRM)


def _in_question(call: OutboundRequest | ClientCreation, graph: AppGraph) -> bool:
    if call.scope.module.kind != "source" or not graph.applications:
        return False
    return all(k.arg is not None for k in call.node.keywords)  # `**options` may hold a limit


def _only_relays_streams(client: ClientCreation) -> bool:
    """A generator asks it for nothing but streams: silence on them is no failure, and who reads them can leave."""
    names = {
        name
        for name, bindings in client.scope.facts.bindings.items()
        for binding in bindings
        if binding.kind in ("assign", "annotated", "with") and binding.value is client.node
    }
    if not isinstance(client.scope, Function) or not client.scope.is_generator or len(names) != 1:
        return False
    used = [
        site
        for site in client.scope.facts.calls
        if isinstance(site.node.func, ir.Attribute)
        and isinstance(site.node.func.value, ir.Name)
        and site.node.func.value.id in names
        and site.node.func.attr not in ("aclose", "close")
    ]
    return bool(used) and all(last_name(site.node.func) == "stream" for site in used)


def _is_none(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.kind == "none"


def _limits_itself(request: OutboundRequest, graph: AppGraph) -> bool:
    """The client is of a class of this project, or was given a method with a limit: `partial(session.get,
    timeout=3)`.
    """
    if request.client is None:
        return False
    inference = graph.program.inference
    of_project = (
        isinstance(of, Instance) and isinstance(of.cls, Class)
        for of in options(inference.type_of(request.client, request.scope))
    )
    if any(of_project):
        return True
    partials = (s for s in request.scope.module.facts.calls_named("partial"))
    inside = (s for s in request.scope.facts.calls_named("partial"))
    return any(k.arg == "timeout" for s in (*partials, *inside) for k in s.node.keywords)


def _requests_have_limits(client: ClientCreation, graph: AppGraph) -> bool:
    """Requests in the same body have limits of their own, or stand under one."""
    if is_limited(client.site, graph):
        return True
    sent = [r for r in graph.within(OutboundRequest, client.scope) if r.name.startswith("aiohttp.")]
    return bool(sent) and all(
        argument(r.node, None, "timeout") is not None or is_limited(r.site, graph) for r in sent
    )


def _old_redis(graph: AppGraph) -> bool:
    version = graph.version("redis")
    return version is not None and version < _REDIS_WITH_LIMIT


def _is_limited_redis(client: ClientCreation, graph: AppGraph) -> bool:
    return _limit_in_address(client, graph) or _listens_on_purpose(client)


def _listens_on_purpose(client: ClientCreation) -> bool:
    """It only makes a `pubsub()`, which waits for messages; connecting has its limit, and the system asks whether the other side lives."""
    given = {k.arg for k in client.node.keywords}
    names = {
        name
        for name, bindings in client.scope.facts.bindings.items()
        for binding in bindings
        if client.node in (binding.value, getattr(binding.value, "value", None))
    }
    if not given >= _LIVES or len(names) != 1 or not isinstance(client.scope, Function):
        return False
    used = {
        last_name(site.node.func)
        for site in client.scope.facts.calls
        if isinstance(site.node.func, ir.Attribute)
        and isinstance(site.node.func.value, ir.Name)
        and site.node.func.value.id in names
    }
    return "pubsub" in used and used <= {"pubsub", "aclose", "close"}


def _limit_in_address(client: ClientCreation, graph: AppGraph) -> bool:
    if argument(client.node, None, "connection_pool") is not None:
        return True
    address = graph.program.constants.string(client.url, client.scope) if client.url is not None else None
    return address is not None and "socket_timeout" in address


def _finding(
    call: OutboundRequest | ClientCreation | AsyncWait, how: str, graph: AppGraph, confidence: Confidence
) -> Finding:
    name = dotted_name(call.node.func) or call.name
    script = not is_served(call.scope, graph)
    if script or _is_beside(call.scope, graph):
        confidence = Confidence.TENTATIVE  # a script: its user notices, and ends it
    where = f"`{call.scope.name}`" if isinstance(call.scope, Function) else f"`{call.scope.module.path}`"
    verb = "creates a client with" if isinstance(call, ClientCreation) else "calls"
    found = rule.at(
        call,
        f"{where} {verb} `{name}`, which {how}.",
        _suggestion(call, name),
        reasoning=f"No `timeout` reaches `{call.name}`, neither here nor where its client is made, and no "
        f"limit stands around it.",
        exploit=f"The other side of `{name}` accepts the connection and never answers; each call keeps what waits for it, "
        "until nothing is left to serve others.",
        confidence=confidence,
        trace=steps((call, f"{name} {how}")),
        fix=_fix(call, name) if isinstance(call, OutboundRequest) else None,
    )
    return replace(found, severity=Severity.MINOR) if script else found


def _is_beside(scope: Scope, graph: AppGraph) -> bool:
    """A plain function that no request and no task is seen to reach: it may belong to a command line."""
    if not isinstance(scope, Function) or scope.is_async:
        return False
    return not graph.entries(scope) and not any(task.function is scope for task in graph.tasks)


def _suggestion(call: OutboundRequest | ClientCreation | AsyncWait, name: str) -> str:
    if isinstance(call, AsyncWait):
        code = f"async with asyncio.timeout(10):\n        await {name}()"
        return f"Say how long it may take:\n```python\nimport asyncio\n\n\nasync def wait():\n    {code}\n```"
    if call.name.startswith("aiohttp."):
        code = f"client = {name}(..., timeout=aiohttp.ClientTimeout(total=10))"
    elif call.name.startswith("redis"):
        code = f"client = {name}(..., socket_timeout=5, socket_connect_timeout=2)"
    elif isinstance(call, ClientCreation):
        code = f"client = {name}(..., timeout=10)"
    else:
        code = f"answer = {name}(..., timeout=10)"
    return f"Say how long it may take, in seconds:\n```python\n{code}\n```"


def _fix(call: OutboundRequest, name: str) -> Fix | None:
    """A limit behind the last argument; left to a person where that stands on several lines."""
    node = call.node
    if node.keywords:
        last: ir.Expr | None = node.keywords[-1].value
    else:
        last = node.args[-1] if node.args else None
    own = argument(node, None, "timeout")
    if own is not None:
        return Fix(f"Give {name} ten seconds", (Edit(call.scope.location(own), "10"),), safe=False)
    if last is None or last.__class__ not in (ir.Name, ir.Attribute, ir.Constant, ir.JoinedStr, ir.Dict):
        return None
    place = call.scope.location(last)
    if place.end_line != place.line:
        return None
    behind = Location(place.path, place.end_line, place.end_column)
    return Fix(f"Give {name} ten seconds", (Edit(behind, ", timeout=10"),), safe=False)


rule.bad = """
    import requests
    from fastapi import FastAPI

    app = FastAPI()


    @app.post("/orders/{order_id}/shipments", status_code=201)
    def ship(order_id: int) -> str:
        url = f"https://warehouse.example/orders/{order_id}"
        answer = requests.post(url)  # finding: outbound-call-without-timeout
        answer.raise_for_status()
        return answer.text
"""

rule.good = """
    import requests
    from fastapi import FastAPI

    app = FastAPI()


    @app.post("/orders/{order_id}/shipments", status_code=201)
    def ship(order_id: int) -> str:
        url = f"https://warehouse.example/orders/{order_id}"
        answer = requests.post(url, timeout=5)
        answer.raise_for_status()
        return answer.text
"""


@rule.symptom
def nothing_ends_the_wait(proof: Proof) -> None:
    """The request leaves the process without any limit on how long its answer may take."""
    proof.answer("https://warehouse.example/", text="shipped")
    assert proof.client.post("/orders/1/shipments").status_code == 201
    assert [request.timeout for request in proof.outbound] == [None]
