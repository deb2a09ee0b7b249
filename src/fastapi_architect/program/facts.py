"""One walk over a body: its bindings and every node of interest with its surroundings.

Rules and analyses read these facts and never walk the representation themselves. Inner functions and classes have facts
of their own; lambdas and comprehensions belong to the body they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi_architect.program.definitions import Binding, Function, Scope
from fastapi_architect.syntax import ir

NodeT = TypeVar("NodeT", bound=ir.Node)


class Context:
    """What surrounds a node, innermost first: a linked list towards the body's root.

    Attributes:
        role: root, loop (its body), iter (what is looped over), comprehension (its element and conditions), try, handler,
            try-else, finally, with, with-item, if, else, case, lambda, await, statement-value, decorator, default.
        node: the enclosing node (for `handler` the `ir.Handler`, for `if` and `else` the `ir.If`, `ir.Branch` or `ir.IfExp`).
        parent: the next context outwards.
        loops: how many loops and comprehensions are around.
    """

    __slots__ = ("loops", "node", "parent", "role")

    def __init__(self, role: str, node: ir.Node | None, parent: Context | None) -> None:
        self.role = role
        self.node = node
        self.parent = parent
        self.loops: int = (parent.loops if parent is not None else 0) + (role in _LOOPING)

    def __iter__(self) -> Iterator[Context]:
        context: Context | None = self
        while context is not None:
            yield context
            context = context.parent

    def inside(self, *roles: str) -> Context | None:
        """The innermost surrounding of one of these roles, or None."""
        return next((c for c in self if c.role in roles), None)


_LOOPING = frozenset({"loop", "comprehension"})


class Site:
    """A node in its surroundings.

    Attributes:
        node: the node.
        context: what surrounds it.
        statement: the statement it belongs to.
        scope: the body it stands in.
    """

    __slots__ = ("context", "node", "scope", "statement")

    def __init__(self, node: Any, context: Context, statement: ir.Stmt, scope: Scope) -> None:
        self.node = node
        self.context = context
        self.statement = statement
        self.scope = scope

    @property
    def awaited(self) -> bool:
        """The node is the direct operand of an `await`."""
        return self.context.role == "await"

    @property
    def loops(self) -> int:
        """Number of loops and comprehensions around it."""
        return self.context.loops


class BodyFacts:
    """What one walk collects.

    Attributes:
        scope: whose body it is.
        bindings: name to its bindings, in order.
        calls: call sites, in order (inner expressions first).
        is_global: names declared global or nonlocal.
    """

    __slots__ = ("_named", "_sites", "bindings", "calls", "is_global", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.bindings: dict[str, list[Binding]] = {}
        self.calls: list[Site] = []
        self.is_global: dict[str, str] = {}
        self._sites: dict[type, list[Site]] = {}
        self._named: dict[str, list[Site]] | None = None

    def sites(self, kind: type[ir.Node]) -> list[Site]:
        """Nodes of one class with their surroundings (all classes but Name, Constant, Keyword)."""
        if kind is ir.Call:
            return self.calls
        return self._sites.get(kind, [])

    def calls_named(self, *names: str) -> list[Site]:
        """Call sites whose target's last name is one of `names`, in order for each name."""
        index = self._named
        if index is None:
            index = self._named = {}
            for site in self.calls:
                func = site.node.func
                name = (
                    func.attr
                    if func.__class__ is ir.Attribute
                    else func.id
                    if func.__class__ is ir.Name
                    else ""
                )
                if name in index:
                    index[name].append(site)
                else:
                    index[name] = [site]
        if len(names) == 1:
            return index.get(names[0], [])
        return [site for name in names for site in index.get(name, ())]


