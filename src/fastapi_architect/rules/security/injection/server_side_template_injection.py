"""Text from a request becomes a template.

A template is a program: `{{ self.__init__.__globals__ }}` leads from any value to the interpreter, and from there to the
machine. `str.format` on a text from a request reads attributes of what it is given, and with an object of the program
among that, its globals and secrets. Values belong into the context, where they stay text.

Known limits: a sandboxed environment is tentative (sandboxes have been escaped, and they let through what the context
holds); so are templates without logic (mustache), which only disclose what they are given.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.analyses.stored_templates import is_sandboxed
from fastapi_architect.concepts.template import TemplateSource, TextFormatting
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
)

rule = Rule(
    __name__,
    "Request data becomes a template",
    severity=Severity.CRITICAL,
    cwe=1336,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://portswigger.net/web-security/server-side-template-injection",
        "https://jinja.palletsprojects.com/en/stable/sandbox/",
    ),
    requires=("jinja2",),
)


@rule.check(per=AppGraph)
def request_data_as_a_template(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "template"):
        fact = flow.fact
        assert isinstance(fact, TemplateSource | TextFormatting)
        formats = isinstance(fact, TextFormatting)
        ending = (
            "`format` follows the attributes that it names" if formats else "it is compiled as a template"
        )
        yield rule.at(
            fact,
            f"`{flow.name}` of {flow.carrier}{flow.others} is used as a template: {ending}.",
            _suggestion(flow, formats),
            reasoning=(
                f"`{flow.name}` is {flow.sent}. It reaches the template engine{flow.through} as "
                "the template itself, not as a value, so what stands in braces is evaluated."
            ),
            exploit=_exploit(flow, formats),
            confidence=_confidence(flow, graph),
            trace=flow.trace(ending),
            routes=flow.routes,
        )


def _confidence(flow: Flow, graph: AppGraph) -> Confidence:
    fact = flow.fact
    if isinstance(fact, TemplateSource) and (fact.engine == "mustache" or is_sandboxed(fact, graph)):
        return Confidence.TENTATIVE
    return flow.confidence


def _exploit(flow: Flow, formats: bool) -> str:
    if formats:
        return f"{flow.attacker} with `{{0.__init__.__globals__}}` for `{flow.field}` answers with the module's globals, secrets included."
    return f"{flow.attacker} with `{{{{ cycler.__init__.__globals__.os.popen('id').read() }}}}` for `{flow.field}` runs a command."


def _suggestion(flow: Flow, formats: bool) -> str:
    value = flow.field if flow.field.isidentifier() else "value"
    if formats:
        return f"Replace the names you offer, and nothing else:\n```python\ntext = string.Template({value}).safe_substitute(name=name)\n```"
    return (
        "Keep the template in the code and pass the value to it; where users do write templates, use a sandbox and plain data:"
        f'\n```python\ntemplate = environment.from_string("Dear {{{{ name }}}}")\ntext = template.render(name={value})\n```'
    )


_HEAD = """
    from fastapi import FastAPI
    from jinja2 import Environment

    app = FastAPI()
    environment = Environment(autoescape=True)
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/greeting")
    def greeting(text: str) -> str:
        return environment.from_string("Hello " + text).render()  # finding: server-side-template-injection
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/greeting")
    def greeting(text: str) -> str:
        return environment.from_string("Hello {{ text }}").render(text=text)
"""
)


@rule.exploit
def a_greeting_writes_a_file(proof: Proof) -> None:
    """A greeting in braces that leads to `os` makes the server create a file."""
    assert "Ada" in proof.client.get("/greeting", params={"text": "Ada"}).text
    text = "{{ cycler.__init__.__globals__.os.mkdir('owned') }}"
    proof.client.get("/greeting", params={"text": text})
    assert (proof.root / "owned").exists()
