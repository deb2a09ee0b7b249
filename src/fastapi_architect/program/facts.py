"""One walk over a body: its bindings and every node of interest with its surroundings.

Rules and analyses read these facts and never walk the representation themselves. Inner functions and classes have facts
of their own; lambdas and comprehensions belong to the body they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from fastapi_architect.program.definitions import Binding, Class, Function, Scope, last_name
from fastapi_architect.syntax import ir

KeyT = TypeVar("KeyT")


class Context(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What surrounds a node, innermost first: a linked list towards the body's root.

    Attributes:
        role: root, loop (its body), iter (what is looped over), comprehension (its element and conditions), try, handler,
            try-else, finally, with, with-item, if, else, case, lambda, await, statement-value, decorator, default.
        node: the enclosing node (for `handler` the `ir.Handler`, for `if` and `else` the `ir.If`, `ir.Branch` or `ir.IfExp`).
        parent: the next context outwards.
        loops: how many loops and comprehensions are around.
    """

    role: str
    node: ir.Node | None
    parent: Context | None
    loops: int

    def __iter__(self) -> Iterator[Context]:
        context: Context | None = self
        while context is not None:
            yield context
            context = context.parent

    def inside(self, *roles: str) -> Context | None:
        """The innermost surrounding of one of these roles, or None."""
        context: Context | None = self
        while context is not None:
            if context.role in roles:
                return context
            context = context.parent
        return None


class Site(msgspec.Struct, frozen=True, eq=False):
    """A node in its surroundings.

    Attributes:
        node: the node.
        context: what surrounds it.
        statement: the statement it belongs to.
        scope: the body it stands in.
    """

    node: Any
    context: Context
    statement: ir.Stmt
    scope: Scope

    @property
    def awaited(self) -> bool:
        """The node is the direct operand of an `await`."""
        return self.context.role == "await"

    @property
    def loops(self) -> int:
        """Number of loops and comprehensions around it."""
        return self.context.loops


def runs_as_script(site: Site) -> bool:
    """It stands under `if __name__ == "__main__":`, which no application that is imported runs."""
    tests = (
        context.node.test
        for context in site.context
        if context.role == "if" and isinstance(context.node, ir.If)
    )
    return any(
        isinstance(test, ir.Compare)
        and any(
            isinstance(side, ir.Name) and side.id == "__name__" for side in (test.left, *test.comparators)
        )
        for test in tests
    )