class _Walk:
    """State of one walk."""

    __slots__ = ("classes", "facts", "functions", "scope", "statement")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.facts = BodyFacts(scope)
        #: By identity of the statement that defines it.
        self.functions = {id(f.node): f for f in scope.functions}
        self.classes = {id(c.node): c for c in scope.classes}
        self.statement: ir.Stmt = None  # type: ignore[assignment]

    def record(self, node: ir.Node, context: Context) -> None:
        sites = self.facts._sites  # noqa: SLF001 - the walk fills its own result
        kind = node.__class__
        site = Site(node, context, self.statement, self.scope)
        found = sites.get(kind)
        if found is None:
            sites[kind] = [site]
        else:
            found.append(site)

    def bind(self, name: str, binding: Binding) -> None:
        bindings = self.facts.bindings
        if name in bindings:
            bindings[name].append(binding)
        else:
            bindings[name] = [binding]

    def bind_target(
        self,
        target: ir.Expr,
        kind: str,
        node: ir.Node,
        value: ir.Expr | None,
        annotation: ir.Expr | None = None,
        path: tuple[int, ...] = (),
    ) -> None:
        """Bind every name of an assignment target."""
        if isinstance(target, ir.Name):
            self.bind(target.id, Binding(kind, node, value, annotation, path))
        elif isinstance(target, ir.Sequence):
            for index, element in enumerate(target.elts):
                self.bind_target(element, kind, node, value, None, (*path, index))
        elif isinstance(target, ir.Starred):
            self.bind_target(target.value, kind, node, value, None, (*path[:-1], -1))


# ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────


def _nothing(_walk: _Walk, _node: Any, _context: Context) -> None:
    """Names and constants are leaves and not recorded: there are too many, and everything names them."""


def _expr(walk: _Walk, node: ir.Expr, context: Context) -> None:
    _EXPR[node.__class__](walk, node, context)


def _attribute(walk: _Walk, node: ir.Attribute, context: Context) -> None:
    walk.record(node, context)
    value = node.value
    if value.__class__ is not ir.Name:
        _EXPR[value.__class__](walk, value, context)


def _call(walk: _Walk, node: ir.Call, context: Context) -> None:
    inner = context
    while inner.role in ("await", "statement-value") and inner.parent is not None:
        inner = inner.parent  # `await f(g())`: neither is true of g's call
    func = node.func
    if func.__class__ is not ir.Name:
        _EXPR[func.__class__](walk, func, inner)
    for argument in node.args:
        _EXPR[argument.__class__](walk, argument, inner)
    for keyword in node.keywords:
        value = keyword.value
        _EXPR[value.__class__](walk, value, inner)
    walk.facts.calls.append(Site(node, context, walk.statement, walk.scope))


def _children(*fields: str) -> Callable[[_Walk, Any, Context], None]:
    """A walker that records the node and walks the named single-expression fields."""

    def walk_fields(walk: _Walk, node: Any, context: Context) -> None:
        walk.record(node, context)
        for name in fields:
            child = getattr(node, name)
            if child is not None:
                _EXPR[child.__class__](walk, child, context)

    return walk_fields


def _lists(*fields: str) -> Callable[[_Walk, Any, Context], None]:
    """A walker that records the node and walks the named list fields."""

    def walk_lists(walk: _Walk, node: Any, context: Context) -> None:
        walk.record(node, context)
        for name in fields:
            for child in getattr(node, name):
                if child is not None:
                    _EXPR[child.__class__](walk, child, context)

    return walk_lists


def _compare(walk: _Walk, node: ir.Compare, context: Context) -> None:
    walk.record(node, context)
    _EXPR[node.left.__class__](walk, node.left, context)
    for child in node.comparators:
        _EXPR[child.__class__](walk, child, context)


def _comprehension(walk: _Walk, node: ir.Comprehension, context: Context) -> None:
    walk.record(node, context)
    inner = context
    for generator in node.generators:
        _expr(walk, generator.iter, Context("iter", node, inner))
        walk.bind_target(generator.target, "comprehension", node, generator.iter)
        inner = Context("comprehension", node, inner)
        for condition in generator.ifs:
            _expr(walk, condition, inner)
    _expr(walk, node.elt, inner)
    if node.value is not None:
        _expr(walk, node.value, inner)


