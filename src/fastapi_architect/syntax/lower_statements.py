"""Lower statements of `ast` to the IR (`syntax.lowering` says why the handlers look as they do)."""

from __future__ import annotations

import ast
from typing import Any

from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.lower_expressions import (
    each,
    encodable,
    keywords_of,
    operator_of,
    optional,
    params_of,
    too_deep,
)
from fastapi_architect.syntax.lower_patterns import lower_pattern
from fastapi_architect.syntax.lowering import (
    COLUMN,
    END_LINE,
    HANDLERS,
    LINE,
    MAX_COLUMN,
    MAX_DEPTH,
    ONE_LINE,
    State,
    span_between,
    span_of,
)

_NAME_AFTER_KEYWORD = lazy_pattern(r"(?:async\s+)?(?:def|class)\s+(\w+)")


def block(nodes: list[ast.stmt], s: State, d: int) -> list[ir.Stmt]:
    """Lower the statements of a block at nesting `d`."""
    if d > MAX_DEPTH:
        return [ir.ExprStmt(span_of(node), too_deep(node, s)) for node in nodes]
    return each(nodes, s, d)


def split_docstring(body: list[Any]) -> tuple[str | None, list[Any]]:
    """A body's docstring, as written, and its other statements."""
    first = body[0] if body else None
    if first.__class__ is ast.Expr and first.value.__class__ is ast.Constant:
        text = first.value.value
        if text.__class__ is str:
            return encodable(text), body[1:]
    return None, body


def _expr(node: Any, s: State, d: int) -> ir.ExprStmt:
    n = node.__dict__
    value = n["value"]
    return ir.ExprStmt(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        HANDLERS[value.__class__](value, s, d),
    )


def _assign(node: Any, s: State, d: int) -> ir.Assign:
    n = node.__dict__
    value = n["value"]
    return ir.Assign(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        each(n["targets"], s, d),
        HANDLERS[value.__class__](value, s, d),
    )


def _ann_assign(node: Any, s: State, d: int) -> ir.AnnAssign:
    target = node.target
    annotation = node.annotation
    return ir.AnnAssign(
        span_of(node),
        HANDLERS[target.__class__](target, s, d),
        HANDLERS[annotation.__class__](annotation, s, d),
        optional(node.value, s, d),
    )


def _aug_assign(node: Any, s: State, d: int) -> ir.AugAssign:
    target = node.target
    value = node.value
    return ir.AugAssign(
        span_of(node),
        HANDLERS[target.__class__](target, s, d),
        operator_of(node.op),
        HANDLERS[value.__class__](value, s, d),
    )


def _type_alias(node: Any, s: State, d: int) -> ir.Assign:
    """`type X = ...`, as if assigned."""
    name = node.name
    _type_parameters(node.type_params, name.id, s, d)
    return ir.Assign(
        span_of(node), [HANDLERS[ast.Name](name, s, d)], HANDLERS[node.value.__class__](node.value, s, d)
    )


def _type_parameters(nodes: list[Any], owner: str, s: State, d: int) -> None:
    for node in nodes:
        s.see(node.name)
        s.type_parameters.append(
            ir.TypeParameter(
                span_of(node),
                node.name,
                node.__class__.__name__,
                owner,
                optional(getattr(node, "bound", None), s, d),
                optional(getattr(node, "default_value", None), s, d),
            )
        )


def _return(node: Any, s: State, d: int) -> ir.Return:
    n = node.__dict__
    value = n["value"]
    return ir.Return(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        None if value is None else HANDLERS[value.__class__](value, s, d),
    )


def _raise(node: Any, s: State, d: int) -> ir.Raise:
    return ir.Raise(span_of(node), optional(node.exc, s, d), optional(node.cause, s, d))


def _delete(node: Any, s: State, d: int) -> ir.Delete:
    return ir.Delete(span_of(node), each(node.targets, s, d))


def _assert(node: Any, s: State, d: int) -> ir.Assert:
    return ir.Assert(span_of(node), HANDLERS[node.test.__class__](node.test, s, d), optional(node.msg, s, d))


def _pass(node: Any, _s: State, _d: int) -> ir.Jump:
    return ir.Jump(span_of(node), "pass")


def _break(node: Any, _s: State, _d: int) -> ir.Jump:
    return ir.Jump(span_of(node), "break")


def _continue(node: Any, _s: State, _d: int) -> ir.Jump:
    return ir.Jump(span_of(node), "continue")


