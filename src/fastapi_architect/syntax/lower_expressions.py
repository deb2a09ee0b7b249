"""Lower expressions of `ast` to the IR (`syntax.lowering` says why the handlers look as they do)."""

from __future__ import annotations

import ast
from typing import Any

from fastapi_architect.syntax import ir
from fastapi_architect.syntax.lowering import (
    COLUMN,
    END_LINE,
    HANDLERS,
    LINE,
    MAX_DEPTH,
    MAX_NESTED_TERMS,
    ONE_LINE,
    State,
    collect_names,
    name_call,
    span_between,
    span_of,
)

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}

_CONVERSIONS = {-1: "", ord("s"): "s", ord("r"): "r", ord("a"): "a"}


def operator_of(op: ast.AST) -> str:
    """The operator as written."""
    return _OPERATORS[op.__class__]


def too_deep(node: Any, state: State) -> ir.TooDeep:
    """Leave an expression out, keep its names, and say so."""
    state.truncate(f"an expression at line {node.lineno} is nested more than {MAX_DEPTH} deep")
    collect_names(node, state)
    return ir.TooDeep(span_of(node))


def each(nodes: list[Any], s: State, d: int) -> list[Any]:
    """Lower the nodes of a list."""
    if len(nodes) == 1:
        node = nodes[0]
        return [HANDLERS[node.__class__](node, s, d)]  # a list that grew has room for three more
    lowered = []
    # No comprehension: before Python 3.12 it makes a function each time, and cells of what it uses.
    for node in nodes:
        lowered.append(HANDLERS[node.__class__](node, s, d))  # noqa: PERF401
    return lowered


def _name(node: Any, s: State, _d: int) -> ir.Name:
    n = node.__dict__
    name = n["id"]
    s.see(name)
    # A name stands on one line.
    return ir.Name(ONE_LINE[n["lineno"]] + COLUMN[n["col_offset"]] + n["end_col_offset"], name)


def _attribute(node: Any, s: State, d: int) -> ir.Attribute | ir.TooDeep:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    n = node.__dict__
    attr = n["attr"]
    s.see(attr)
    value = n["value"]
    return ir.Attribute(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[value.__class__](value, s, d + 1),
        attr,
    )


def _constant(node: Any, _s: State, _d: int) -> ir.Constant:
    n = node.__dict__
    span = LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"]
    value = n["value"]
    kind = value.__class__
    if kind is str:
        if value.isascii():
            return ir.Constant(span, "str", value)
        return ir.Constant(span, "str", encodable(value))
    if kind is int:
        if -0x8000_0000_0000_0000 <= value < 0x8000_0000_0000_0000:
            return ir.Constant(span, "int", value)
        return ir.Constant(span, "int", _text_of_integer(value))
    if value is None:
        return ir.Constant(span, "none", None)
    if kind is bool:
        return ir.Constant(span, "bool", value)
    if kind is float:
        # Infinity (`1e999`) has no literal but is a value like any other.
        return ir.Constant(span, "float", value)
    if kind is bytes:
        return ir.Constant(span, "bytes", value.decode("latin-1"))
    if kind is complex:
        return ir.Constant(span, "complex", str(value))
    return ir.Constant(span, "ellipsis", None)


def _text_of_integer(value: int) -> str:
    try:
        return str(value)
    except (
        ValueError
    ):  # more than 4,300 digits, only possible for a literal written in hexadecimal, octal or binary
        return hex(value)


