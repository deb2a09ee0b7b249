"""Which links that are mailed stand on the host that the request names?

`request.base_url`, `request.url_for(...)` and the Host header say where the client claims to have asked. Followed from there through
variables, arguments and results to whatever sends mail, through a few functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.http import UrlBuild
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.program.definitions import Function, all_functions, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import NODE_FIELDS, walk

_MAX_HOPS = 4
_ADDRESSES = frozenset({"base_url"})
#: Parts of `request.url` that repeat the Host header.
_HOSTS = frozenset({"netloc", "hostname"})
_HOST_HEADERS = frozenset({"host", "x-forwarded-host"})
_REQUESTS = ("starlette.requests.", "fastapi.Request", "fastapi.requests.")
_MAILS = lazy_pattern(r"(?i)e?mail|send_\w*(link|invit|reset|verif|confirm|activat|recover|magic)")
_IS_SECRET = lazy_pattern(
    r"(?i)reset|verif|confirm|invit|activat|magic|passw|token|recover|sign_?up|register|forgot"
)
#: Where an identity provider sends the browser back to: it compares the address with those that were registered.
_BACK_FROM_PROVIDER = lazy_pattern(
    r"(?i)^_*(\w*_)?((redirect|callback|return)_?(ur[il]|url|to)|email_redirect_to|continue_?url)$"
)
#: Calls whose result holds the text that they are given.
_MAKES_TEXT = lazy_pattern(
    r"(?i)^str$|format|join|ur[il]|link|render|strip|replace|quote|html|body|message|template|mime|^mail$|^dict$|text|content"
)
#: Methods that put what they are given into their object.
_FILLS = frozenset({"set_content", "attach", "add_alternative", "append", "update", "setdefault", "write"})


class HostLink(msgspec.Struct, frozen=True, eq=False):
    """A mailed link.

    Attributes:
        source: what reads the host from the request.
        function: where that stands.
        sends: the call that mails it.
        hops: calls on the way there.
        operations: those whose requests run it.
        is_fallback: it is used where nothing is configured.
    """

    source: ir.Expr
    function: Function
    sends: Site
    hops: tuple[Site, ...]
    operations: tuple[PathOperation, ...]
    is_fallback: bool


@question
def host_links(graph: AppGraph) -> tuple[HostLink, ...]:
    """Every such link with a secret in it, one for each source, in order of files and places."""
    found = []
    for function, source in _sources(graph):
        operations = graph.entries(function)
        if not operations or all(_has_trusted_hosts(o, graph) for o in operations):
            continue
        sent = _Follower(graph).sent(function, source)
        if sent is not None:
            found.append(HostLink(source, function, *sent, operations, _is_fallback(source, function)))
    return tuple(found)


def _sources(graph: AppGraph) -> Iterator[tuple[Function, ir.Expr]]:
    for build in graph.facts(UrlBuild):
        if isinstance(build.scope, Function) and build.scope.module.kind == "source":
            yield build.scope, build.node
    seen: set[int] = set()
    for name in ("base_url", "headers", *sorted(_HOSTS)):
        for module in graph.program.mentioning(name):
            if module.kind == "source" and id(module) not in seen and module.mentions("Request"):
                seen.add(id(module))
                yield from _read_from_requests(module, graph)


def _read_from_requests(module: Any, graph: AppGraph) -> Iterator[tuple[Function, ir.Expr]]:
    for function in all_functions(module):
        for site in function.facts.sites(ir.Attribute):
            node, held = site.node, site.node.value
            if node.attr in _HOSTS and held.__class__ is ir.Attribute and held.attr == "url":
                held = held.value
            elif node.attr not in _ADDRESSES:
                continue
            if _is_request(held, function, graph):
                yield function, node
        for site in (*function.facts.calls_named("get"), *function.facts.sites(ir.Subscript)):
            if _is_host_header(site.node, function, graph):
                yield function, site.node


def _is_request(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    found = options(graph.program.inference.type_of(expr, function))
    return any(isinstance(o, Instance) and o.name.startswith(_REQUESTS) for o in found)


def _is_host_header(node: Any, function: Function, graph: AppGraph) -> bool:
    """`request.headers["host"]`, `request.headers.get("x-forwarded-host")`."""
    headers: ir.Expr | None
    key: ir.Expr | None
    if node.__class__ is ir.Subscript:
        headers, key = node.value, node.slice
    else:
        headers, key = getattr(node.func, "value", None), next(iter(node.args), None)
    if not isinstance(headers, ir.Attribute) or headers.attr != "headers" or not isinstance(key, ir.Constant):
        return False
    return str(key.value).lower() in _HOST_HEADERS and _is_request(headers.value, function, graph)


def _has_trusted_hosts(operation: PathOperation, graph: AppGraph) -> bool:
    """Middleware refuses other hosts; a list that is not written down counts as one."""
    for middleware in graph.application_of(operation).middleware:
        hosts = middleware.keywords.get("allowed_hosts")
        if "trustedhost" in middleware.name.lower() and hosts is not None:
            return not any(n.__class__ is ir.Constant and getattr(n, "value", "") == "*" for n in walk(hosts))
    return False


def _is_fallback(source: ir.Expr, function: Function) -> bool:
    """`settings.base_url or request.base_url`, or behind an `if`: a configured address goes first."""
    for site in function.facts.sites(ir.BoolOp):
        if any(node is source for value in site.node.values[1:] for node in walk(value)):
            return True
    for site in function.facts.sites(ir.IfExp):
        if any(node is source for node in walk(site.node)):
            return True
    places = (s for kind in (ir.Attribute, ir.Call, ir.Subscript) for s in function.facts.sites(kind))
    return any(s.node is source and s.context.inside("if", "else") is not None for s in places)


class _Follower:
    """Follows one value until it is mailed."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._seen: set[tuple[int, frozenset[str]]] = set()

    def sent(self, function: Function, source: ir.Expr) -> tuple[Site, tuple[Site, ...]] | None:
        """The call that mails a value, with the calls on the way."""
        return self._follow(function, frozenset({id(source)}), frozenset(), ())

    def _follow(
        self, function: Function, nodes: frozenset[int], names: frozenset[str], hops: tuple[Site, ...]
    ) -> tuple[Site, tuple[Site, ...]] | None:
        key = (id(function), names or frozenset(map(str, nodes)))
        if key in self._seen or len(hops) > _MAX_HOPS:
            return None
        self._seen.add(key)
        names = _derived(function, nodes, names)
        if any(_carries(site.node, nodes, names) for site in function.facts.sites(ir.Compare)):
            return None  # looked at
        texts = _texts(function, names)
        for site in function.facts.calls:
            is_receiver = _carries(_receiver(site.node), nodes, names)
            if is_receiver and self._is_mail(site) and _is_secret(site, function, hops, texts):
                return site, hops
            if any(_carries(each, nodes, names) for each in _given(site.node)):
                mailed = any(_carries(each, nodes, names) for each in _written_into(site.node))
                if (
                    mailed
                    and self._mails(site)
                    and _is_secret(site, function, hops, [*texts, *self._said_later(site)])
                ):
                    return site, hops
                for target, name in self._parameters(site, nodes, names):
                    found = self._follow(target, frozenset(), frozenset({name}), (*hops, site))
                    if found is not None:
                        return found
        return self._returned(function, nodes, names, hops)

    def _is_mail(self, site: Site) -> bool:
        return any(mail.node is site.node for mail in self._graph.within(EmailSend, site.scope))

    def _mails(self, site: Site) -> bool:
        """A library sends mail, a function of the program says so by its name, or a task that does is given the value."""
        if self._is_mail(site):
            return True
        if last_name(site.node.func) in (
            "add_task",
            "create_task",
            "delay",
            "apply_async",
            "send_task",
            "enqueue",
        ):
            return any(_MAILS.search(dotted_name(each)) for each in (*site.node.args[:1], site.node.func))
        return (
            bool(_MAILS.search(last_name(site.node.func))) and "send" in dotted_name(site.node.func).lower()
        )

    def _said_later(self, site: Site) -> Iterator[str]:
        """Texts in a function that a call is given to run: `add_task(send_mail, link)`."""
        given = site.node.args[0] if site.node.args else None
        for of in (
            options(self._graph.program.inference.type_of(given, site.scope)) if given is not None else ()
        ):
            for function in self._graph.program.calls.functions_behind(of):
                for call in function.facts.calls:
                    yield from _strings(call.node)

    def _parameters(
        self, site: Site, nodes: frozenset[int], names: frozenset[str]
    ) -> Iterator[tuple[Function, str]]:
        """Parameters of called functions that are given the value."""
        call = site.node
        for target in self._graph.program.calls.targets(site):
            parameters = [p.name for p in target.parameters[target.is_method :]]
            for position, given in enumerate(call.args):
                if position < len(parameters) and _carries(given, nodes, names):
                    yield target, parameters[position]
            for keyword in call.keywords:
                if keyword.arg in parameters and _carries(keyword.value, nodes, names):
                    yield target, keyword.arg

    def _returned(
        self, function: Function, nodes: frozenset[int], names: frozenset[str], hops: tuple[Site, ...]
    ) -> tuple[Site, tuple[Site, ...]] | None:
        """The value is what the function returns: on with its callers."""
        if not any(_carries(site.node.value, nodes, names) for site in function.facts.sites(ir.Return)):
            return None
        for site in event_loop(self._graph).callers.sites(function):
            if isinstance(site.scope, Function):
                found = self._follow(site.scope, frozenset({id(site.node)}), frozenset(), (*hops, site))
                if found is not None:
                    return found
        return None


