"""A client does not look at the certificate of the server it talks to.

Encryption without a known other side protects from nobody: whoever stands in the way (a router, a name server that was
lied to, a neighbour in the cluster) presents a certificate of its own, reads what is sent, and answers what it likes.
For a service provider of SAML the same holds for the certificates that signed assertions are checked with.

Known limits: what a setting decides is left out, and so are addresses of the same machine and what stands under a switch
for development. Options are read where they are written down as constants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.run_by_hand import is_run_by_hand
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.concepts.cryptography import UnverifiedTls
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Module,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    argument,
    conditions,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Certificates are not checked",
    severity=Severity.IMPORTANT,
    cwe=295,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://www.python-httpx.org/advanced/ssl/",
        "https://docs.python.org/3/library/ssl.html#ssl.SSLContext.verify_mode",
        "https://pysaml2.readthedocs.io/en/latest/howto/config.html",
    ),
    requires=("requests",),
)

#: Libraries whose `verify` or `ssl` switches the check; `verify=False` of others means other things.
_CLIENTS = ("httpx.", "requests.", "niquests.", "aiohttp.", "urllib3.")
_SWITCHES = frozenset({"verify", "ssl"})
#: Keywords that mean nothing else, with the value that switches the check off.
_CLEAR = {
    "verify_ssl": False, "ssl_verify": False, "verify_certs": False, "verify_certificate": False, "validate_certificate": False,
    "validate_certs": False, "VALIDATE_CERTS": False, "tlsAllowInvalidCertificates": True, "tlsInsecure": True,
    "cert_reqs": "CERT_NONE", "ssl_cert_reqs": "none", "tls_insecure_set": True,
}  # fmt: skip
#: What talks through a file of the same machine.
_UNIX = ("UnixConnector", "create_unix_connection", "open_unix_connection", "AF_UNIX")
_SHOWN_PLACES = 8
_SAML = ("Saml2Config", "SPConfig", "IdPConfig", "Saml2Client")
_SAML_SWITCH = "validate_certificate"
_LOCAL = lazy_pattern(r"^\w+://(localhost|127\.|0\.0\.0\.0|\[::1\]|host\.docker\.internal)", re.IGNORECASE)
#: A condition by which somebody decides it, and a name that says so.
_DECIDED = lazy_pattern(
    r"debug|develop|is_dev|local|secure|verif|skip|ignore|self_?signed|env|ssl|tls|cert|trust|allow|mode",
    re.IGNORECASE,
)
_SAID = lazy_pattern(r"insecure|unverified|no_?(verify|ssl|tls)|self_?signed|trusting", re.IGNORECASE)


class Off(msgspec.Struct, frozen=True, eq=False):
    """A place where the check is switched off.

    Attributes:
        site: where.
        what: the switch, as written.
        instead: what the code should say.
        keyword: the argument that can be taken back, None for others.
    """

    site: Site
    what: str
    instead: str
    keyword: ir.Keyword | None = None


@rule.check(per=AppGraph)
def switched_off(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if not graph.applications:
        return
    unverified = [c for c in graph.facts(UnverifiedTls) if c.name.endswith("_create_unverified_context")]
    names = (*_SWITCHES, *_CLEAR, "check_hostname", "verify_mode", "_create_unverified_context")
    for module in graph.program.mentioning(*names):
        if is_run_by_hand(module) or (module.mentions("argparse") and not is_served(module, graph)):
            continue
        found = [
            off
            for scope in _scopes(module)
            for off in (*_in_calls(graph, scope), *_in_assignments(graph, scope))
        ]
        found += [
            Off(c.site, "ssl._create_unverified_context", "ssl.create_default_context()")
            for c in unverified
            if c.scope.module is module and module.kind == "source" and not _is_excused(graph, c.site)
        ]
        if found:
            yield _finding(graph, found)
    for module in graph.program.mentioning(*_SAML):
        for scope in _scopes(module):
            yield from _in_saml(graph, scope)


def _scopes(module: Module) -> Iterator[Scope]:
    """The module and its functions."""
    if module.kind == "source":
        yield module
        yield from all_functions(module)


def _in_calls(graph: AppGraph, scope: Scope) -> Iterator[Off]:
    for site in scope.facts.calls:
        given = next((k for k in site.node.keywords if _switches_off(graph, k, site)), None)
        if given is not None and given.arg is not None and not _is_excused(graph, site):
            without = f"{last_name(site.node.func)}(...)  # without {given.arg}"
            yield Off(site, f"{given.arg}={_shown(given.value)}", without, given)


def _switches_off(graph: AppGraph, keyword: ir.Keyword, site: Site) -> bool:
    if keyword.value.__class__ is not ir.Constant and keyword.arg not in ("cert_reqs", "ssl_cert_reqs"):
        return False
    if keyword.arg in _SWITCHES:
        names = graph.program.calls.names(site) if getattr(keyword.value, "value", None) is False else ()
        return any(name.startswith(_CLIENTS) for name in names)
    if keyword.arg not in _CLEAR or graph.program.calls.targets(site):
        return False
    off = _CLEAR[keyword.arg]
    if isinstance(off, str):
        return _shown(keyword.value).strip("'").lower().endswith(("cert_none", "none")) and (
            getattr(keyword.value, "kind", "") != "none"
        )
    return getattr(keyword.value, "value", None) is off


def _in_assignments(graph: AppGraph, scope: Scope) -> Iterator[Off]:
    """`context.verify_mode = ssl.CERT_NONE`, `session.verify = False`."""
    set_to = [
        (site, target)
        for site in scope.facts.sites(ir.Assign)
        for target in site.node.targets
        if target.__class__ is ir.Attribute and last_name(target.value) != "self"
    ]
    modes = [last_name(site.node.value) for site, target in set_to if target.attr == "verify_mode"]
    if any(mode != "CERT_NONE" for mode in modes) or any(scope.module.mentions(name) for name in _UNIX):
        return
    for site, target in set_to:
        if _is_off(scope, target, site.node.value, modes) and not _is_excused(graph, site):
            local = _made_for(target.value, scope)
            if not any(_LOCAL.match(text) for text in local):
                yield Off(site, target.attr, "ssl.create_default_context()")


def _is_off(scope: Scope, target: ir.Attribute, value: ir.Expr, modes: list[str]) -> bool:
    if target.attr == "verify_mode":
        return last_name(value) == "CERT_NONE"
    if value.__class__ is not ir.Constant or value.value is not False:
        return False
    if target.attr == "check_hostname":
        # With `verify_mode` it only has to stand before it; with an authority of one's own every host is one's own.
        return not modes and not scope.facts.calls_named("load_verify_locations")
    if target.attr == "verify":
        return bool(re.search("session|client", last_name(target.value), re.IGNORECASE))
    return target.attr in ("verify_ssl", "verify_certs")


def _made_for(held: ir.Expr, scope: Scope) -> Iterator[str]:
    """Texts in what made the object, its address among them."""
    for binding in scope.facts.bindings.get(last_name(held), ()):
        for node in walk(binding.value):
            if node.__class__ is ir.Constant and node.kind == "str":
                yield str(node.value)


def _in_saml(graph: AppGraph, scope: Scope) -> Iterator[Finding]:
    """Options of pysaml2."""
    for site in scope.facts.sites(ir.Dict):
        for key, value in zip(site.node.keys, site.node.values, strict=True):
            is_switch = key.__class__ is ir.Constant and key.value == _SAML_SWITCH
            if is_switch and value.__class__ is ir.Constant and value.value is False:
                yield rule.at(
                    scope.location(key),
                    f"`{_name(scope)}` does not look at the certificates with which assertions are signed: "
                    f"`{_SAML_SWITCH}` is off.",
                    f'Check them:\n```python\noptions = {{"{_SAML_SWITCH}": True}}\n```',
                    reasoning="A signature says who signed only as far as its certificate does: one that has ended or was never "
                    "issued by anybody passes.",
                    exploit="Sign an assertion with a key whose certificate is no longer valid, and log in as anybody.",
                    confidence=Confidence.FIRM,
                    trace=steps((scope.location(key), f"{_SAML_SWITCH} is off")),
                    routes=routes_of(graph.entries(scope)) if isinstance(scope, Function) else (),
                    context=Context(data="secret", writes=True, hard=True),
                    symbol=scope.full_name,
                )


def _is_excused(graph: AppGraph, site: Site) -> bool:
    """The same machine, a switch that somebody has to turn for it, or a name that warns of it."""
    address = argument(site.node, 0, "url") if isinstance(site.node, ir.Call) else None
    text = graph.program.constants.string(address, site.scope) if address is not None else None
    if text is not None and _LOCAL.match(text):
        return True
    targets = getattr(site.statement, "targets", ())
    if any(_SAID.search(last_name(target)) for target in targets if isinstance(target, ir.Name)):
        return True
    return any(_DECIDED.search(name) for test in conditions(site) for name in names_in(test))


def _name(scope: Scope) -> str:
    return scope.name if isinstance(scope, Function) else "The module"


def _shown(value: ir.Expr) -> str:
    return repr(value.value) if isinstance(value, ir.Constant) else last_name(value)


def _finding(graph: AppGraph, found: list[Off]) -> Finding:
    """One finding for each module: who switches it off once does so everywhere."""
    first = found[0]
    scope = first.site.scope
    operations = graph.entries(scope) if isinstance(scope, Function) else ()
    more = f" (and {len(found) - 1} more in this module)" if len(found) > 1 else ""
    return rule.at(
        first.site,
        f"`{_name(scope)}` talks to whoever answers: `{first.what}` switches the check of the certificate off{more}.",
        "Check it, against the certificate of your own authority where there is one:\n"
        f"```python\n{first.instead}\n```",
        reasoning="Without the check any certificate will do, also that of somebody in between.",
        exploit="Stand between the service and the other host, answer with a certificate of your own, and read and change what "
        f"{first_route(operations, _name(scope))} sends and gets.",
        confidence=Confidence.FIRM,
        trace=steps(*((off.site, f"{off.what} is written here") for off in found[:_SHOWN_PLACES])),
        fix=_fix(found),
        routes=routes_of(operations),
        context=Context(data="secret", writes=True, hard=True),
        symbol=scope.full_name,
    )


def _fix(found: list[Off]) -> Fix | None:
    """`verify=True` is the default, and the smallest change."""
    edits = [
        Edit(off.site.scope.location(off.keyword.value), "True")
        for off in found
        if off.keyword is not None
        and off.keyword.arg in ("verify", "verify_ssl", "ssl_verify", "verify_certs")
    ]
    return Fix("Check the certificates", tuple(edits), safe=False) if len(edits) == len(found) else None


_HEAD = """
    import requests
    from fastapi import FastAPI

    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/rates")
    def read_rates() -> str:
        return requests.get("https://rates.example.com", verify=False, timeout=5).text  # finding: tls-verification-disabled
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/rates")
    def read_rates() -> str:
        return requests.get("https://rates.example.com", timeout=5).text
"""
)


@rule.exploit
def the_certificate_is_not_looked_at(proof: Proof) -> None:
    """The request for the rates goes out with the check of certificates switched off."""
    proof.answer("https://rates.example.com", text="1.07")
    assert proof.client.get("/rates").status_code == 200
    assert proof.outbound[0].verify is False