def _lambda(walk: _Walk, node: ir.Lambda, context: Context) -> None:
    walk.record(node, context)
    inner = Context("lambda", node, context)
    for param in node.params:
        walk.bind(param.name, Binding("lambda", node, param.default))
        if param.default is not None:
            _expr(walk, param.default, context)
    _expr(walk, node.body, inner)


def _if_exp(walk: _Walk, node: ir.IfExp, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.test, context)
    _expr(walk, node.body, Context("if", node, context))
    _expr(walk, node.orelse, Context("else", node, context))


def _await(walk: _Walk, node: ir.Await, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.value, Context("await", node, context))


def _named(walk: _Walk, node: ir.NamedExpr, context: Context) -> None:
    walk.record(node, context)
    walk.bind_target(node.target, "walrus", node, node.value)
    _expr(walk, node.value, context)


_EXPR: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ir.Name: _nothing,
    ir.Constant: _nothing,
    ir.TooDeep: _nothing,
    ir.Attribute: _attribute,
    ir.Call: _call,
    ir.Subscript: _children("value", "slice"),
    ir.Slice: _children("lower", "upper", "step"),
    ir.BinOp: _children("left", "right"),
    ir.Chain: _lists("operands"),
    ir.BoolOp: _lists("values"),
    ir.UnaryOp: _children("operand"),
    ir.Compare: _compare,
    ir.Dict: _lists("keys", "values"),
    ir.Sequence: _lists("elts"),
    ir.Comprehension: _comprehension,
    ir.Lambda: _lambda,
    ir.IfExp: _if_exp,
    ir.Await: _await,
    ir.Yield: _children("value"),
    ir.NamedExpr: _named,
    ir.JoinedStr: _lists("values"),
    ir.FormattedValue: _children("value", "format_spec"),
    ir.Starred: _children("value"),
}


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────


def _block(walk: _Walk, body: list[ir.Stmt], context: Context) -> None:
    for statement in body:
        walk.statement = statement
        _STMT[statement.__class__](walk, statement, context)


def _expr_stmt(walk: _Walk, node: ir.ExprStmt, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.value, Context("statement-value", node, context))


def _assign(walk: _Walk, node: ir.Assign, context: Context) -> None:
    walk.record(node, context)
    for target in node.targets:
        walk.bind_target(target, "assign", node, node.value)
        if target.__class__ is not ir.Name:
            _expr(walk, target, context)
    _expr(walk, node.value, context)


def _ann_assign(walk: _Walk, node: ir.AnnAssign, context: Context) -> None:
    walk.record(node, context)
    walk.bind_target(node.target, "annotated", node, node.value, node.annotation)
    if node.target.__class__ is not ir.Name:
        _expr(walk, node.target, context)
    _expr(walk, node.annotation, context)
    if node.value is not None:
        _expr(walk, node.value, context)


def _aug_assign(walk: _Walk, node: ir.AugAssign, context: Context) -> None:
    walk.record(node, context)
    if node.target.__class__ is ir.Name:
        walk.bind(node.target.id, Binding("augmented", node, node.value))
    else:
        _expr(walk, node.target, context)
    _expr(walk, node.value, context)


def _if(walk: _Walk, node: ir.If, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.test, context)
    _block(walk, node.body, Context("if", node, context))
    for branch in node.elifs:
        walk.statement = node
        _expr(walk, branch.test, context)
        _block(walk, branch.body, Context("if", branch, context))
    if node.orelse:
        _block(walk, node.orelse, Context("else", node, context))


def _for(walk: _Walk, node: ir.For, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.iter, Context("iter", node, context))
    walk.bind_target(node.target, "loop", node, node.iter)
    _block(walk, node.body, Context("loop", node, context))
    _block(walk, node.orelse, context)


