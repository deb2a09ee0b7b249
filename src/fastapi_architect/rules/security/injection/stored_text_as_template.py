"""A text that is stored is rendered as a template.

Templates of mails, prompts and pages are kept in the database so that people can change them. A template is a program:
`{{ cycler.__init__.__globals__.os.popen('id').read() }}` leads from a value that every template has to a command on the server.
Whoever may change the text, or gets somebody else to, runs code as the service. Jinja's sandbox keeps templates from what
begins with an underscore and from what changes the values that they are given.

Reported are columns of models that become the text of a template, or that the loader of an environment gives. Text that comes
straight from a request belongs to `server-side-template-injection`.

Known limits: a column that no request model of the same name has a field for is tentative; files that people upload are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.request_flows import flows_to
from fastapi_architect.analyses.stored_templates import StoredTemplate, stored_templates
from fastapi_architect.concepts.template import TemplateSource
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A stored text is rendered as a template",
    severity=Severity.IMPORTANT,
    cwe=1336,
    cvss="AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://jinja.palletsprojects.com/en/stable/sandbox/",
        "https://portswigger.net/web-security/server-side-template-injection",
    ),
    requires=("jinja2",),
)


@rule.check(per=AppGraph)
def stored_text_is_compiled(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    stored = stored_templates(graph)
    flows = flows_to(graph, "template") if stored else ()
    told = {id(flow.sink.node) for flow in flows if flow.confidence is not Confidence.TENTATIVE}
    for template in stored:
        if id(template.fact.node) not in told:
            yield _finding(template, graph)


def _finding(stored: StoredTemplate, graph: AppGraph) -> Finding:
    function = stored.fact.function
    name = f"{stored.model.cls.name}.{stored.column}"
    is_text = isinstance(stored.fact, TemplateSource)
    ending = "it is compiled as a template" if is_text else "the environment compiles what its loader gives"
    return rule.at(
        stored.fact,
        f"`{name}` is rendered as a template without a sandbox, so whoever writes it runs code.",
        _suggestion(is_text),
        reasoning=f"A row of `{stored.model.cls.name}` holds what somebody wrote. It becomes the template itself, not a value "
        "in one, and what stands in braces is evaluated with every attribute in reach.",
        exploit=f"`{{{{ cycler.__init__.__globals__.os.popen('id').read() }}}}` in `{stored.column}` runs a command on the "
        "server as soon as the template is rendered.",
        confidence=Confidence.FIRM if stored.is_input else Confidence.TENTATIVE,
        trace=steps(
            (stored.scope.location(stored.node), f"`{name}` is read from a row"), (stored.fact, ending)
        ),
        routes=routes_of(graph.entries(function) if function is not None else ()),
    )


def _suggestion(is_text: bool) -> str:
    use = (
        "text = environment.from_string(template).render(values)"
        if is_text
        else "text = environment.get_template(name).render(values)"
    )
    given = "autoescape=True" if is_text else "loader=loader, autoescape=True"
    return (
        "Render it in Jinja's sandbox, and give it plain values instead of rows and services:\n```python\n"
        "from jinja2.sandbox import ImmutableSandboxedEnvironment\n\n"
        f"environment = ImmutableSandboxedEnvironment({given})\n{use}\n```"
    )


_MODELS = """
    from sqlalchemy import StaticPool, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Letter(Base):
        __tablename__ = "letters"

        id: Mapped[int] = mapped_column(primary_key=True)
        content: Mapped[str]

    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
"""

_MAIN = """
    from fastapi import FastAPI
    from jinja2 import Environment
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from models import Letter, engine
    from pydantic import BaseModel
    from sqlalchemy.orm import Session

    app = FastAPI()

    class LetterUpdate(BaseModel):
        content: str

    @app.put("/letters/{number}")
    def write(number: int, letter: LetterUpdate) -> None:
        with Session(engine) as session:
            session.merge(Letter(id=number, content=letter.content))
            session.commit()

    @app.get("/letters/{number}")
    def read(number: int, name: str) -> str:
        with Session(engine) as session:
            letter = session.get_one(Letter, number)
        %s
"""

rule.bad = Files(
    {
        "main.py": _MAIN
        % "return Environment().from_string(letter.content).render(name=name)  # finding: stored-text-as-template",
        "models.py": _MODELS,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN
        % "return ImmutableSandboxedEnvironment().from_string(letter.content).render(name=name)",
        "models.py": _MODELS,
    }
)


@rule.exploit
def a_letter_makes_a_folder(proof: Proof) -> None:
    """A letter in braces that leads to `os` makes the server create a folder when it is read."""
    proof.client.put("/letters/1", json={"content": "Dear {{ name }}"})
    assert proof.client.get("/letters/1", params={"name": "Ada"}).json() == "Dear Ada"
    text = "{{ cycler.__init__.__globals__.os.mkdir('owned') }}"
    proof.client.put("/letters/2", json={"content": text})
    proof.client.get("/letters/2", params={"name": "Ada"})
    assert (proof.root / "owned").exists()
