"""Bytes from a request are read in a format that runs code.

Reading a pickle calls what it names, with arguments that it holds; so do marshal, shelve, joblib, `torch.load` without
`weights_only`, `numpy.load` with `allow_pickle`, `yaml.load` without a safe loader and jsonpickle. No exception and no check
afterwards helps: the code has run by then. JSON, `yaml.safe_load` and safetensors hold data alone.

Known limits: a signature that is compared before reading is trusted, whatever it covers. A file of the server that a request
only names belongs to path traversal.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.identity import SecretComparison, SignatureVerification
from fastapi_architect.concepts.serialization import Deserialization
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
)

rule = Rule(
    __name__,
    "Request data is read in a format that runs code",
    severity=Severity.CRITICAL,
    cwe=502,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://docs.python.org/3/library/pickle.html",
        "https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html",
    ),
)

#: Functions that take a file's name as readily as its content.
_BY_NAME = ("joblib.load", "torch.load", "numpy.load", "shelve.open", "pandas.read_pickle")
_BYTES = ("read", "file", "body", "stream", "receive_bytes")
_UNSAFE_YAML = frozenset({"full_load", "unsafe_load", "full_load_all", "unsafe_load_all"})


@rule.check(per=AppGraph)
def request_data_that_is_unpickled(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "deserialization"):
        fact = flow.fact
        assert isinstance(fact, Deserialization)
        if not _is_verified(flow, graph):
            yield _finding(flow, fact)


def _finding(flow: Flow, fact: Deserialization) -> Finding:
    ending = f"`{fact.name}` reads it, and runs what it names"
    return rule.at(
        fact,
        f"`{flow.name}` of {flow.carrier}{flow.others} is read as {fact.format}, which can hold code.",
        _suggestion(flow, fact),
        reasoning=(
            f"`{flow.name}` is {flow.sent}. It reaches `{fact.name}`{flow.through} unsigned, and "
            f"reading {fact.format} calls the functions that the data names."
        ),
        exploit=f"{flow.attacker} with a {fact.format} document that calls `os.system` in `{flow.field}` runs it while it is read.",
        confidence=_confidence(flow, fact),
        trace=flow.trace(ending),
        fix=_fix(fact),
        routes=flow.routes,
    )


def _confidence(flow: Flow, fact: Deserialization) -> Confidence:
    """What may be a file's name is only dangerous to whoever can also place a file."""
    if fact.name in _BY_NAME and not any(step in _BYTES for step in flow.path.path[1:]):
        return Confidence.TENTATIVE
    return flow.confidence


def _is_verified(flow: Flow, graph: AppGraph) -> bool:
    """A signature or digest is compared before, in a body that the value goes through."""
    scopes: dict[int, Scope] = {id(scope): scope for scope in (trace.scope for trace in flow.path.traces)}
    scopes[id(flow.sink.scope)] = flow.sink.scope
    scopes[id(flow.path.source.function)] = flow.path.source.function
    return any(
        graph.within(SecretComparison, scope) or graph.within(SignatureVerification, scope)
        for scope in scopes.values()
    )


def _fix(fact: Deserialization) -> Fix | None:
    """`yaml.unsafe_load` and the like have a safe twin of the same shape."""
    func = fact.node.func
    attribute = getattr(func, "attr", "")
    if attribute not in _UNSAFE_YAML:
        return None
    place = fact.scope.location(func)
    start = place.end_column - len(attribute)
    safe = "safe_load_all" if attribute.endswith("_all") else "safe_load"
    edit = Edit(Location(place.path, place.end_line, start, place.end_line, place.end_column), safe)
    return Fix(f"Read it with `{safe}`", (edit,))


def _suggestion(flow: Flow, fact: Deserialization) -> str:
    value = flow.field if flow.field.isidentifier() else "content"
    if fact.format == "yaml":
        return f"Read data alone:\n```python\ndata = yaml.safe_load({value})\n```"
    if fact.format == "torch":
        return f"Read weights alone:\n```python\nweights = torch.load(io.BytesIO({value}), weights_only=True)\n```"
    if fact.format == "numpy":
        return f"Read numbers alone:\n```python\narray = numpy.load(io.BytesIO({value}), allow_pickle=False)\n```"
    return (
        "Take JSON and validate it with a model:\n```python\nclass Snapshot(BaseModel):\n    entries: list[str]\n\n\n"
        f"snapshot = Snapshot.model_validate_json({value})\n```"
    )


_HEAD = """
    import base64
    import json
    import pickle

    from fastapi import FastAPI

    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/baskets")
    def restore(basket: str) -> int:
        entries = pickle.loads(base64.b64decode(basket))  # finding: unsafe-deserialization
        return len(entries)
"""
)

rule.good = (
    _HEAD
    + """
    @app.post("/baskets")
    def restore(basket: str) -> int:
        entries = json.loads(base64.b64decode(basket))
        return len(entries)
"""
)


class _Payload:
    """What an attacker pickles: reading it writes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("owned"),)


@rule.exploit
def a_basket_writes_a_file(proof: Proof) -> None:
    """A basket that is a pickle naming `Path.touch` makes the server create a file while it reads it."""
    import base64
    import pickle

    basket = base64.b64encode(pickle.dumps(_Payload())).decode()
    proof.client.post("/baskets", params={"basket": basket})
    assert (proof.root / "owned").exists()