def _global(node: Any, s: State, _d: int) -> ir.Scoping:
    s.identifiers.update(node.names)
    return ir.Scoping(span_of(node), "global", node.names)


def _nonlocal(node: Any, s: State, _d: int) -> ir.Scoping:
    s.identifiers.update(node.names)
    return ir.Scoping(span_of(node), "nonlocal", node.names)


def _imported(nodes: list[ast.alias], s: State) -> list[ir.ImportedName]:
    names = []
    for node in nodes:
        name = node.name
        if "." in name:
            s.identifiers.update(name.split("."))
        else:
            s.see(name)
        if node.asname is not None:
            s.see(node.asname)
        names.append(ir.ImportedName(span_of(node), name, node.asname))
    return names


def _import(node: Any, s: State, _d: int) -> ir.Import:
    return ir.Import(span_of(node), _imported(node.names, s))


def _import_from(node: Any, s: State, _d: int) -> ir.ImportFrom:
    module = node.module or ""
    if module:
        s.identifiers.update(module.split("."))
    return ir.ImportFrom(span_of(node), module, _imported(node.names, s), node.level or 0)


def _if(node: Any, s: State, d: int) -> ir.If:
    n = node.__dict__
    test = HANDLERS[n["test"].__class__](n["test"], s, d)
    body = block(n["body"], s, d + 1)
    elifs: list[ir.Branch] = []
    orelse = n["orelse"]
    # `ast` nests an `elif` in `orelse`, at the column of its `if`; an `if` inside `else:` stands further
    # right.
    while len(orelse) == 1 and orelse[0].__class__ is ast.If and orelse[0].col_offset == n["col_offset"]:
        branch = orelse[0]
        elifs.append(
            ir.Branch(
                span_between(branch, branch.body[-1]),
                HANDLERS[branch.test.__class__](branch.test, s, d),
                block(branch.body, s, d + 2),
            )
        )
        orelse = branch.orelse
    return ir.If(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        test,
        body,
        elifs,
        block(orelse, s, d + 1) if orelse else [],
    )


def _for_of(node: Any, is_async: bool, s: State, d: int) -> ir.For:
    return ir.For(
        span_of(node),
        HANDLERS[node.target.__class__](node.target, s, d),
        HANDLERS[node.iter.__class__](node.iter, s, d),
        block(node.body, s, d + 1),
        block(node.orelse, s, d + 1) if node.orelse else [],
        is_async,
    )


def _for(node: Any, s: State, d: int) -> ir.For:
    return _for_of(node, False, s, d)


def _async_for(node: Any, s: State, d: int) -> ir.For:
    return _for_of(node, True, s, d)


def _while(node: Any, s: State, d: int) -> ir.While:
    return ir.While(
        span_of(node),
        HANDLERS[node.test.__class__](node.test, s, d),
        block(node.body, s, d + 1),
        block(node.orelse, s, d + 1) if node.orelse else [],
    )


def _with_of(node: Any, is_async: bool, s: State, d: int) -> ir.With:
    items = []
    for item in node.items:
        context = item.context_expr
        target = item.optional_vars
        items.append(
            ir.WithItem(
                span_between(context, context if target is None else target),
                HANDLERS[context.__class__](context, s, d),
                optional(target, s, d),
            )
        )
    return ir.With(span_of(node), items, block(node.body, s, d + 1), is_async)


def _with(node: Any, s: State, d: int) -> ir.With:
    return _with_of(node, False, s, d)


def _async_with(node: Any, s: State, d: int) -> ir.With:
    return _with_of(node, True, s, d)


def _try_of(node: Any, is_star: bool, s: State, d: int) -> ir.Try:
    body = block(node.body, s, d + 1)
    handlers = []
    for handler in node.handlers:
        if handler.name is not None:
            s.see(handler.name)
        handlers.append(
            ir.Handler(
                span_of(handler), optional(handler.type, s, d), handler.name, block(handler.body, s, d + 2)
            )
        )
    return ir.Try(
        span_of(node),
        body,
        handlers,
        block(node.orelse, s, d + 1) if node.orelse else [],
        block(node.finalbody, s, d + 1) if node.finalbody else [],
        is_star,
    )


def _try(node: Any, s: State, d: int) -> ir.Try:
    return _try_of(node, False, s, d)


def _try_star(node: Any, s: State, d: int) -> ir.Try:
    return _try_of(node, True, s, d)


