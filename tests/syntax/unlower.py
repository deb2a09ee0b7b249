"""The IR back to `ast`, to compare the two; `comparable` lists what lowering loses on purpose."""

from __future__ import annotations

import ast
from typing import Any

from fastapi_architect.syntax import ir, span

_BINARY = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "**": ast.Pow,
    "@": ast.MatMult, "<<": ast.LShift, ">>": ast.RShift, "|": ast.BitOr, "^": ast.BitXor, "&": ast.BitAnd,
}  # fmt: skip
_UNARY = {"not": ast.Not, "-": ast.USub, "+": ast.UAdd, "~": ast.Invert}
_COMPARED = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "is": ast.Is,
    "is not": ast.IsNot, "in": ast.In, "not in": ast.NotIn,
}  # fmt: skip
_JUMPS = {"pass": ast.Pass, "break": ast.Break, "continue": ast.Continue}
_DISPLAYS = {"list": ast.List, "tuple": ast.Tuple, "set": ast.Set}


def unlower_module(module: ir.ParsedModule) -> ast.Module:
    return ast.Module(_body(module.docstring, module.body), [])


def comparable(tree: ast.Module) -> str:
    """The tree as text, without what the IR does not keep: contexts, patterns, places of docstrings."""
    for node in ast.walk(tree):
        if hasattr(node, "ctx"):
            node.ctx = ast.Load()
        if isinstance(node, ast.Constant):
            node.kind = None
            if isinstance(node.value, complex):
                node.value = repr(node.value)
        if "type_params" in node._fields:
            node.type_params = []
        if isinstance(node, ast.AnnAssign):
            node.simple = 0
        if isinstance(node, ast.match_case):
            node.pattern = ast.MatchAs()
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.body:
            docstring = ast.get_docstring(node, clean=False)
            if docstring is not None:
                node.body[0] = ast.Expr(ast.Constant(docstring))
    return ast.dump(tree, include_attributes=True)


def _body(docstring: str | None, statements: list[Any]) -> list[Any]:
    start = [] if docstring is None else [ast.Expr(ast.Constant(docstring))]
    return start + _each(statements)


def _each(nodes: list[Any]) -> list[Any]:
    return [_un(node) for node in nodes]


def _un(node: Any) -> Any:
    if node is None:
        return None
    made = globals()[f"_un_{type(node).__name__.strip('_').lower()}"](node)
    at = node.span
    made.lineno, made.col_offset = span.line_of(at), span.column_of(at)
    made.end_lineno, made.end_col_offset = span.end_line_of(at), span.end_column_of(at)
    return made


def _un_name(n):
    return ast.Name(n.id, ast.Load())


def _un_attribute(n):
    return ast.Attribute(_un(n.value), n.attr, ast.Load())


def _un_keyword(n):
    return ast.keyword(n.arg, _un(n.value))


def _un_call(n):
    return ast.Call(_un(n.func), _each(n.args), _each(n.keywords))


def _un_subscript(n):
    return ast.Subscript(_un(n.value), _un(n.slice), ast.Load())


def _un_slice(n):
    return ast.Slice(_un(n.lower), _un(n.upper), _un(n.step))


def _un_binop(n):
    return ast.BinOp(_un(n.left), _BINARY[n.op](), _un(n.right))


def _un_boolop(n):
    return ast.BoolOp(ast.And() if n.op == "and" else ast.Or(), _each(n.values))


def _un_unaryop(n):
    return ast.UnaryOp(_UNARY[n.op](), _un(n.operand))


def _un_compare(n):
    return ast.Compare(_un(n.left), [_COMPARED[op]() for op in n.ops], _each(n.comparators))


def _un_dict(n):
    return ast.Dict(_each(n.keys), _each(n.values))


def _un_ifexp(n):
    return ast.IfExp(_un(n.test), _un(n.body), _un(n.orelse))


def _un_await(n):
    return ast.Await(_un(n.value))


def _un_yield(n):
    return ast.YieldFrom(_un(n.value)) if n.is_from else ast.Yield(_un(n.value))


def _un_namedexpr(n):
    return ast.NamedExpr(_un(n.target), _un(n.value))


def _un_joinedstr(n):
    return ast.JoinedStr(_each(n.values))


def _un_starred(n):
    return ast.Starred(_un(n.value), ast.Load())


def _un_lambda(n):
    return ast.Lambda(_arguments(n.params), _un(n.body))


def _un_exprstmt(n):
    return ast.Expr(_un(n.value))


def _un_assign(n):
    return ast.Assign(_each(n.targets), _un(n.value))


def _un_augassign(n):
    return ast.AugAssign(_un(n.target), _BINARY[n.op](), _un(n.value))


