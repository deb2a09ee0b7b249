"""A request chooses where a redirect leads.

A link to a site that people trust takes them to a copy of it: `https://shop.example/landing?next=https://sh0p.example/`. The
page they land on asks for the password once more. Behind a login the same hole gives away codes and tokens that stand in the
address. The value is followed from the request to the redirect. A check counts for what it is: an address below this site
(`startswith("/")` and not `startswith("//")`), no host in the parsed address, the parsed host or the whole address in a list.
`startswith("https://shop.example")` does not: `https://shop.example.evil.example` passes.

Known limits: addresses that come back from the database are not followed, nor is a `Location` header that is set by hand. What
only the client itself can send (a body, a cookie, a header) is tentative: no link carries it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.rules.kit import AppGraph, Confidence, Finding, Proof, Rule, Severity

rule = Rule(
    __name__,
    "A request chooses where a redirect leads",
    severity=Severity.IMPORTANT,
    cwe=601,
    cvss="AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html",
    ),
)

#: What a link can carry.
_LINKED = frozenset({"query string", "path", "form"})
#: A browser sends these by itself, and a site that links here chooses neither.
_OWN_ADDRESS = frozenset({"url", "base_url", "url_for"})


@rule.check(per=AppGraph)
def a_request_chooses_the_target(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "redirect"):
        if flow.sink.scope.module.kind == "source" and not _is_own_address(flow) and not flow.is_one_segment:
            yield _finding(flow, graph)


def _is_own_address(flow: Flow) -> bool:
    """`request.url`: the address that was asked for, on the host that was asked."""
    return len(flow.path.path) > 1 and flow.path.path[1] in _OWN_ADDRESS


def _finding(flow: Flow, graph: AppGraph) -> Finding:
    is_linked = flow.place in _LINKED
    function = flow.sink.scope.full_name.rpartition(".")[2]
    return rule.at(
        flow.fact,
        f"`{function}` redirects to the address that `{flow.name}` of {flow.route} names.",
        _suggestion(flow, graph),
        reasoning=f"`{flow.name}` comes from the {flow.place}; it arrives{flow.through}. {_why(flow)}",
        exploit=f"A link to {flow.route} with `{flow.field}={_payload(flow)}` takes whoever follows it to a copy of the site.",
        confidence=flow.confidence if is_linked else Confidence.TENTATIVE,
        trace=flow.trace("the browser is sent there"),
        routes=flow.routes,
    )


def _why(flow: Flow) -> str:
    if "host" in flow.path.aspects:
        return "Nothing on the way keeps it on this site or compares it with a list."
    return "It is kept behind a slash or a host, but `//evil.example`, `.evil.example` or `@evil.example` still leads elsewhere."


def _payload(flow: Flow) -> str:
    return "https://evil.example/" if "host" in flow.path.aspects else "//evil.example/"


def _suggestion(flow: Flow, graph: AppGraph) -> str:
    name = written(graph, flow.sink.scope, flow.sink.argument)
    if not name.isidentifier():
        name = "target"
    return (
        "Take addresses of this site only:\n"
        f'```python\nif not {name}.startswith("/") or {name}.startswith(("//", "/\\\\")):\n    {name} = "/"\n```\n'
        "Where other sites must be possible, look the address up among those that are registered."
    )


_APP = """
    from fastapi import FastAPI
    from fastapi.responses import RedirectResponse

    app = FastAPI()

    @app.get("/landing")
    def landing(target: str = "/") -> RedirectResponse:
        %s
"""

rule.bad = _APP % "return RedirectResponse(target)  # finding: open-redirect"

rule.good = (
    _APP
    % """if not target.startswith("/") or target.startswith("//"):
            target = "/"
        return RedirectResponse(target)"""
)


@rule.exploit
def a_link_to_the_shop_leads_elsewhere(proof: Proof) -> None:
    """A link to this site answers with a redirect to another one."""
    answer = proof.client.get("/landing", params={"target": "https://evil.example/"}, follow_redirects=False)
    assert answer.headers["location"].startswith("https://evil.example")
