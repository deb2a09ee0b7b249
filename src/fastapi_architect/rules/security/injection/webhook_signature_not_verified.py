"""Another service's messages are believed, whoever sends them.

The address of a webhook is public and easy to guess, and nobody signs in there. What tells the provider's message from a
stranger's is its signature over the raw body. Without a check anybody reports an order as paid.

Known limits: webhooks are known by their path or name (`webhook`, `callback`, `ipn`, a provider's name with `events` or
`notifications`). Whatever a function's name calls a check is taken for one, and so is a comparison with a secret, a token or
an address; a gateway that verifies is declared as `gateway.authentication` in `[tool.fastapi-architect.project]`. A handler
that fetches something first may ask the provider whether the message is real, and is reported as tentative.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.provider_callbacks import (
    asks_back,
    functions_of,
    is_provider_callback,
    what_verifies,
)
from fastapi_architect.analyses.public_operations import callers_of
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.cryptography import MessageAuthentication
from fastapi_architect.concepts.identity import SecretComparison, SignatureVerification
from fastapi_architect.concepts.messaging import BackgroundTaskAdd
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    argument,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A webhook believes whoever calls it",
    severity=Severity.IMPORTANT,
    cwe=345,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:L",
    references=(
        "https://docs.stripe.com/webhooks#verify-official-libraries",
        "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
        "https://owasp.org/API-Security/editions/2023/en/0xaa-unsafe-consumption-of-apis/",
    ),
)

#: They write a parsed body anew: other spaces, another order, no doubled keys.
_WRITTEN_ANEW = frozenset({"dumps", "model_dump_json"})


@rule.check(per=AppGraph)
def unsigned_messages(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    reported: set[int] = set()
    for operation in graph.operations:
        if not is_provider_callback(operation):
            continue
        for finding, place in _findings(operation, graph):
            if id(place) not in reported:
                reported.add(id(place))
                yield finding


def _findings(operation: PathOperation, graph: AppGraph) -> Iterator[tuple[Finding, object]]:
    for function in functions_of(operation, graph):
        for mac in graph.within(MessageAuthentication, function):
            written = _written_anew(mac.message, function)
            if written is not None:
                yield _of_another_text(mac, written, operation, graph), mac.node
        signed = graph.within(SignatureVerification, function)
        for check in (*graph.within(SecretComparison, function), *signed):
            given = _only_if_given(check, function)
            if given:
                yield _of_optional(check, given, operation), check.node
    act = _believed(operation, graph)
    if act is not None:
        yield _of_operation(operation, act, graph), operation.handler


# ── no check at all ─────────────────────────────────────────────────────────────────────────────────────────────


def _believed(operation: PathOperation, graph: AppGraph) -> Concept | None:
    """What a stranger's message makes the application do; None when nothing, or when somebody checks."""
    access = graph.access(operation)
    if access.level > AccessLevel.NONE or access.public_reason or not _takes_a_message(operation):
        return None
    act = _act(operation, graph)
    if act is None or callers_of(graph).guarded_elsewhere(operation, graph.application_of(operation)):
        return None
    return None if what_verifies(operation, graph) else act


def _takes_a_message(operation: PathOperation) -> bool:
    return any(p.kind in ("body", "form", "request") for p in operation.all_parameters())


def _act(operation: PathOperation, graph: AppGraph) -> Concept | None:
    done = effects(graph).of_handler(operation)
    later = [t for function in done.functions for t in graph.within(BackgroundTaskAdd, function)]
    return next(iter((*done.writes, *done.messages, *later, *done.files)), None)


def _confidence(operation: PathOperation, act: Concept, graph: AppGraph) -> Confidence:
    # An address that holds an id that nobody can guess is a key of its own.
    is_unguessable = any(
        p.kind == "path" and p.type is not None and "UUID" in str(p.type) for p in operation.parameters
    )
    doubts = (
        operation.conditional,
        operation.floating,
        not act.sure,
        is_unguessable,
        asks_back(operation, graph),
    )
    return Confidence.TENTATIVE if any(doubts) else Confidence.FIRM