def _receiver(call: ir.Call) -> ir.Expr | None:
    return call.func.value if isinstance(call.func, ir.Attribute) else None


def _given(call: ir.Call) -> list[ir.Expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _written_into(call: ir.Call) -> Iterator[ir.Expr]:
    """Arguments that may stand in the text: without addresses that are named as those to come back to."""
    for each in call.args:
        if isinstance(each, ir.Dict):
            pairs = zip(each.keys, each.values, strict=True)
            yield from (v for k, v in pairs if not _BACK_FROM_PROVIDER.search(str(getattr(k, "value", ""))))
        elif not _BACK_FROM_PROVIDER.search(last_name(each)):
            yield each
    for keyword in call.keywords:
        if not _BACK_FROM_PROVIDER.search(keyword.arg or ""):
            yield keyword.value


def _carries(expr: ir.Expr | None, nodes: frozenset[int], names: frozenset[str]) -> bool:
    """A value is among what a text, a message or a container is made of; what any other call answers is something else."""
    stack: list[Any] = [expr]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if node.__class__ is list:
            stack += node
        elif id(node) in nodes or (node.__class__ is ir.Name and node.id in names):
            return True
        elif node.__class__ is not ir.Call or _MAKES_TEXT.search(last_name(node.func)):
            stack += [getattr(node, name) for name in NODE_FIELDS[node.__class__]]
    return False


def _derived(function: Function, nodes: frozenset[int], names: frozenset[str]) -> frozenset[str]:
    """Variables of a function that are made of a value."""
    for _ in range(_MAX_HOPS):
        more = {
            name
            for name, bindings in function.facts.bindings.items()
            if name not in names
            and any(b.value is not None and _carries(b.value, nodes, names) for b in bindings)
        }
        more |= {
            last_name(site.node.func.value)
            for site in function.facts.calls_named(*_FILLS)
            if isinstance(site.node.func, ir.Attribute)
            and isinstance(site.node.func.value, ir.Name)
            and any(_carries(each, nodes, names) for each in site.node.args)
        }
        if more <= names:
            break
        names |= more
    return names


def _texts(function: Function, names: frozenset[str]) -> list[str]:
    """Texts beside the value in what variables are made of: `/reset?token=`."""
    values = (b.value for name in sorted(names) for b in function.facts.bindings.get(name, ()))
    return [text for value in values if value is not None for text in _strings(value)]


def _strings(expr: ir.Expr) -> Iterator[str]:
    for node in walk(expr):
        if isinstance(node, ir.Constant) and node.kind == "str":
            yield str(node.value)


def _is_secret(sends: Site, function: Function, hops: tuple[Site, ...], texts: list[str]) -> bool:
    """What is mailed opens an account, by the names on the way and the words in and around the link."""
    named = [
        dotted_name(sends.node.func),
        function.name,
        *(hop.scope.full_name.rpartition(".")[2] for hop in hops),
    ]
    return any(_IS_SECRET.search(name) for name in (*named, *_strings(sends.node), *texts))