class BodyFacts:
    """What one walk collects.

    Attributes:
        scope: whose body it is.
        bindings: name to its bindings, in order.
        calls: call sites, in order (inner expressions first).
        is_global: names declared global or nonlocal.
    """

    __slots__ = ("_by_kind", "_named", "_others", "bindings", "calls", "is_global", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.bindings: dict[str, list[Binding]] = {}
        self.calls: list[Site] = []
        self.is_global: dict[str, str] = {}
        #: Every site that is not a call, in order; sorted by class when somebody asks.
        self._others: list[Site] = []
        self._by_kind: dict[type, list[Site]] | None = None
        self._named: dict[str, list[Site]] | None = None

    def sites(self, kind: type[ir.Node]) -> list[Site]:
        """Nodes of one class with their surroundings (all classes but Name, Constant, Keyword)."""
        if kind is ir.Call:
            return self.calls
        index = self._by_kind
        if index is None:
            index = self._by_kind = _sorted_by([site.node.__class__ for site in self._others], self._others)
            self._others = []
        return index.get(kind, [])

    def calls_named(self, *names: str) -> list[Site]:
        """Call sites whose target's last name is one of `names`, in order for each name."""
        index = self._named
        if index is None:
            index = self._named = _sorted_by([last_name(site.node.func) for site in self.calls], self.calls)
        if len(names) == 1:
            return index.get(names[0], [])
        return [site for name in names for site in index.get(name, ())]


def _sorted_by(keys: Iterable[KeyT], sites: list[Site]) -> dict[KeyT, list[Site]]:
    """Sites by their keys, in order. Most have theirs to themselves: their list is made with room for one."""
    index: dict[KeyT, list[Site]] = {}
    for key, site in zip(keys, sites, strict=True):
        known = index.get(key)
        if known is None:
            index[key] = [site]
        else:
            known.append(site)
    return index


class _Walk:
    """State of one walk.

    Attributes:
        record: adds the site of a node that is not a call.
        statement: the statement that is walked.
    """

    __slots__ = ("defined", "facts", "record", "scope", "statement")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.facts = BodyFacts(scope)
        self.record = self.facts._others.append  # noqa: SLF001 - the walk fills its own result
        #: Functions and classes by the identity of the statement that defines them.
        self.defined: dict[int, Function | Class] = {}
        for each in scope.functions:
            self.defined[id(each.node)] = each
        for cls in scope.classes:
            self.defined[id(cls.node)] = cls
        self.statement: ir.Stmt = None  # type: ignore[assignment]

    def bind(self, name: str, binding: Binding) -> None:
        known = self.facts.bindings.get(name)
        if known is None:
            self.facts.bindings[name] = [binding]
        else:
            known.append(binding)

    def bind_target(
        self, target: ir.Expr, kind: str, node: ir.Node, value: ir.Expr | None, path: tuple[int, ...] = ()
    ) -> None:
        """Bind every name of an assignment target."""
        if isinstance(target, ir.Name):
            self.bind(target.id, Binding(kind, node, value, None, path))
        elif isinstance(target, ir.Sequence):
            for index, element in enumerate(target.elts):
                self.bind_target(element, kind, node, value, (*path, index))
        elif isinstance(target, ir.Starred):
            self.bind_target(target.value, kind, node, value, (*path[:-1], -1))


# ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────
#
# Names and constants have no walker and are not recorded: there are too many, and everything names them. The other
# frequent nodes are written out, fields by name and leaves skipped before the call: this is the hottest loop of a review.


def _expr(walk: _Walk, node: ir.Expr | None, context: Context) -> None:
    walker = _EXPR.get(node.__class__)
    if walker is not None:
        walker(walk, node, context)


def _each(walk: _Walk, nodes: Iterable[ir.Expr | None], context: Context) -> None:
    for node in nodes:
        walker = _EXPR.get(node.__class__)
        if walker is not None:
            walker(walk, node, context)


def _attribute(walk: _Walk, node: ir.Attribute, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    value = node.value
    if value.__class__ is not ir.Name:
        _expr(walk, value, context)


def _call(walk: _Walk, node: ir.Call, context: Context) -> None:
    inner = context
    while inner.role in _OF_ONE_NODE and inner.parent is not None:
        inner = inner.parent  # `await f(g())`: neither is true of g's call
    func = node.func
    if func.__class__ is not ir.Name:
        _expr(walk, func, inner)
    for argument in node.args:
        walker = _EXPR.get(argument.__class__)
        if walker is not None:
            walker(walk, argument, inner)
    for keyword in node.keywords:
        value = keyword.value
        walker = _EXPR.get(value.__class__)
        if walker is not None:
            walker(walk, value, inner)
    walk.facts.calls.append(Site(node, context, walk.statement, walk.scope))


_OF_ONE_NODE = frozenset({"await", "statement-value"})


def _subscript(walk: _Walk, node: ir.Subscript, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.value, context)
    _expr(walk, node.slice, context)


def _bin_op(walk: _Walk, node: ir.BinOp, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.left, context)
    _expr(walk, node.right, context)


def _compare(walk: _Walk, node: ir.Compare, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.left, context)
    _each(walk, node.comparators, context)


def _sequence(walk: _Walk, node: ir.Sequence, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _each(walk, node.elts, context)


def _parts(walk: _Walk, node: ir.BoolOp | ir.JoinedStr, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _each(walk, node.values, context)


def _formatted(walk: _Walk, node: ir.FormattedValue, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.value, context)
    _expr(walk, node.format_spec, context)


def _value(walk: _Walk, node: ir.Yield | ir.Starred, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.value, context)


def _children(*fields: str) -> Callable[[_Walk, Any, Context], None]:
    """A walker for a rare class: records the node and walks the named fields, expressions or lists of them."""

    def walk_fields(walk: _Walk, node: Any, context: Context) -> None:
        walk.record(Site(node, context, walk.statement, walk.scope))
        for name in fields:
            child = getattr(node, name)
            _each(walk, child if child.__class__ is list else (child,), context)

    return walk_fields


def _comprehension(walk: _Walk, node: ir.Comprehension, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    inner = context
    for generator in node.generators:
        _expr(walk, generator.iter, Context("iter", node, inner, inner.loops))
        walk.bind_target(generator.target, "comprehension", node, generator.iter)
        inner = Context("comprehension", node, inner, inner.loops + 1)
        _each(walk, generator.ifs, inner)
    _expr(walk, node.elt, inner)
    _expr(walk, node.value, inner)


def _lambda(walk: _Walk, node: ir.Lambda, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    for param in node.params:
        walk.bind(param.name, Binding("lambda", node, param.default))
        _expr(walk, param.default, context)
    _expr(walk, node.body, Context("lambda", node, context, context.loops))


def _if_exp(walk: _Walk, node: ir.IfExp, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.test, context)
    _expr(walk, node.body, Context("if", node, context, context.loops))
    _expr(walk, node.orelse, Context("else", node, context, context.loops))


def _await(walk: _Walk, node: ir.Await, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    _expr(walk, node.value, Context("await", node, context, context.loops))


def _named(walk: _Walk, node: ir.NamedExpr, context: Context) -> None:
    walk.record(Site(node, context, walk.statement, walk.scope))
    walk.bind_target(node.target, "walrus", node, node.value)
    _expr(walk, node.value, context)


_EXPR: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ir.Attribute: _attribute,
    ir.Call: _call,
    ir.Subscript: _subscript,
    ir.Slice: _children("lower", "upper", "step"),
    ir.BinOp: _bin_op,
    ir.Chain: _children("operands"),
    ir.BoolOp: _parts,
    ir.UnaryOp: _children("operand"),
    ir.Compare: _compare,
    ir.Dict: _children("keys", "values"),
    ir.Sequence: _sequence,
    ir.Comprehension: _comprehension,
    ir.Lambda: _lambda,
    ir.IfExp: _if_exp,
    ir.Await: _await,
    ir.Yield: _value,
    ir.NamedExpr: _named,
    ir.JoinedStr: _parts,
    ir.FormattedValue: _formatted,
    ir.Starred: _value,
}


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────


def _block(walk: _Walk, body: list[ir.Stmt], context: Context) -> None:
    for statement in body:
        walk.statement = statement
        walk.record(Site(statement, context, statement, walk.scope))
        walker = _STMT.get(statement.__class__)
        if walker is not None:
            walker(walk, statement, context)


def _expr_stmt(walk: _Walk, node: ir.ExprStmt, context: Context) -> None:
    _expr(walk, node.value, Context("statement-value", node, context, context.loops))


def _assign(walk: _Walk, node: ir.Assign, context: Context) -> None:
    for target in node.targets:
        if isinstance(target, ir.Name):
            walk.bind(target.id, Binding("assign", node, node.value))
        else:
            walk.bind_target(target, "assign", node, node.value)
            _expr(walk, target, context)
    _expr(walk, node.value, context)


def _ann_assign(walk: _Walk, node: ir.AnnAssign, context: Context) -> None:
    target = node.target
    if isinstance(target, ir.Name):
        walk.bind(target.id, Binding("annotated", node, node.value, node.annotation))
    else:
        _expr(walk, target, context)
    _expr(walk, node.annotation, context)
    _expr(walk, node.value, context)


def _aug_assign(walk: _Walk, node: ir.AugAssign, context: Context) -> None:
    target = node.target
    if isinstance(target, ir.Name):
        walk.bind(target.id, Binding("augmented", node, node.value))
    else:
        _expr(walk, target, context)
    _expr(walk, node.value, context)


def _value_of_statement(walk: _Walk, node: ir.Return, context: Context) -> None:
    _expr(walk, node.value, context)


def _raise(walk: _Walk, node: ir.Raise, context: Context) -> None:
    _expr(walk, node.exc, context)
    _expr(walk, node.cause, context)


def _delete(walk: _Walk, node: ir.Delete, context: Context) -> None:
    _each(walk, node.targets, context)


def _assert(walk: _Walk, node: ir.Assert, context: Context) -> None:
    _expr(walk, node.test, context)
    _expr(walk, node.msg, context)


def _if(walk: _Walk, node: ir.If, context: Context) -> None:
    _expr(walk, node.test, context)
    _block(walk, node.body, Context("if", node, context, context.loops))
    for branch in node.elifs:
        walk.statement = node
        _expr(walk, branch.test, context)
        _block(walk, branch.body, Context("if", branch, context, context.loops))
    if node.orelse:
        _block(walk, node.orelse, Context("else", node, context, context.loops))


def _for(walk: _Walk, node: ir.For, context: Context) -> None:
    _expr(walk, node.iter, Context("iter", node, context, context.loops))
    walk.bind_target(node.target, "loop", node, node.iter)
    _block(walk, node.body, Context("loop", node, context, context.loops + 1))
    _block(walk, node.orelse, context)


def _while(walk: _Walk, node: ir.While, context: Context) -> None:
    inner = Context("loop", node, context, context.loops + 1)
    _expr(walk, node.test, inner)
    _block(walk, node.body, inner)
    _block(walk, node.orelse, context)


def _with(walk: _Walk, node: ir.With, context: Context) -> None:
    for item in node.items:
        _expr(walk, item.context, Context("with-item", node, context, context.loops))
        if item.target is not None:
            walk.bind_target(item.target, "with", node, item.context)
    _block(walk, node.body, Context("with", node, context, context.loops))


def _try(walk: _Walk, node: ir.Try, context: Context) -> None:
    _block(walk, node.body, Context("try", node, context, context.loops))
    for handler in node.handlers:
        walk.statement = node
        _expr(walk, handler.type, context)
        if handler.name is not None:
            walk.bind(handler.name, Binding("except", handler, handler.type))
        inner = Context("handler", handler, context, context.loops)
        walk.record(Site(handler, inner, node, walk.scope))
        _block(walk, handler.body, inner)
    _block(walk, node.orelse, Context("try-else", node, context, context.loops))
    _block(walk, node.finalbody, Context("finally", node, context, context.loops))


def _match(walk: _Walk, node: ir.Match, context: Context) -> None:
    _expr(walk, node.subject, context)
    for case in node.cases:
        inner = Context("case", case, context, context.loops)
        _each(walk, case.values, context)
        _each(walk, case.classes, context)
        for name in case.captures:
            walk.bind(name, Binding("match", case, node.subject))
        _expr(walk, case.guard, inner)
        _block(walk, case.body, inner)


def _scoping(walk: _Walk, node: ir.Scoping, _context: Context) -> None:
    for name in node.names:
        walk.facts.is_global[name] = node.kind


def _import(walk: _Walk, node: ir.Import, _context: Context) -> None:
    for imported in node.names:
        if imported.asname is not None:
            walk.bind(imported.asname, Binding("import", node, target=imported.name))
        else:
            top = imported.name.partition(".")[0]
            walk.bind(top, Binding("import", node, target=top))


def _import_from(walk: _Walk, node: ir.ImportFrom, _context: Context) -> None:
    target = "." * node.level + node.module
    for imported in node.names:
        name = imported.asname or imported.name
        walk.bind(name, Binding("from", node, target=target, attribute=imported.name))


def _function_def(walk: _Walk, node: ir.FunctionDef, context: Context) -> None:
    walk.bind(node.name, Binding("function", node, definition=walk.defined.get(id(node))))
    if node.decorators:
        _each(walk, node.decorators, Context("decorator", node, context, context.loops))
    if node.params:
        default = Context("default", node, context, context.loops)
        for param in node.params:
            _expr(walk, param.default, default)
            _expr(walk, param.annotation, default)


def _class_def(walk: _Walk, node: ir.ClassDef, context: Context) -> None:
    walk.bind(node.name, Binding("class", node, definition=walk.defined.get(id(node))))
    for expr in (*node.decorators, *node.bases):
        _expr(walk, expr, Context("decorator", node, context, context.loops))


_STMT: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ir.ExprStmt: _expr_stmt,
    ir.Assign: _assign,
    ir.AnnAssign: _ann_assign,
    ir.AugAssign: _aug_assign,
    ir.Return: _value_of_statement,
    ir.Raise: _raise,
    ir.Delete: _delete,
    ir.Assert: _assert,
    ir.Scoping: _scoping,
    ir.Import: _import,
    ir.ImportFrom: _import_from,
    ir.If: _if,
    ir.For: _for,
    ir.While: _while,
    ir.With: _with,
    ir.Try: _try,
    ir.Match: _match,
    ir.FunctionDef: _function_def,
    ir.ClassDef: _class_def,
}


def collect(scope: Scope) -> BodyFacts:
    """Walk the body of `scope` once."""
    walk = _Walk(scope)
    if isinstance(scope, Function):
        for param in scope.parameters:
            walk.bind(param.name, Binding("parameter", param, param.default, param.annotation))
    _block(walk, scope.body, Context("root", None, None, 0))
    return walk.facts