def _of_operation(operation: PathOperation, act: Concept, graph: AppGraph) -> Finding:
    assert operation.handler is not None
    name, call = operation.handler.name, last_name(act.node.func) or "a call"
    guarded = registered(graph, operation, keywords={"dependencies": "[Depends(verify_signature)]"})
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) acts on every message: nothing checks that the provider signed it.",
        "Verify the signature over the raw body before anything is done; the name of the header is the provider's.\n"
        f"```python\nasync def verify_signature(request: Request) -> None:\n"
        '    key = os.environ["WEBHOOK_SECRET"].encode()\n'
        '    expected = hmac.new(key, await request.body(), "sha256").hexdigest()\n'
        '    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):\n'
        f"        raise HTTPException(401)\n\n\n{guarded}\n```",
        reasoning=f"No dependency, middleware or call on the way compares a signature, a secret or an address, and {name} "
        f"goes on to {call}(...).",
        exploit=f"A stranger sends `{operation}` with a message made up, and {call}(...) is done as if the provider had sent it.",
        confidence=_confidence(operation, act, graph),
        trace=steps(
            (operation.handler, f"{operation} takes a message from anybody"), (act, f"{call}(...) acts on it")
        ),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True),
    )


# ── a check that only some messages meet ────────────────────────────────────────────────────────────────────────


def _only_if_given(check: Concept, function: Function) -> str:
    """The signature that has to be there before it is looked at; "" when a message without one is refused.

    `if given and not same(given, expected): raise`, and `if given:` around the check.
    """
    parts = [getattr(check, name, None) for name in ("left", "right", "signature")]
    names = {name for part in parts for name in names_in(part)} & _optional_inputs(function)
    needed = {name for test in _tests_before(check) for name in _needed(test)} & names
    if not needed or not (isinstance(check, SignatureVerification) or _refuses(check)):
        return ""
    return "" if any(_is_refused_without(name, function) for name in needed) else min(needed)


def _optional_inputs(function: Function) -> set[str]:
    """Parameters that may be None, and what is looked up among the headers."""
    found = {p.name for p in function.parameters if _may_be_none(p)}
    for name, bindings in function.facts.bindings.items():
        if any(isinstance(b.value, ir.Call) and _is_lookup(b.value) for b in bindings):
            found.add(name)
    return found


def _may_be_none(param: ir.Param) -> bool:
    given: ir.Expr | None = param.default
    if isinstance(given, ir.Call) and last_name(given.func) == "Header":
        given = argument(given, 0, "default")
    return isinstance(given, ir.Constant) and given.value in (None, "")


def _is_lookup(call: ir.Call) -> bool:
    return last_name(call.func) == "get" and len(call.args) == 1 and "headers" in names_in(call.func)


def _tests_before(check: Concept) -> Iterator[ir.Expr]:
    """What has to be true before the check is made."""
    statement = check.site.statement
    if isinstance(statement, ir.If) and _holds(statement.test, check.node):
        test = statement.test
        if isinstance(test, ir.BoolOp) and test.op == "and":
            yield from itertools.takewhile(lambda value: not _holds(value, check.node), test.values)
    for context in check.site.context:
        node = context.node
        if context.role != "if" or not isinstance(node, ir.If) or node.orelse or node.elifs:
            continue
        if node.body[-1].__class__ is not ir.Return:
            yield node.test


def _holds(expr: ir.Expr, node: ir.Node) -> bool:
    return any(each is node for each in walk(expr))


def _needed(test: ir.Expr) -> Iterator[str]:
    """Names that have to hold something for a test to be true."""
    if isinstance(test, ir.Name):
        yield test.id
    elif isinstance(test, ir.BoolOp) and test.op == "and":
        for value in test.values:
            yield from _needed(value)
    elif isinstance(test, ir.Compare) and test.ops == ["is not"] and isinstance(test.left, ir.Name):
        yield test.left.id


def _refuses(check: Concept) -> bool:
    """`if not same(...): raise`, alone or behind `and`."""
    statement = check.site.statement
    if not isinstance(statement, ir.If) or statement.body[-1].__class__ is not ir.Raise:
        return False
    test = statement.test
    last = test.values[-1] if isinstance(test, ir.BoolOp) and test.op == "and" else test
    return isinstance(last, ir.UnaryOp) and last.op == "not" and _holds(last, check.node)


def _is_refused_without(name: str, function: Function) -> bool:
    """`if not signature: raise`, in any spelling."""
    for site in function.facts.sites(ir.If):
        if site.node.body[-1].__class__ not in (ir.Raise, ir.Return):
            continue
        for test in walk(site.node.test):
            if isinstance(test, ir.UnaryOp) and test.op == "not" and last_name(test.operand) == name:
                return True
            if isinstance(test, ir.Compare) and test.ops == ["is"] and last_name(test.left) == name:
                return True
    return False