def _while(walk: _Walk, node: ir.While, context: Context) -> None:
    walk.record(node, context)
    inner = Context("loop", node, context)
    _expr(walk, node.test, inner)
    _block(walk, node.body, inner)
    _block(walk, node.orelse, context)


def _with(walk: _Walk, node: ir.With, context: Context) -> None:
    walk.record(node, context)
    for item in node.items:
        _expr(walk, item.context, Context("with-item", node, context))
        if item.target is not None:
            walk.bind_target(item.target, "with", node, item.context)
    _block(walk, node.body, Context("with", node, context))


def _try(walk: _Walk, node: ir.Try, context: Context) -> None:
    walk.record(node, context)
    _block(walk, node.body, Context("try", node, context))
    for handler in node.handlers:
        walk.statement = node
        if handler.type is not None:
            _expr(walk, handler.type, context)
        if handler.name is not None:
            walk.bind(handler.name, Binding("except", handler, handler.type))
        inner = Context("handler", handler, context)
        walk.record(handler, inner)
        _block(walk, handler.body, inner)
    _block(walk, node.orelse, Context("try-else", node, context))
    _block(walk, node.finalbody, Context("finally", node, context))


def _match(walk: _Walk, node: ir.Match, context: Context) -> None:
    walk.record(node, context)
    _expr(walk, node.subject, context)
    for case in node.cases:
        inner = Context("case", case, context)
        for value in (*case.values, *case.classes):
            _expr(walk, value, context)
        for name in case.captures:
            walk.bind(name, Binding("match", case, node.subject))
        if case.guard is not None:
            _expr(walk, case.guard, inner)
        _block(walk, case.body, inner)


def _scoping(walk: _Walk, node: ir.Scoping, context: Context) -> None:
    walk.record(node, context)
    for name in node.names:
        walk.facts.is_global[name] = node.kind


def _import(walk: _Walk, node: ir.Import, context: Context) -> None:
    walk.record(node, context)
    for imported in node.names:
        if imported.asname is not None:
            walk.bind(imported.asname, Binding("import", node, target=imported.name))
        else:
            top = imported.name.partition(".")[0]
            walk.bind(top, Binding("import", node, target=top))


def _import_from(walk: _Walk, node: ir.ImportFrom, context: Context) -> None:
    walk.record(node, context)
    target = "." * node.level + node.module
    for imported in node.names:
        name = imported.asname or imported.name
        walk.bind(name, Binding("from", node, target=target, attribute=imported.name))


def _function_def(walk: _Walk, node: ir.FunctionDef, context: Context) -> None:
    walk.record(node, context)
    definition = walk.functions.get(id(node))
    walk.bind(node.name, Binding("function", node, definition=definition))
    decorator = Context("decorator", node, context)
    for expr in node.decorators:
        _expr(walk, expr, decorator)
    default = Context("default", node, context)
    for param in node.params:
        if param.default is not None:
            _expr(walk, param.default, default)
        if param.annotation is not None:
            _expr(walk, param.annotation, default)


def _class_def(walk: _Walk, node: ir.ClassDef, context: Context) -> None:
    walk.record(node, context)
    definition = walk.classes.get(id(node))
    walk.bind(node.name, Binding("class", node, definition=definition))
    for expr in (*node.decorators, *node.bases):
        _expr(walk, expr, Context("decorator", node, context))


_STMT: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ir.ExprStmt: _expr_stmt,
    ir.Assign: _assign,
    ir.AnnAssign: _ann_assign,
    ir.AugAssign: _aug_assign,
    ir.Return: _children("value"),
    ir.Raise: _children("exc", "cause"),
    ir.Delete: _lists("targets"),
    ir.Assert: _children("test", "msg"),
    ir.Jump: lambda walk, node, context: walk.record(node, context),
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
    _block(walk, scope.body, Context("root", None, None))
    return walk.facts
