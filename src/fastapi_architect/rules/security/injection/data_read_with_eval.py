"""A text that holds data is read with `eval`.

A model's answer, a field of a configuration, a row of a spreadsheet: the text looks like a list or a dict, and `eval` turns it
into one. It also runs whatever else stands there, and an emptied namespace does not help: `().__class__` leads from any value
to every class of the interpreter. Nobody has to reach this line from a request directly; whoever can word the text runs code.

Reported is `eval` of a text that comes from outside the function, with no namespace, an emptied one, or one that only adds
variables. Texts that a pattern or a list was asked about before, that every known caller writes down, or that name a
function to be called are left alone; so are namespaces that offer functions, which is a language of its own.

Known limits: texts that are partly written in the code, that are called code, that settings hold, and that validators see are tentative.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.evaluated_texts import EvaluatedText, evaluated_texts
from fastapi_architect.analyses.request_flows import flows_to
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
    routes_of,
)

rule = Rule(
    __name__,
    "A text that holds data is read with eval",
    severity=Severity.IMPORTANT,
    cwe=95,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://docs.python.org/3/library/ast.html#ast.literal_eval",
        "https://nedbatchelder.com/blog/201206/eval_really_is_dangerous.html",
    ),
)


@rule.check(per=AppGraph)
def data_is_evaluated(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    texts = evaluated_texts(graph)
    flows = flows_to(graph, "code") if texts else ()
    told = {id(flow.sink.node) for flow in flows if flow.confidence is not Confidence.TENTATIVE}
    for text in texts:
        if id(text.fact.node) not in told:
            yield _finding(text, graph)


def _finding(text: EvaluatedText, graph: AppGraph) -> Finding:
    function = text.fact.function
    operations = graph.entries(function) if function is not None else ()
    name = function.name if function is not None else text.fact.scope.name
    others = f" (and {text.others} more here)" if text.others else ""
    emptied = ", although with an emptied namespace," if text.is_emptied else ""
    return rule.at(
        text.fact,
        f"`{name}` reads `{text.written}`{others} with `eval`{emptied} so whatever stands in it runs.",
        f"Read values as values:\n```python\nimport ast\n\nvalue = ast.literal_eval({text.example})\n```\n"
        "`json.loads` does it where the text is JSON; arithmetic needs a parser of its own.",
        reasoning=f"`{text.written}` is {text.origin}; nothing between there and `eval` asks what it holds. No namespace makes "
        "`eval` safe: every object leads to all classes of the interpreter.",
        exploit=f"A text such as `().__class__.__base__.__subclasses__()` for `{text.written}` reaches any class and from there "
        "starts programs as the service.",
        confidence=Confidence.FIRM if text.is_data else Confidence.TENTATIVE,
        routes=routes_of(operations),
    )


_APP = """
    import ast
    from pathlib import Path

    from fastapi import FastAPI

    app = FastAPI()

    def read_box(answer: str) -> list[int]:
        %s

    @app.get("/boxes/{number}")
    def box(number: int) -> list[int]:
        return read_box(Path(f"{number}.txt").read_text())
"""

rule.bad = _APP % "return eval(answer, {}, {})  # finding: data-read-with-eval"

rule.good = _APP % "return ast.literal_eval(answer)"


@rule.exploit
def an_answer_makes_a_folder(proof: Proof) -> None:
    """An answer that calls a function makes the service create a folder."""
    proof.place("1.txt", "[1, 2, 3, 4]")
    assert proof.client.get("/boxes/1").json() == [1, 2, 3, 4]
    proof.place("2.txt", "[__import__('os').mkdir('owned') or 1]")
    proof.client.get("/boxes/2")
    assert (proof.root / "owned").exists()