def _of_optional(check: Concept, given: str, operation: PathOperation) -> Finding:
    name = check.function.name if check.function is not None else "the check"
    return rule.at(
        check,
        f"{name} looks at `{given}` only when the message has one: a message to `{operation}` without any signature is believed.",
        f"Refuse a message without `{given}` first.\n"
        f'```python\nif not {given}:\n    raise HTTPException(401, "The signature is missing.")\n```',
        reasoning=f"The comparison stands behind a test for `{given}`, and without it {name} goes on as if it had fitted.",
        exploit=f"A stranger sends `{operation}` with a message made up and without the header that `{given}` is read from.",
        confidence=Confidence.FIRM,
        trace=steps((check, f"only a message with `{given}` gets here")),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True),
    )


# ── a check of something else than what came ────────────────────────────────────────────────────────────────────


def _written_anew(message: ir.Expr | None, function: Function) -> ir.Call | None:
    """The call that writes the parsed body again, for the digest; None where the bytes themselves are taken.

    Some providers sign a canonical text with sorted keys: that has to be written anew.
    """
    exprs = [message]
    for name in names_in(message):
        exprs += [b.value for b in function.facts.bindings.get(name, ())]
    for expr in exprs:
        for node in walk(expr):
            if (
                isinstance(node, ir.Call)
                and last_name(node.func) in _WRITTEN_ANEW
                and not _is_canonical(node)
            ):
                return node
    return None


def _is_canonical(written: ir.Call) -> bool:
    return any(argument(written, None, name) is not None for name in ("sort_keys", "separators"))


def _of_another_text(
    mac: MessageAuthentication, written: ir.Call, operation: PathOperation, graph: AppGraph
) -> Finding:
    text = text_at(graph, mac.scope.location(written))
    return rule.at(
        mac,
        f"The signature of a message to `{operation}` is worked out over `{text}` and not over the bytes that came.",
        "Work the digest out over the raw body, before it is parsed.\n"
        '```python\nexpected = hmac.new(key, await request.body(), "sha256").hexdigest()\n```',
        reasoning="Parsing and writing again changes spaces, the order of keys, escapes and numbers, and drops doubled keys: "
        "genuine messages fail the check, until somebody switches it off, and different texts share one signature.",
        exploit=f"Of two texts that parse alike only one was signed, and `{operation}` cannot tell which one came: whoever can "
        "alter a message in between doubles a key for readers that take the first.",
        confidence=Confidence.TENTATIVE,
        trace=steps((mac, "the digest is of a text that the application wrote itself")),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True),
    )


_HEAD = """
    import hmac
    from pathlib import Path

    from fastapi import FastAPI, Header, HTTPException, Request

    KEY = b"shared with the provider"
    PAID = Path("paid")
    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/webhooks/payments")
    async def receive_payment(request: Request) -> str:  # finding: webhook-signature-not-verified
        event = await request.json()
        PAID.write_text(event["order"])
        return "noted"

    @app.post("/webhooks/refunds")
    async def receive_refund(request: Request, x_signature: str | None = Header(None)) -> str:
        expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
        if x_signature and not hmac.compare_digest(expected, x_signature):  # finding: webhook-signature-not-verified
            raise HTTPException(401)
        event = await request.json()
        PAID.with_name(event["order"]).write_text("refunded")
        return "noted"
"""
)

rule.good = (
    _HEAD.replace("import FastAPI", "import Depends, FastAPI")
    + """
    async def check_signature(request: Request, x_signature: str = Header("")) -> None:
        expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
        if not hmac.compare_digest(expected, x_signature):
            raise HTTPException(401)

    @app.post("/webhooks/payments", dependencies=[Depends(check_signature)])
    async def receive_payment(request: Request) -> str:
        event = await request.json()
        PAID.write_text(event["order"])
        return "noted"

    @app.post("/webhooks/refunds", dependencies=[Depends(check_signature)])
    async def receive_refund(request: Request) -> str:
        event = await request.json()
        PAID.with_name(event["order"]).write_text("refunded")
        return "noted"
"""
)


@rule.exploit
def a_stranger_says_that_an_order_is_paid(proof: Proof) -> None:
    """Two messages that nobody signed are acted on: an order counts as paid, another as refunded."""
    proof.client.post("/webhooks/payments", json={"order": "o-1"})
    proof.client.post("/webhooks/refunds", json={"order": "o-2"})
    assert sorted(proof.files) == ["o-2", "paid"]
