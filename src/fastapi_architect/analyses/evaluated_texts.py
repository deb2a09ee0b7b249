"""Which texts that come from outside a function does it read with `eval`, as if they were data?

Asked at the few places where `eval` stands: where the text comes from inside the function, whether somebody asked what it
holds before, and what the callers give.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.process import CodeExecution
from fastapi_architect.dataflow.access_path import access_path, written
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_DEPTH = 4
#: Methods that give a text of the same origin.
_TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))
#: Functions of `re` and others that give a text of the same origin as their arguments.
_SAME_TEXT = frozenset({"sub", "subn", "str", "unquote", "unescape", "dedent", "deepcopy", "copy"})
#: Questions that do not ask what a text holds.
_NO_CHECKS = frozenset(
    {"isinstance", "len", "hasattr", "type", "startswith", "endswith", "get", "lower", "strip", "keys"}
)
#: Calls that look into a text, or refuse it.
_CHECKS = lazy_pattern(
    r"valid|check|verify|ensure|sanit|safe|secure|reject|allow|^(ast_)?parse$|^compile$|^tokenize$"
)
#: Names of texts that are meant to be code, or to name something of the program.
_CODE = lazy_pattern(
    r"(^|_)(code|script|source|snippet|program|annotation|type|class|cls|lambda|func|function)(_?str)?$"
)
_OF_SETTINGS = lazy_pattern(r"(^|_)(config|conf|cfg|settings?|env|environ|args|argv|option|options)(_|$)")
_VALIDATORS = ("field_validator", "validator", "model_validator", "root_validator")


class EvaluatedText(msgspec.Struct, frozen=True, eq=False):
    """A text that `eval` reads.

    Attributes:
        fact: the first call of the function that does it.
        written: the text in the reader's terms.
        example: an expression for it.
        origin: where it comes from, to follow `is`.
        is_emptied: a namespace without built-ins is given.
        is_data: nothing says that it is meant to be code, or that only the operator writes it.
        others: how many more texts the function reads that way.
    """

    fact: CodeExecution
    written: str
    example: str
    origin: str
    is_emptied: bool
    is_data: bool
    others: int


class _Leaf(msgspec.Struct, frozen=True):
    """What a text is made of: constant, written (in part), parameter, field, answer, outside."""

    kind: str
    node: Any = None


@question
def evaluated_texts(graph: AppGraph) -> tuple[EvaluatedText, ...]:
    """One for each function, in order of places; those that are data first within a function."""
    by_scope: dict[int, list[EvaluatedText]] = {}
    for fact in graph.facts(CodeExecution):
        if fact.kind == "eval" and fact.code is not None and fact.scope.module.kind == "source":
            text = _text(fact, graph)
            if text is not None:
                by_scope.setdefault(id(fact.scope), []).append(text)
    return tuple(_together(texts) for texts in by_scope.values())


def _together(texts: list[EvaluatedText]) -> EvaluatedText:
    first = next((text for text in texts if text.is_data), texts[0])
    return msgspec.structs.replace(first, others=len(texts) - 1)


def _text(fact: CodeExecution, graph: AppGraph) -> EvaluatedText | None:
    scope, code = fact.scope, fact.code
    namespace = argument(fact.node, 1, "globals")
    if fact.name != "builtins.eval" or runs_as_script(fact.site) or not _is_plain(namespace, scope):
        return None
    if not _is_text(code, scope, graph) or _is_called(fact) or _is_checked(fact):
        return None
    leaves = list(_leaves(code, scope, 0))
    outside = [leaf for leaf in leaves if leaf.kind not in ("constant", "written")]
    if not outside or all(_is_always_written(leaf, scope, graph) for leaf in outside):
        return None
    name = _shown(code) or _shown(outside[0].node) or "it"
    is_data = (
        len(outside) == len([leaf for leaf in leaves if leaf.kind != "constant"])
        and not any(_says(_CODE, node) for node in (code, *(leaf.node for leaf in outside)))
        and not any(_is_of_the_operator(leaf, scope) or _is_compiled(leaf, scope) for leaf in outside)
        and not (isinstance(scope, Function) and scope.has_decorator(*_VALIDATORS))
    )
    emptied = namespace is not None
    return EvaluatedText(fact, name, _shown(code) or "text", _origin(outside[0]), emptied, is_data, 0)


def _is_plain(namespace: ir.Expr | None, scope: Scope) -> bool:
    """No namespace, one that is written here, or one that was begun without built-ins."""
    if namespace is None or namespace.__class__ is ir.Dict:
        return True
    if namespace.__class__ is not ir.Name:
        return False
    bindings = scope.facts.bindings.get(namespace.id, ())
    values: list[Any] = [binding.value for binding in bindings]
    return len(values) == 1 and values[0].__class__ is ir.Dict and _has_no_builtins(values[0])


def _has_no_builtins(namespace: ir.Dict) -> bool:
    return any(
        key.__class__ is ir.Constant and key.value == "__builtins__"
        for key in namespace.keys
        if key is not None
    )


def _is_text(code: ir.Expr | None, scope: Scope, graph: AppGraph) -> bool:
    """A text, as far as its type is known: compiled code has none."""
    of = list(options(graph.program.inference.type_of(code, scope)))
    texts = [isinstance(o, Instance) and o.name in ("builtins.str", "typing.Any") for o in of]
    unknown = not of or any(not isinstance(o, Instance) or o.name.endswith("()") for o in of)
    return any(texts) or unknown


def _is_called(fact: CodeExecution) -> bool:
    """`eval(name)(value)`: the text names a function."""
    node = fact.node
    for site in fact.scope.facts.calls:
        call = site.node
        if call.func is node or (
            last_name(call.func) in ("isinstance", "issubclass") and node in call.args[1:]
        ):
            return True
    return False


# ── where a text comes from ──────────────────────────────────────────────────────────────────────────────────


def _leaves(expr: Any, scope: Scope, depth: int) -> Iterator[_Leaf]:
    kind = expr.__class__
    if kind is ir.Constant:
        yield _Leaf("constant", expr)
    elif depth > _MAX_DEPTH:
        yield _Leaf("outside", expr)
    elif kind is ir.Name:
        yield from _of_name(expr, scope, depth)
    elif kind is ir.Call:
        yield from _of_call(expr, scope, depth)
    elif kind in (ir.JoinedStr, ir.BinOp, ir.Chain):
        parts = list(_parts(expr))
        yield from (
            _Leaf("written", part)
            for part in parts
            if part.__class__ is ir.Constant and str(part.value).strip()
        )
        for part in parts:
            if part.__class__ is not ir.Constant:
                yield from _leaves(part, scope, depth + 1)
    elif kind in (ir.Attribute, ir.Subscript):
        yield _Leaf("field", expr)
    elif kind in (ir.BoolOp, ir.IfExp):
        for part in expr.values if kind is ir.BoolOp else (expr.body, expr.orelse):
            yield from _leaves(part, scope, depth + 1)
    elif kind is ir.Await:
        yield from _leaves(expr.value, scope, depth + 1)
    else:
        yield _Leaf("outside", expr)


def _of_name(expr: ir.Name, scope: Scope, depth: int) -> Iterator[_Leaf]:
    bindings = scope.facts.bindings.get(expr.id, ())
    if not bindings:
        yield _Leaf("outside", expr)
    for binding in bindings:
        if binding.kind == "parameter":
            yield _Leaf("parameter", expr)
        elif (
            binding.kind in ("assign", "annotated", "walrus")
            and not binding.path
            and binding.value is not None
        ):
            if not _is_evaluated(binding.value):  # `value = eval(value)`
                yield from _leaves(binding.value, scope, depth + 1)
        else:
            yield _Leaf("element", binding.value if binding.value is not None else expr)


def _is_evaluated(value: ir.Expr) -> bool:
    return value.__class__ is ir.Call and last_name(value.func) in ("eval", "int", "float", "bool", "list")


def _of_call(expr: ir.Call, scope: Scope, depth: int) -> Iterator[_Leaf]:
    func: Any = expr.func
    name = last_name(func)
    if name in ("input", "compile", "getsource", "get_source_segment", "unparse"):
        yield _Leaf("written", expr)
    elif name in _SAME_TEXT:
        for each in expr.args[-1:]:
            yield from _leaves(each, scope, depth + 1)
    elif func.__class__ is ir.Attribute and name in _TEXT_METHODS and func.value.__class__ is not ir.Constant:
        yield from _leaves(func.value, scope, depth + 1)
    else:
        yield _Leaf("answer", expr)


def _parts(expr: Any) -> Iterator[Any]:
    if expr.__class__ is ir.JoinedStr:
        yield from (
            getattr(part, "value", part) if part.__class__ is ir.FormattedValue else part
            for part in expr.values
        )
    elif expr.__class__ is ir.Chain:
        yield from expr.operands
    else:
        yield from (expr.left, expr.right)


def _is_always_written(leaf: _Leaf, scope: Scope, graph: AppGraph) -> bool:
    """A parameter for which every known caller writes a text down."""
    if leaf.kind != "parameter" or not isinstance(scope, Function):
        return False
    callers = graph.program.calls.callers(scope)
    names = [parameter.name for parameter in scope.parameters[scope.is_method :]]
    position = names.index(leaf.node.id) if leaf.node.id in names else None
    given = [argument(site.node, position, leaf.node.id) for site in callers]
    return bool(given) and all(value.__class__ is ir.Constant for value in given if value is not None)


def _is_of_the_operator(leaf: _Leaf, scope: Scope) -> bool:
    """A setting; one that a method of the same class lets its callers write is none."""
    return _says(_OF_SETTINGS, leaf.node, whole=True) and not _is_written_by_callers(leaf.node, scope)


def _is_compiled(leaf: _Leaf, scope: Scope) -> bool:
    """A field of a class that compiles what it evaluates, and can look at the tree before: perhaps code, not a text."""
    owner = scope.owner if isinstance(scope, Function) else None
    path = access_path(leaf.node) if leaf.kind == "field" else None
    if owner is None or path is None or path[0] != "self":
        return False
    return any(
        site.node.func.__class__ is ir.Name
        for method in owner.functions
        for site in method.facts.calls_named("compile")
    )


def _is_written_by_callers(node: Any, scope: Scope) -> bool:
    """`self.config[key] = value` with a parameter's value, in a method of the class."""
    owner = scope.owner if isinstance(scope, Function) else None
    mapping = access_path(node.value) if node.__class__ is ir.Subscript else None
    if owner is None or mapping is None or len(mapping) != 2:
        return False
    for method in owner.functions:
        names = {parameter.name for parameter in method.parameters[1:]}
        for site in method.facts.sites(ir.Assign):
            value = site.node.value
            if value.__class__ is ir.Name and value.id in names:
                stored = [each.value for each in site.node.targets if each.__class__ is ir.Subscript]
                if any(access_path(each) == mapping for each in stored):
                    return True
    return False