def _match(node: Any, s: State, d: int) -> ir.Match:
    subject = HANDLERS[node.subject.__class__](node.subject, s, d)
    cases = []
    for case in node.cases:
        pattern = lower_pattern(case.pattern, s, d)
        cases.append(
            ir.Case(
                span_between(case.pattern, case.body[-1]),
                pattern.values,
                pattern.classes,
                pattern.captures,
                pattern.wildcard,
                optional(case.guard, s, d),
                block(case.body, s, d + 2),
            )
        )
    return ir.Match(span_of(node), subject, cases)


def _name_span(node: Any, keyword: str, s: State) -> int:
    """Span of the name behind `keyword`, which `ast` does not give; of the keyword if it is not found."""
    n = node.__dict__
    name: str = n["name"]
    line: int = n["lineno"]
    column: int = n["col_offset"]
    # Only white space stands before `def`, so that columns in bytes are columns in characters here.
    text = s.lines[line - 1] if line <= len(s.lines) else ""
    start = column + len(keyword)
    if not text.startswith(keyword + name, column):
        written = _NAME_AFTER_KEYWORD.match(text, column)
        start = column if written is None else written.start(1)
        name = keyword.rstrip() if written is None else written[1]
    end = start + (len(name) if name.isascii() else len(name.encode()))
    if end > MAX_COLUMN:
        start = end = column
    return ONE_LINE[line] + COLUMN[start] + end


def _function(node: Any, s: State, d: int) -> ir.FunctionDef:
    return _function_of(node, False, s, d)


def _async_function(node: Any, s: State, d: int) -> ir.FunctionDef:
    return _function_of(node, True, s, d)


def _function_of(node: Any, is_async: bool, s: State, d: int) -> ir.FunctionDef:
    n = node.__dict__
    name = n["name"]
    s.see(name)
    decorators = each(n["decorator_list"], s, d) if n["decorator_list"] else []
    if n.get("type_params"):
        _type_parameters(n["type_params"], name, s, d)
    params = params_of(n["args"], s, d)
    returns = n["returns"]
    if returns is not None:
        returns = HANDLERS[returns.__class__](returns, s, d)
    docstring, statements = split_docstring(n["body"])
    start = len(s.called)
    yields = s.yields
    s.yields = s.inner = False
    s.functions += 1
    body = ir.Body(block(statements, s, d + 1))
    s.functions -= 1
    is_generator = s.yields
    has_inner = s.inner
    s.yields = yields
    s.inner = True
    called = sorted(set(s.called[start:]))
    if not s.functions:
        # Not the module's: its `called` leaves functions out. A function's holds those of its inner ones.
        del s.called[start:]
    return ir.FunctionDef(
        LINE[n["lineno"]] + COLUMN[n["col_offset"]] + END_LINE[n["end_lineno"]] + n["end_col_offset"],
        name,
        params,
        returns,
        decorators,
        is_async,
        is_generator,
        docstring,
        called,
        has_inner,
        body,
        _name_span(node, "async def " if is_async else "def ", s),
    )


def _class(node: Any, s: State, d: int) -> ir.ClassDef:
    name = node.name
    s.see(name)
    decorators = each(node.decorator_list, s, d)
    if getattr(node, "type_params", None):
        _type_parameters(node.type_params, name, s, d)
    bases = each(node.bases, s, d)
    keywords = keywords_of(node.keywords, s, d)
    docstring, statements = split_docstring(node.body)
    body = block(statements, s, d + 1)
    s.inner = True
    return ir.ClassDef(
        span_of(node), name, bases, keywords, decorators, body, docstring, _name_span(node, "class ", s)
    )


def statement_handlers() -> dict[type[ast.AST], Any]:
    """Class of a statement node -> its handler, including those that only a newer Python has."""
    handlers: dict[type[ast.AST], Any] = {
        ast.Expr: _expr,
        ast.Assign: _assign,
        ast.AnnAssign: _ann_assign,
        ast.AugAssign: _aug_assign,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Delete: _delete,
        ast.Assert: _assert,
        ast.Pass: _pass,
        ast.Break: _break,
        ast.Continue: _continue,
        ast.Global: _global,
        ast.Nonlocal: _nonlocal,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.If: _if,
        ast.For: _for,
        ast.AsyncFor: _async_for,
        ast.While: _while,
        ast.With: _with,
        ast.AsyncWith: _async_with,
        ast.Try: _try,
        ast.TryStar: _try_star,
        ast.Match: _match,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _async_function,
        ast.ClassDef: _class,
    }
    if hasattr(ast, "TypeAlias"):
        handlers[ast.TypeAlias] = _type_alias
    return handlers


HANDLERS.update(statement_handlers())
