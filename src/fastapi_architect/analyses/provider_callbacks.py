"""Which operations does another service call by itself, and what tells its messages from a stranger's?

An address that Stripe or GitHub sends events to is public: nobody signs in there. What it has instead is a signature over
the body, a shared secret, or the habit of asking the provider whether the event is real.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.cryptography import Digest, MessageAuthentication
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import (
    PasswordVerify,
    SecretComparison,
    SignatureVerification,
    TokenDecode,
)
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_CALLBACK = lazy_pattern(
    r"web[-_]?hooks?(?![a-z])|(?<![a-z])hooks?(?![a-z])|call[-_]?backs?(?![a-z])|(?<![a-z])ipn(?![a-z])",
    re.IGNORECASE,
)
_PROVIDER = lazy_pattern(
    r"(?<![a-z])(stripe|github|gitlab|bitbucket|slack|twilio|paypal|telegram|sendgrid|mailgun|postmark|shopify|paystack|"
    r"razorpay|alipay|wxpay|wechat(pay)?|mollie|adyen|clerk|zoom|discord|whatsapp|plaid|docusign|calendly|hubspot|payments?)"
    r"(?![a-z])",
    re.IGNORECASE,
)
_NEWS = lazy_pattern(
    r"(?<![a-z])(events?|notify|notifications?|inbound|incoming|interactions?|interactive)(?![a-z])",
    re.IGNORECASE,
)
#: The way back of a sign-in is a callback, too; state and code are checked there, and no signature.
_SIGN_IN = lazy_pattern(
    r"oauth|(?<![a-z])(sso|saml|oidc|auth|acs|logout|login|signin)(?![a-z])", re.IGNORECASE
)
#: What the application's own users do with their webhooks.
_ABOUT_HOOKS = lazy_pattern(
    r"^_?(create|add|register|update|edit|delete|remove|list|get|test|set|new|save|enable|disable|subscribe|unsubscribe|"
    r"replace|patch|put|configure|trigger|send|fire|retry|resend|replay|search|query|validate|post_?web_?hooks)(?=_|$)",
    re.IGNORECASE,
)
_DEFINITION = lazy_pattern(r"(Create|Update|Config|Subscri|Registration|Settings|Definition|Edit)")

_CHECK = lazy_pattern(
    r"verif|signature|hmac|construct_event|authenticat|authori[sz]e|"
    r"(valid\w*|check|assert|ensure|require|is_valid|match)_?\w*(webhook|request|secret|token|sign|key|source|origin|caller|ip)",
    re.IGNORECASE,
)
_SECRET = lazy_pattern(
    r"secret|signature|(?<![a-z])sig(?![a-z])|token|api_?key|hmac|digest|password|authorization|"
    r"(?<![a-z])ip(?![a-z])|remote_addr|client_host|allowed_(ip|host)|(?<![a-z])host(?![a-z])",
    re.IGNORECASE,
)
_ASKS = lazy_pattern(
    r"^(retrieve|fetch|get|find|lookup|query)_?\w*(event|payment|intent|charge|invoice|order|transaction|status)|^retrieve$"
)
#: Some providers sign with a plain digest of the message and a secret.
_PROOFS = (SecretComparison, SignatureVerification, MessageAuthentication, PasswordVerify, Digest)
#: How many functions are searched for a comparison with a secret: those that run first.
_NEAR = 40


def is_provider_callback(operation: PathOperation) -> bool:
    """Its path or its handler's name says that another service posts its news there."""
    if operation.handler is None or operation.is_websocket or "POST" not in operation.methods:
        return False
    name = operation.handler.name
    path = re.sub(r"{[^}]*}", "", operation.path)
    if _SIGN_IN.search(path) or _SIGN_IN.search(name) or _ABOUT_HOOKS.search(name):
        return False
    if _CALLBACK.search(path) or _CALLBACK.search(name):
        return not any(_defines_a_hook(p.annotation) for p in operation.parameters if p.kind == "body")
    return bool(_PROVIDER.search(path) and _NEWS.search(path))


def _defines_a_hook(annotation: ir.Expr | None) -> bool:
    return annotation is not None and bool(_DEFINITION.search(last_name(annotation)))


def functions_of(operation: PathOperation, graph: AppGraph) -> tuple[Function, ...]:
    """Everything that runs for a message, dependencies included."""
    return effects(graph).of_operation(operation).functions


def what_verifies(operation: PathOperation, graph: AppGraph) -> str:
    """What in the code could tell who sent a message, in words; "" when nothing could.

    Generous: a name that speaks of a check is taken for one.
    """
    functions = functions_of(operation, graph)
    for function in functions:
        if any(graph.within(proof, function) for proof in _PROOFS):
            return f"{function.name} verifies"
        if any(decode.verified for decode in graph.within(TokenDecode, function)):
            return f"{function.name} reads a token"
        for site in function.facts.calls:
            if _CHECK.search(last_name(site.node.func)):
                return f"{function.name} calls {last_name(site.node.func)}"
    for function in functions[:_NEAR]:
        if _CHECK.search(function.name):
            return f"{function.name} verifies"
        for site in function.facts.sites(ir.Compare):
            if any(_SECRET.search(text) for text in _names_of(site.node)):
                return f"{function.name} compares"
    assert operation.handler is not None
    return next((t for d in operation.handler.node.decorators for t in _names_of(d) if _CHECK.search(t)), "")


def asks_back(operation: PathOperation, graph: AppGraph) -> bool:
    """The handler fetches something before it believes the message; from whom and what cannot be told."""
    for function in functions_of(operation, graph):
        if any(r.method in ("GET", "") for r in graph.within(OutboundRequest, function)):
            return True
        if any(
            _ASKS.search(last_name(site.node.func))
            for site in function.facts.calls
            if not graph.program.calls.targets(site)
        ):
            return True
    return False


def _names_of(expr: ir.Expr) -> Iterator[str]:
    for node in walk(expr):
        if isinstance(node, ir.Name):
            yield node.id
        elif isinstance(node, ir.Attribute):
            yield node.attr
        elif isinstance(node, ir.Constant) and node.kind == "str":
            yield str(node.value)
