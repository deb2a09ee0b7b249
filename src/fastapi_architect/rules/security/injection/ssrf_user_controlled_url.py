"""A request chooses which host the server connects to.

The server stands inside the network: it reaches databases, admin consoles and the cloud's metadata service
(`http://169.254.169.254/`), which hands out the machine's keys to whoever asks from inside. An address that a client may
choose makes all of them reachable from outside. `HttpUrl` says that a value is an address, not where it leads. The value
is followed from the request to the call that connects. A check counts for what it is: the *parsed* host in a closed
list, or the addresses that it resolves to; `startswith("https://good.com")`, `"good.com" in url` and `endswith("good.com")`
without the dot do not. A value behind a fixed host and a slash is harmless here.

Known limits: addresses that come back from the database are not followed. Between a check of the resolved address and the
connection the name may resolve to something else. Clients that filter where they connect are not known; name the function
that checks under `sanitizers` in `[tool.fastapi-architect.project]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.rules.kit import AppGraph, Files, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "A request chooses which host the server connects to",
    severity=Severity.CRITICAL,
    cwe=918,
    cvss="AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:L/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html",
        "https://owasp.org/API-Security/editions/2023/en/0xa7-server-side-request-forgery/",
    ),
    requires=("httpx",),
)


@rule.check(per=AppGraph)
def a_request_chooses_the_host(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told: set[tuple[int, tuple[str, ...]]] = set()
    for flow in flows_to(graph, "url"):
        # `urlopen(Request(url))` and two requests in a row are one mistake.
        key = (id(flow.sink.scope), flow.path.path)
        if flow.sink.scope.module.kind == "source" and key not in told:
            told.add(key)
            yield _finding(flow, graph)


def _finding(flow: Flow, graph: AppGraph) -> Finding:
    function = flow.sink.scope.full_name.rpartition(".")[2]
    does = "makes a client for" if isinstance(flow.fact, ClientCreation) else "connects to"
    return rule.at(
        flow.fact,
        f"`{function}` {does} the host that `{flow.name}` of {flow.route} names{flow.others}.",
        _suggestion(flow, graph),
        reasoning=f"`{flow.name}` is whatever the client of {flow.route} sends; it arrives{flow.through}. {_why(flow)}",
        exploit=f"{flow.route} with `{flow.field}={_payload(flow)}` makes the server talk to a host of the inner network.",
        confidence=flow.confidence,
        trace=flow.trace("the server connects there"),
        routes=flow.routes,
    )


def _why(flow: Flow) -> str:
    if "host" in flow.path.aspects:
        return "No list of hosts and no look at the address it resolves to stands on the way."
    return "What stands before it does not end the host: `.evil.example` or `@evil.example` behind it names another one."


def _payload(flow: Flow) -> str:
    if "host" not in flow.path.aspects:
        return "@169.254.169.254/"
    name = written_host(flow)
    return "169.254.169.254" if name else "http://169.254.169.254/latest/meta-data/"


def written_host(flow: Flow) -> bool:
    """The value is a host by its name, not a whole address."""
    return any(word in flow.field.lower() for word in ("host", "domain", "server", "ip"))


def _suggestion(flow: Flow, graph: AppGraph) -> str:
    name = written(graph, flow.sink.scope, flow.sink.argument)
    if not name.isidentifier():
        name = "url"
    return (
        "Compare the parsed host with those you allow, and follow no redirects; where any host must be possible, resolve "
        "it once, refuse what is not public, and connect to that address:\n"
        "```python\nfrom urllib.parse import urlsplit\n\n"
        f'if urlsplit(str({name})).hostname not in {{"images.example.com"}}:\n'
        '    raise HTTPException(422, "This host is not allowed.")\n```'
    )


_MAIN = """
    from fastapi import FastAPI
    from pydantic import BaseModel, HttpUrl

    import previews

    app = FastAPI()

    class Link(BaseModel):
        url: HttpUrl

    @app.post("/previews")
    def preview(link: Link) -> str:
        return previews.fetch(str(link.url))
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "previews.py": """
        import httpx

        def fetch(url: str) -> str:
            return httpx.get(url, timeout=5).text  # finding: ssrf-user-controlled-url
    """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "previews.py": """
        from urllib.parse import urlsplit

        import httpx
        from fastapi import HTTPException

        ALLOWED = {"example.com", "www.example.com"}

        def fetch(url: str) -> str:
            if urlsplit(url).hostname not in ALLOWED:
                raise HTTPException(422, "This host is not allowed.")
            return httpx.get(url, timeout=5).text
    """,
    }
)


@rule.exploit
def a_preview_reads_the_keys_of_the_machine(proof: Proof) -> None:
    """A link to the metadata service is answered with the keys of the machine."""
    inner = "http://169.254.169.254/latest/meta-data/iam/"
    proof.answer(inner, text="AWS-KEY")
    answer = proof.client.post("/previews", json={"url": inner})
    assert "AWS-KEY" in answer.text
    assert any(request.url.startswith(inner) for request in proof.outbound)