def _un_return(n):
    return ast.Return(_un(n.value))


def _un_raise(n):
    return ast.Raise(_un(n.exc), _un(n.cause))


def _un_delete(n):
    return ast.Delete(_each(n.targets))


def _un_assert(n):
    return ast.Assert(_un(n.test), _un(n.msg))


def _un_jump(n):
    return _JUMPS[n.kind]()


def _un_scoping(n):
    return (ast.Global if n.kind == "global" else ast.Nonlocal)(n.names)


def _un_importedname(n):
    return ast.alias(n.name, n.asname)


def _un_import(n):
    return ast.Import(_each(n.names))


def _un_importfrom(n):
    return ast.ImportFrom(n.module or None, _each(n.names), n.level)


def _un_while(n):
    return ast.While(_un(n.test), _each(n.body), _each(n.orelse))


def _un_handler(n):
    return ast.ExceptHandler(_un(n.type), n.name, _each(n.body))


def _un_constant(n):
    convert = {
        "bytes": lambda text: text.encode("latin-1"),
        "int": int,
        "complex": complex,
        "ellipsis": lambda _: ...,
    }.get(n.kind, lambda value: value)
    return ast.Constant(convert(n.value))


def _un_formattedvalue(n):
    return ast.FormattedValue(_un(n.value), ord(n.conversion) if n.conversion else -1, _un(n.format_spec))


def _un_sequence(n):
    return _DISPLAYS[n.kind](_each(n.elts), *([] if n.kind == "set" else [ast.Load()]))


def _un_comprehension(n):
    generators = [
        ast.comprehension(_un(g.target), _un(g.iter), _each(g.ifs), int(g.is_async)) for g in n.generators
    ]
    if n.kind == "dict":
        return ast.DictComp(_un(n.elt), _un(n.value), generators)
    made = {"list": ast.ListComp, "set": ast.SetComp, "generator": ast.GeneratorExp}[n.kind]
    return made(_un(n.elt), generators)


def _un_annassign(n):
    return ast.AnnAssign(_un(n.target), _un(n.annotation), _un(n.value), 0)


def _un_if(n):
    orelse = _each(n.orelse)
    end_line, end_column = span.end_line_of(n.span), span.end_column_of(n.span)
    for branch in reversed(n.elifs):
        nested = ast.If(_un(branch.test), _each(branch.body), orelse)
        nested.lineno, nested.col_offset = span.line_of(branch.span), span.column_of(branch.span)
        # In `ast` every `elif` runs to the end of the ladder.
        nested.end_lineno, nested.end_col_offset = end_line, end_column
        orelse = [nested]
    return ast.If(_un(n.test), _each(n.body), orelse)


def _un_for(n):
    made = ast.AsyncFor if n.is_async else ast.For
    return made(_un(n.target), _un(n.iter), _each(n.body), _each(n.orelse))


def _un_with(n):
    items = [ast.withitem(_un(item.context), _un(item.target)) for item in n.items]
    return (ast.AsyncWith if n.is_async else ast.With)(items, _each(n.body))


def _un_try(n):
    made = ast.TryStar if n.is_star else ast.Try
    return made(_each(n.body), _each(n.handlers), _each(n.orelse), _each(n.finalbody))


def _un_match(n):
    cases = [ast.match_case(ast.MatchAs(), _un(case.guard), _each(case.body)) for case in n.cases]
    return ast.Match(_un(n.subject), cases)


def _arguments(params):
    def of(kind):
        return [_argument(p) for p in params if p.kind == kind]

    return ast.arguments(
        posonlyargs=of("posonly"),
        args=of("normal"),
        vararg=next(iter(of("vararg")), None),
        kwonlyargs=of("kwonly"),
        kw_defaults=[_un(p.default) for p in params if p.kind == "kwonly"],
        kwarg=next(iter(of("kwarg")), None),
        defaults=[_un(p.default) for p in params if p.kind in {"posonly", "normal"} and p.default],
    )


def _argument(param):
    return _un(_Argument(param.span, param.name, param.annotation))


class _Argument(ir.Node, frozen=True):
    name: str
    annotation: Any


def _un_argument(n):
    return ast.arg(n.name, _un(n.annotation))


def _un_functiondef(n):
    made = ast.AsyncFunctionDef if n.is_async else ast.FunctionDef
    body = _body(n.docstring, n.body.statements)
    return made(n.name, _arguments(n.params), body, _each(n.decorators), _un(n.returns))


def _un_classdef(n):
    return ast.ClassDef(
        n.name, _each(n.bases), _each(n.keywords), _body(n.docstring, n.body), _each(n.decorators)
    )
