"""Text from a request is run as Python.

`eval` and `exec` have no safe subset: an expression reaches every class of the interpreter, and from there files, secrets and
processes. `compile`d text that is only looked at is harmless; defining functions to "validate" them is not, since
decorators and defaults run at once. `import_module` of a name from a request runs whatever module it finds. What another
service or a language model answers counts as well, one step less sure.

Known limits: expression languages of libraries are known for pandas, numexpr, simpleeval and asteval. A module's name that
only partly comes from the request is tentative: what it can load depends on what is installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.process import CodeExecution
from fastapi_architect.rules.kit import AppGraph, Confidence, Finding, Proof, Rule, Scope, Severity, ir

rule = Rule(
    __name__,
    "Request data is run as code",
    severity=Severity.CRITICAL,
    cwe=94,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://docs.python.org/3/library/functions.html#eval",
        "https://cwe.mitre.org/data/definitions/94.html",
    ),
)

#: Names that are followed from the import to the text of the module's name.
_MAX_DEPTH = 4
_ENDINGS = {
    "import": "the module of this name is loaded, and its code runs",
    "query": "it is evaluated as an expression",
    "function": "it becomes a function that runs",
}
_EXPLOITS = {
    "import": "{route} with the name of another module for `{field}` makes the service load and run it.",
    "query": "{route} with an expression that calls functions (`@__import__('os').system(...)`) for `{field}` runs it.",
}
_EXPLOIT = "{route} with `__import__('os').system('...')` for `{field}` runs any command as the service."


@rule.check(per=AppGraph)
def request_data_as_code(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "code"):
        fact = flow.fact
        assert isinstance(fact, CodeExecution)
        if flow.is_answer and fact.kind == "import":
            continue  # services that belong together name each other's modules
        ending = _ENDINGS.get(fact.kind, "it is run as Python code")
        yield rule.at(
            fact,
            f"`{flow.name}` of {flow.carrier}{flow.others} is run here: {ending}.",
            _suggestion(flow, fact),
            reasoning=(
                f"`{flow.name}` is {flow.sent}. It reaches `{fact.name.removeprefix('builtins.')}`"
                f"{flow.through} with no check against a closed list on the way; {ending}."
            ),
            exploit=_EXPLOITS.get(fact.kind, _EXPLOIT).format(route=flow.attacker, field=flow.field),
            confidence=_confidence(flow, fact),
            trace=flow.trace(ending),
            routes=flow.routes,
        )


def _confidence(flow: Flow, fact: CodeExecution) -> Confidence:
    if fact.kind != "import":
        return flow.confidence
    whole = not _is_inside_package(flow.sink.argument, fact.scope)
    made = any(trace.kind == "returned" for trace in flow.path.traces)
    return flow.confidence if whole and not made else Confidence.TENTATIVE


def _is_inside_package(name: ir.Expr | None, scope: Scope, depth: int = 0) -> bool:
    """Other text stands around the value, as the package's name in `f"plugins.{name}"`, where it is imported or where the name is
    made: only modules that are there can be named.
    """
    if isinstance(name, ir.JoinedStr | ir.BinOp):
        return True
    if isinstance(name, ir.Sequence):
        return bool(name.elts) and all(_is_inside_package(each, scope, depth + 1) for each in name.elts)
    if not isinstance(name, ir.Name) or depth > _MAX_DEPTH:
        return False
    bindings = scope.facts.bindings.get(name.id, ())
    return bool(bindings) and all(
        binding.kind in ("assign", "annotated", "loop")
        and not binding.path
        and _is_inside_package(binding.value, scope, depth + 1)
        for binding in bindings
    )


def _suggestion(flow: Flow, fact: CodeExecution) -> str:
    value = flow.field if flow.field.isidentifier() else "value"
    if fact.kind == "import":
        return (
            "Look the module up among those you allow:\n```python\n"
            f'MODULES = {{"csv": exporters.csv, "xlsx": exporters.xlsx}}\nmodule = MODULES[{value}]\n```'
        )
    if fact.kind == "query":
        return f"Compare columns that the code names:\n```python\nrows = frame[frame[COLUMNS[column]] == {value}]\n```"
    return (
        "Read values as data (`ast.literal_eval` or JSON), choose operations from a table, and run what really has to be code "
        f'in an isolated worker:\n```python\nOPERATIONS = {{"sum": sum, "max": max}}\nresult = OPERATIONS[{value}](numbers)\n```'
    )


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/price")
    def price(formula: str, amount: int = 1) -> float:
        return float(eval(formula, {"amount": amount}))  # finding: code-execution-from-request
"""

rule.good = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    FORMULAS = {"amount * 2": lambda amount: amount * 2, "amount * 3": lambda amount: amount * 3}

    @app.get("/price")
    def price(formula: str, amount: int = 1) -> float:
        if formula not in FORMULAS:
            raise HTTPException(422, "there is no such formula")
        return float(FORMULAS[formula](amount))
"""


@rule.exploit
def a_formula_writes_a_file(proof: Proof) -> None:
    """A formula that opens a file for writing is run by the server."""
    assert proof.client.get("/price", params={"formula": "amount * 2", "amount": 2}).json() == 4
    proof.client.get("/price", params={"formula": "open('owned', 'w').write('x')"})
    assert (proof.root / "owned").exists()
