"""Which coroutines are made and never run: calls of coroutine functions without `await`, and what becomes of
them?
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.blocking_ways import never_runs
from fastapi_architect.analyses.surroundings import nodes_of, parents_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Context, Site
from fastapi_architect.program.types import ClassRef, Coroutine, External, FunctionRef, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Methods and functions of libraries that give coroutines; only calls with these last names are typed.
_LIBRARY = [
    "commit",
    "execute",
    "refresh",
    "delete",
    "flush",
    "rollback",
    "scalar",
    "scalars",
    "get",
    "get_one",
    "merge",
    "close",
    "exec",
    "aclose",
    "fetch",
    "fetchrow",
    "fetchval",
    "post",
    "put",
    "patch",
    "request",
    "send",
    "ping",
    "set",
    "setex",
    "hset",
    "hget",
    "hgetall",
    "incr",
    "expire",
    "publish",
    "lpush",
    "rpush",
    "sadd",
    "xadd",
    "sleep",
    "wait_for",
    "send_text",
    "send_json",
    "send_bytes",
    "accept",
    "receive_text",
    "receive_json",
    "receive_bytes",
    "receive",
    "read",
    "write",
    "body",
    "json",
    "form",
    "run_in_threadpool",
    "to_thread",
    "run_sync",
    "drain",
    "find_one",
    "insert_one",
    "update_one",
    "delete_one",
    "insert_many",
]
#: Calls that run what they are given whether or not somebody waits for the result.
_RUN_ANYWAY = frozenset({"asyncio.gather", "asyncio.shield", "asyncio.AbstractEventLoop.run_in_executor"})
#: Decorators that leave a coroutine function one.
_TRANSPARENT = frozenset(
    [
        "staticmethod",
        "classmethod",
        "abstractmethod",
        "override",
        "overload",
        "wraps",
        "final",
        "deprecated",
        "inject",
        "limit",
        "cache",
        "cached",
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "api_route",
        "websocket",
        "middleware",
        "exception_handler",
        "on_event",
        "validate_call",
        "typechecked",
        "alru_cache",
        "retry",
    ]
)
_COROUTINE_METHODS = frozenset(
    {"send", "throw", "close", "cr_await", "cr_code", "cr_frame", "cr_running", "__await__"}
)
_CHECK = lazy_pattern(
    r"(?:^|_)(?:perm|permission|permissions|role|roles|owner|owns|ownership|admin|access|auth|authorize|authorise|"
    r"authorized|authenticate|scope|scopes|allowed|can|may|member|membership|superuser|staff|forbid|guard|policy)(?:_|$)"
)
_REFUSAL = lazy_pattern(
    r"permission|forbidden|denied|unauthori|credential|notallowed|accessdenied|40[13]", re.IGNORECASE
)


class Unawaited(msgspec.Struct, frozen=True, eq=False):
    """A coroutine that nobody awaits.

    Attributes:
        site: the call that makes it.
        name: what is called, as written.
        use: discarded (a statement), tested (it is always true), read (an attribute or an element of it),
            formatted, iterated, returned (by an operation, to the framework) or kept (in a name that is never
            awaited).
        function: the coroutine function when it belongs to the program.
        decides_access: it is a check of who may do what, or the refusal depends on it.
    """

    site: Site
    name: str
    use: str
    function: Function | None
    decides_access: bool


class _Reader:
    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._program = graph.program
        self._handlers = {id(o.handler) for o in graph.operations if o.handler is not None}

    def read(self) -> Iterator[Unawaited]:
        names = {f.name for f in self._program.functions if f.is_async and not f.is_generator}
        called = set(self._program.called_names)
        for name in sorted((names | set(_LIBRARY)) & called):
            for site in self._program.call_sites_named(name):
                if site.awaited or site.scope.module.kind != "source" or not isinstance(site.scope, Function):
                    continue
                found = self._of_site(site, site.scope)
                if found is not None:
                    yield found

    def _of_site(self, site: Site, scope: Function) -> Unawaited | None:
        discarded = site.context.role == "statement-value"
        if not discarded and site.context.inside("with-item", "lambda", "decorator", "default") is not None:
            return None
        if not discarded and self._is_plainly_kept(site, scope):
            return None
        if never_runs(site, self._graph) or self._is_another_class(site):
            return None
        if not self._is_coroutine(site):  # types are known by now, what stands around an expression is not
            return None
        use = "discarded" if discarded else self._use(site.node, site, scope)
        if not use:
            return None
        targets = self._program.calls.targets(site)
        name = dotted_name(site.node.func) or f"(...).{last_name(site.node.func)}"
        function = targets[0] if targets else None
        return Unawaited(site, name, use, function, self._decides_access(site, use, name))

    def _is_another_class(self, site: Site) -> bool:
        """It stands in the `else` of a test for the class whose method would be a coroutine function."""
        receiver = site.node.func.value if isinstance(site.node.func, ir.Attribute) else None
        subject = dotted_name(receiver) if receiver is not None else ""
        excluded = {name for context in site.context for name in _refuted_classes(context, subject)}
        if not subject or not excluded:
            return False
        targets = self._program.calls.targets(site)
        return all(target.owner is not None and target.owner.name in excluded for target in targets)

    def _is_plainly_kept(self, site: Site, scope: Function) -> bool:
        """Somebody else may await it, as its statement alone tells: it is returned, or a name with other values."""
        statement = site.statement
        if statement.__class__ is ir.Return:
            return statement.value is site.node and id(scope) not in self._handlers
        if statement.__class__ is not ir.Assign or statement.value is not site.node:
            return False
        if len(statement.targets) != 1 or statement.targets[0].__class__ is not ir.Name:
            return len(statement.targets) != 1 or statement.targets[0].__class__ is not ir.Sequence
        name = statement.targets[0].id
        bindings = scope.facts.bindings
        return bool(scope.functions) or len(bindings.get(name, ())) != 1 or name in scope.facts.is_global

    # ── is it a coroutine
    # ────────────────────────────────────────────────────────────────────────────────────────

    def _is_coroutine(self, site: Site) -> bool:
        inference = self._program.inference
        found = list(options(inference.type_of(site.node, site.scope)))
        if not found or not all(isinstance(of, Coroutine) for of in found):
            return False
        if _RUN_ANYWAY & set(self._program.calls.names(site)):
            return False
        targets = self._program.calls.targets(site)
        if targets:
            return all(f.is_async and not f.is_generator and self._stays_one(f) for f in targets)
        callee = list(options(inference.type_of(site.node.func, site.scope)))
        return bool(callee) and all(isinstance(of, External | ClassRef) for of in callee)

    def _stays_one(self, function: Function) -> bool:
        """No decorator makes something else of it."""
        for decorator in function.node.decorators:
            expr = decorator.func if decorator.__class__ is ir.Call else decorator
            if last_name(expr) in _TRANSPARENT:
                continue
            found = list(options(self._program.inference.type_of(expr, function.parent or function.module)))
            if not found or not all(_gives_coroutine_function(of) for of in found):
                return False
        return True

    # ── what becomes of it
    # ───────────────────────────────────────────────────────────────────────────────────────

    def _use(self, node: ir.Expr, site: Site, scope: Function) -> str:
        """What an expression's value is used for; "" when somebody may still await it."""
        parent: Any = parents_of(scope, self._graph).get(id(node))
        kind = parent.__class__
        if kind is ir.UnaryOp:
            return "tested" if parent.op == "not" else ""
        if kind is ir.BoolOp:
            return "tested" if self._use(parent, site, scope) == "tested" else ""
        if kind is ir.Compare:
            return "tested" if "is" not in parent.ops and "is not" not in parent.ops else ""
        if kind in (ir.If, ir.While, ir.Branch) or (kind is ir.IfExp and parent.test is node):
            return "tested"
        if kind is ir.Attribute:
            return "" if parent.attr in _COROUTINE_METHODS else "read"
        if kind is ir.Subscript and parent.value is node:
            return "read"
        if kind is ir.FormattedValue:
            return "formatted"
        if kind is ir.For and parent.iter is node and not parent.is_async:
            return "iterated"
        if kind is ir.Return and id(scope) in self._handlers:
            return "returned"
        if kind is ir.Assign:
            return self._use_of_name(parent, scope)
        return ""

    def _use_of_name(self, statement: ir.Assign, scope: Function) -> str:
        targets = statement.targets
        if len(targets) != 1:
            return ""
        if targets[0].__class__ is ir.Sequence:
            return "read"
        if targets[0].__class__ is not ir.Name or scope.functions:
            return ""
        name = targets[0].id
        if len(scope.facts.bindings.get(name, ())) != 1 or name in scope.facts.is_global:
            return ""
        parents = parents_of(scope, self._graph)
        found = set()
        for node in self._names(scope, name):
            if node is targets[0]:
                continue
            use = self._use_of_read(node, parents.get(id(node)))
            if not use:
                return ""
            found.add(use)
        return "kept" if not found or found != {"tested"} else "tested"

    def _use_of_read(self, node: ir.Expr, parent: Any) -> str:
        kind = parent.__class__
        if kind is ir.Attribute:
            return "" if parent.attr in _COROUTINE_METHODS else "read"
        if kind is ir.Subscript:
            return "read" if parent.value is node else ""
        if kind in (ir.If, ir.While, ir.Branch) or (kind is ir.UnaryOp and parent.op == "not"):
            return "tested"
        return "read" if kind is ir.FormattedValue else ""

    def _names(self, scope: Function, name: str) -> Iterator[ir.Expr]:
        for node in nodes_of(scope):
            if node.__class__ is ir.Name and node.id == name:
                yield node

    # ── what depends on it
    # ───────────────────────────────────────────────────────────────────────────────────────

    def _decides_access(self, site: Site, use: str, name: str) -> bool:
        if _CHECK.search(name.rpartition(".")[2].lower()) and use in ("tested", "discarded"):
            return True
        statement = site.statement
        if use != "tested" or statement.__class__ is not ir.If:
            return False
        branches = [statement.body, *(b.body for b in statement.elifs)]
        raised = [s.exc for body in branches for s in body if s.__class__ is ir.Raise and s.exc is not None]
        return any(_REFUSAL.search(text) for exc in raised for text in _texts(exc))