# ── whether somebody asked what it holds ─────────────────────────────────────────────────────────────────────


def _is_checked(fact: CodeExecution) -> bool:
    """Before, a test or a function whose name says that it checks is given the text."""
    names = _names_behind(fact.code, fact.scope)
    facts = fact.scope.facts
    for site in facts.calls:
        call = site.node
        if call.span < fact.node.span and _CHECKS.search(last_name(call.func)) and _reads(call.args, names):
            return True
    return any(
        site.node.span < fact.node.span and any(_asks(test, names) for test in _tests(site.node))
        for kind in (ir.If, ir.IfExp, ir.While, ir.Assert)
        for site in facts.sites(kind)
    )


def _names_behind(code: Any, scope: Scope) -> set[str]:
    found = {node.id for node in walk(code) if node.__class__ is ir.Name}
    for name in list(found):
        for binding in scope.facts.bindings.get(name, ()):
            if binding.kind in ("assign", "annotated") and binding.value.__class__ is ir.Name:
                found.add(binding.value.id)
    return found


def _tests(node: Any) -> Iterator[Any]:
    yield node.test
    for branch in getattr(node, "elifs", ()):
        yield branch.test


def _asks(test: Any, names: set[str]) -> bool:
    for node in walk(test):
        if node.__class__ is ir.Call and last_name(node.func) not in _NO_CHECKS:
            if _reads([*node.args, getattr(node.func, "value", None)], names):
                return True
        elif node.__class__ is ir.Compare and node.ops[0] in ("in", "not in") and _reads([node.left], names):
            return True
    return False


def _reads(exprs: Any, names: set[str]) -> bool:
    return any(node.__class__ is ir.Name and node.id in names for expr in exprs for node in walk(expr))


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────


def _says(pattern: Any, node: Any, *, whole: bool = False) -> bool:
    """The name of an expression, or with `whole` any name in it, has a word."""
    if whole:
        names = [str(getattr(each, "id", "") or getattr(each, "attr", "")) for each in walk(node)]
        return any(pattern.search(name.lower()) for name in names)
    path = access_path(node) if node is not None else None
    return path is not None and bool(pattern.search(path[-1].strip("[]").lower()))


def _shown(node: Any) -> str:
    path = access_path(node) if node is not None else None
    return written(path) if path is not None else ""


def _origin(leaf: _Leaf) -> str:
    if leaf.kind == "parameter":
        return "whatever a caller gives"
    if leaf.kind == "answer":
        return f"what `{last_name(leaf.node.func) or 'a call'}` answers"
    return "data that the function is handed"