def encodable(text: str) -> str:
    """The text, with lone surrogates (`"\\ud800"`), which UTF-8 cannot hold, spelt as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def keywords_of(nodes: list[Any], s: State, d: int) -> list[ir.Keyword]:
    """Lower the keyword arguments of a call or class header."""
    keywords = []
    for node in nodes:
        n = node.__dict__
        arg = n["arg"]
        if arg is not None:
            s.see(arg)
        value = n["value"]
        keywords.append(
            ir.Keyword(
                LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
                arg,
                HANDLERS[value.__class__](value, s, d),
            )
        )
    return keywords


def _call(node: Any, s: State, d: int) -> ir.Call | ir.TooDeep:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    n = node.__dict__
    d += 1
    func = n["func"]
    kind = func.__class__
    if kind is ast.Attribute:
        s.call(func.attr)
    elif kind is ast.Name:
        s.call(func.id)
    elif kind is ast.Subscript:
        name_call(func, s)
    args = n["args"]
    keywords = n["keywords"]
    return ir.Call(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[kind](func, s, d),
        each(args, s, d) if args else s.nothing,
        keywords_of(keywords, s, d) if keywords else s.nothing,
    )


def _subscript(node: Any, s: State, d: int) -> ir.Subscript | ir.TooDeep:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    n = node.__dict__
    d += 1
    value = n["value"]
    index = n["slice"]
    return ir.Subscript(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[value.__class__](value, s, d),
        HANDLERS[index.__class__](index, s, d),
    )


def optional(node: ast.AST | None, s: State, d: int) -> Any:
    """Lower an expression that may be missing."""
    return None if node is None else HANDLERS[node.__class__](node, s, d)


def _slice(node: Any, s: State, d: int) -> ir.Slice:
    return ir.Slice(
        span_of(node),
        optional(node.lower, s, d + 1),
        optional(node.upper, s, d + 1),
        optional(node.step, s, d + 1),
    )


def _bin_op(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    n = node.__dict__
    left = n["left"]
    right = n["right"]
    if left.__class__ is ast.BinOp and left.left.__class__ is ast.BinOp:
        spine = [node]
        while left.__class__ is ast.BinOp:
            spine.append(left)
            left = left.left
        if len(spine) > MAX_NESTED_TERMS:
            return _chain(spine, s, d)
        left = n["left"]
    d += 1
    return ir.BinOp(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[left.__class__](left, s, d),
        _OPERATORS[n["op"].__class__],
        HANDLERS[right.__class__](right, s, d),
    )


def _chain(spine: list[ast.BinOp], s: State, d: int) -> ir.Expr:
    """Lower a long left-leaning chain, outermost first, without nesting it.

    One operator throughout, or sums and differences mixed (a subtracted term becomes a negated one), make one
    `Chain`. Other mixtures (`a * b / c`) make one `Chain` a run of equal operators, nested; what would nest
    too deep is left out.
    """
    spine.reverse()
    operators = {_OPERATORS[node.op.__class__] for node in spine}
    if operators <= {"+", "-"} or len(operators) == 1:
        only = operators.pop() if len(operators) == 1 else ""
        operands = [_lowered(spine[0].left, s, d + 1)]
        for node in spine:
            operand = _lowered(node.right, s, d + (1 if only else 2))
            negated = not only and node.op.__class__ is ast.Sub
            operands.append(ir.UnaryOp(operand.span, "-", operand) if negated else operand)
        return ir.Chain(span_of(spine[-1]), only or "+", operands)
    runs: list[list[ast.BinOp]] = []
    for node in spine:
        if runs and runs[-1][0].op.__class__ is node.op.__class__:
            runs[-1].append(node)
        else:
            runs.append([node])
    kept = max(MAX_DEPTH - d, 1)
    if len(runs) > kept:
        result: ir.Expr = too_deep(runs[-kept - 1][-1], s)
        runs = runs[-kept:]
    else:
        result = _lowered(spine[0].left, s, d + len(runs))
    for position, run in enumerate(runs):
        depth = d + len(runs) - position
        operands = [result, *(_lowered(node.right, s, depth) for node in run)]
        result = ir.Chain(span_of(run[-1]), _OPERATORS[run[0].op.__class__], operands)
    return result


def _lowered(node: Any, s: State, d: int) -> Any:
    return HANDLERS[node.__class__](node, s, d)


def _bool_op(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    return ir.BoolOp(span_of(node), _OPERATORS[node.op.__class__], each(node.values, s, d))


def _unary_op(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    operand = node.operand
    return ir.UnaryOp(
        span_of(node), _OPERATORS[node.op.__class__], HANDLERS[operand.__class__](operand, s, d + 1)
    )


def _compare(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    n = node.__dict__
    d += 1
    left = n["left"]
    return ir.Compare(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[left.__class__](left, s, d),
        [_OPERATORS[op.__class__] for op in n["ops"]],
        each(n["comparators"], s, d),
    )


def _dict(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    if not node.keys and not s.functions:
        s.empty_display = True
    return ir.Dict(
        span_of(node),
        [None if k is None else HANDLERS[k.__class__](k, s, d) for k in node.keys],
        each(node.values, s, d),
    )


def _tuple(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    return ir.Sequence(span_of(node), "tuple", each(node.elts, s, d))


def _list(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    elts = node.elts
    if not elts and not s.functions:
        s.empty_display = True
    return ir.Sequence(span_of(node), "list", each(elts, s, d) if elts else [])


def _set(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    return ir.Sequence(span_of(node), "set", each(node.elts, s, d))


def _generators(nodes: list[ast.comprehension], s: State, d: int) -> list[ir.Generator]:
    return [
        ir.Generator(
            span_between(node.target, node.ifs[-1] if node.ifs else node.iter),
            HANDLERS[node.target.__class__](node.target, s, d),
            HANDLERS[node.iter.__class__](node.iter, s, d),
            each(node.ifs, s, d),
            bool(node.is_async),
        )
        for node in nodes
    ]


def _comprehension(node: Any, kind: str, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    if kind == "dict":
        return ir.Comprehension(
            span_of(node),
            kind,
            _lowered(node.key, s, d),
            _lowered(node.value, s, d),
            _generators(node.generators, s, d),
        )
    return ir.Comprehension(
        span_of(node), kind, _lowered(node.elt, s, d), None, _generators(node.generators, s, d)
    )


def _list_comp(node: Any, s: State, d: int) -> ir.Expr:
    return _comprehension(node, "list", s, d)


def _set_comp(node: Any, s: State, d: int) -> ir.Expr:
    return _comprehension(node, "set", s, d)


def _dict_comp(node: Any, s: State, d: int) -> ir.Expr:
    return _comprehension(node, "dict", s, d)


def _generator_exp(node: Any, s: State, d: int) -> ir.Expr:
    return _comprehension(node, "generator", s, d)


def params_of(arguments: Any, s: State, d: int) -> list[ir.Param]:
    """Lower the parameters of a function or lambda, in the order they are written."""
    a = arguments.__dict__
    params: list[ir.Param] = []
    positional = a["args"]
    defaults = a["defaults"]
    first_normal = 0
    if a["posonlyargs"]:
        first_normal = len(a["posonlyargs"])
        positional = a["posonlyargs"] + positional
    if positional:
        without_default = len(positional) - len(defaults)
        for position, arg in enumerate(positional):
            default = defaults[position - without_default] if position >= without_default else None
            params.append(_param(arg, "normal" if position >= first_normal else "posonly", default, s, d))
    if a["vararg"] is not None:
        params.append(_param(a["vararg"], "vararg", None, s, d))
    if a["kwonlyargs"]:
        for arg, default in zip(a["kwonlyargs"], a["kw_defaults"], strict=True):
            params.append(_param(arg, "kwonly", default, s, d))
    if a["kwarg"] is not None:
        params.append(_param(a["kwarg"], "kwarg", None, s, d))
    return params


def _param(node: Any, kind: str, default: Any, s: State, d: int) -> ir.Param:
    n = node.__dict__
    name = n["arg"]
    s.see(name)
    annotation = n["annotation"]
    return ir.Param(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        name,
        kind,
        None if annotation is None else HANDLERS[annotation.__class__](annotation, s, d),
        None if default is None else HANDLERS[default.__class__](default, s, d),
    )


def _lambda(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    params = params_of(node.args, s, d + 1)
    # A `yield` in a lambda makes the lambda a generator, not the function around it.
    yields = s.yields
    body = _lowered(node.body, s, d + 1)
    s.yields = yields
    return ir.Lambda(span_of(node), params, body)


def _if_exp(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    return ir.IfExp(
        span_of(node), _lowered(node.test, s, d), _lowered(node.body, s, d), _lowered(node.orelse, s, d)
    )


def _await(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    return ir.Await(span_of(node), _lowered(node.value, s, d + 1))


def _yield(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    value = optional(node.value, s, d + 1)
    s.yields = True
    return ir.Yield(span_of(node), value, False)


def _yield_from(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    value = _lowered(node.value, s, d + 1)
    s.yields = True
    return ir.Yield(span_of(node), value, True)


def _named_expr(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    return ir.NamedExpr(span_of(node), _lowered(node.target, s, d + 1), _lowered(node.value, s, d + 1))


def _joined_str(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    d += 1
    values = each(node.values, s, d)
    if not s.may_hold_script and len(values) > 1:
        s.may_hold_script = _may_hold_script(values)
    # Set on strings that `modern` rewrote for an older Python, and the class says it on a newer one.
    template = getattr(node, "template", False) or node.__class__ is not ast.JoinedStr
    return ir.JoinedStr(span_of(node), values, template)


def _may_hold_script(values: list[ir.Expr]) -> bool:
    """A hole stands between two quotes, or behind the beginning of `<script>` or `<style>`."""
    text = "\0".join([part.value for part in values if part.__class__ is ir.Constant])  # type: ignore[misc]
    # Written out: a loop over these costs more than what it asks.
    return '"\0"' in text or "'\0'" in text or "`\0`" in text or "<s" in text or "<S" in text


def _formatted_value(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    return ir.FormattedValue(
        span_of(node),
        _lowered(node.value, s, d + 1),
        _CONVERSIONS[node.conversion],
        optional(node.format_spec, s, d + 1),
    )


def _starred(node: Any, s: State, d: int) -> ir.Expr:
    if d > MAX_DEPTH:
        return too_deep(node, s)
    return ir.Starred(span_of(node), _lowered(node.value, s, d + 1))


def expression_handlers() -> dict[type[ast.AST], Any]:
    """Class of an expression node -> its handler, including those that only a newer Python has."""
    handlers: dict[type[ast.AST], Any] = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Constant: _constant,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.BinOp: _bin_op,
        ast.BoolOp: _bool_op,
        ast.UnaryOp: _unary_op,
        ast.Compare: _compare,
        ast.Dict: _dict,
        ast.Tuple: _tuple,
        ast.List: _list,
        ast.Set: _set,
        ast.ListComp: _list_comp,
        ast.SetComp: _set_comp,
        ast.DictComp: _dict_comp,
        ast.GeneratorExp: _generator_exp,
        ast.Lambda: _lambda,
        ast.IfExp: _if_exp,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yield_from,
        ast.NamedExpr: _named_expr,
        ast.JoinedStr: _joined_str,
        ast.FormattedValue: _formatted_value,
        ast.Starred: _starred,
    }
    for name, handler in (("TemplateStr", _joined_str), ("Interpolation", _formatted_value)):
        if hasattr(ast, name):
            handlers[getattr(ast, name)] = handler
    return handlers


HANDLERS.update(expression_handlers())