def _refuted_classes(context: Context, subject: str) -> Iterator[str]:
    """`C` where `isinstance(subject, C)` did not hold."""
    node = context.node
    if context.role != "else" or not isinstance(node, ir.If | ir.IfExp):
        return
    for test in (node.test, *(branch.test for branch in getattr(node, "elifs", ()))):
        if isinstance(test, ir.Call) and last_name(test.func) == "isinstance" and len(test.args) == 2:
            given, classes = test.args
            if dotted_name(given) == subject:
                named = classes.elts if isinstance(classes, ir.Sequence) else [classes]
                yield from (last_name(each) for each in named)


def _texts(expr: ir.Expr) -> Iterator[str]:
    """Names and numbers in an exception that is raised."""
    stack: list[Any] = [expr]
    while stack:
        current = stack.pop()
        if current.__class__ is ir.Call:
            stack += [current.func, *current.args, *(k.value for k in current.keywords)]
        elif current.__class__ is ir.Constant and current.kind in ("int", "str"):
            yield str(current.value)
        elif current.__class__ in (ir.Attribute, ir.Name):
            yield dotted_name(current)


def _gives_coroutine_function(of: Type) -> bool:
    """A decorator of the program whose inner function is a coroutine function."""
    if not isinstance(of, FunctionRef):
        return False
    inner = list(of.function.functions)
    while inner and any(f.functions for f in inner):
        inner = [g for f in inner for g in (f.functions or [f])]
    return bool(inner) and all(f.is_async for f in inner)


@question
def unawaited(graph: AppGraph) -> tuple[Unawaited, ...]:
    """Every coroutine that nobody awaits, in order of files and places; asked once for each graph."""
    listed = list(_Reader(graph).read())
    listed.sort(key=lambda u: (u.site.scope.module.path, u.site.node.span))
    return tuple({id(u.site.node): u for u in listed}.values())
