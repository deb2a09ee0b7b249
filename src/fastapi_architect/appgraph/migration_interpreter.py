"""What a migration does: its `upgrade` and `downgrade`, interpreted without running them.

Loops over literals are unrolled, functions of the tree are followed, both branches of a condition are taken
(and said to be conditional). Each operation stands for itself, whether written with `op`, in a batch or as
SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from fastapi_architect.appgraph.migration_operations import Operation
from fastapi_architect.appgraph.operation_reader import BATCH_METHODS, METHODS, OperationReader, Surroundings
from fastapi_architect.appgraph.tables import TableReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.call_graph import callable_name
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.syntax import ir

_MAX_UNROLLED = 500
_MAX_OPERATIONS = 5_000
_MAX_DEPTH = 8


def interpret(program: Program, function: Function, direction: str) -> tuple[Operation, ...]:
    """The operations of one function, in the order in which they run."""
    return _Interpreter(program, direction).run(function)


class _Interpreter:
    def __init__(self, program: Program, direction: str) -> None:
        self.program = program
        self.direction = direction
        self.found: list[Operation] = []
        self.active: list[Function] = []

    def run(self, function: Function) -> tuple[Operation, ...]:
        self._function(function, Surroundings(function, {}, {}, {}, frozenset()))
        return tuple(self.found)

    def _function(self, function: Function, state: Surroundings) -> None:
        if function in self.active or state.depth > _MAX_DEPTH:
            return
        self.active.append(function)
        self._block(function.body, state)
        self.active.pop()

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def _block(self, body: list[ir.Stmt], state: Surroundings) -> None:
        for statement in body:
            if len(self.found) >= _MAX_OPERATIONS:
                return
            state = self._statement(statement, state)

    def _statement(self, node: ir.Stmt, state: Surroundings) -> Surroundings:
        if isinstance(node, ir.Assign):
            self._expression(node.value, state)
            return self._assigned(node.targets, node.value, state)
        if isinstance(node, ir.AnnAssign | ir.ExprStmt | ir.Return | ir.AugAssign):
            if node.value is not None:
                self._expression(node.value, state)
            if isinstance(node, ir.AnnAssign) and node.value is not None:
                return self._assigned([node.target], node.value, state)
        elif isinstance(node, ir.With):
            self._with(node, state)
        elif isinstance(node, ir.For):
            self._for(node.target, node.iter, lambda inner: self._block(node.body, inner), state)
        elif isinstance(node, ir.If):
            self._if(node, state)
        elif isinstance(node, ir.Try):
            self._try(node, state)
        elif isinstance(node, ir.While):
            self._block(node.body, replace(state, repeated=True))
        return state

    def _assigned(self, targets: list[ir.Expr], value: ir.Expr, state: Surroundings) -> Surroundings:
        for target in targets:
            if not isinstance(target, ir.Name):
                continue
            known = self.program.constants.value(value, state.scope, state.bound)
            rest = {name: value for name, value in state.bound.items() if name != target.id}
            state = replace(state, bound=rest if known is UNKNOWN else {**rest, target.id: known})
            if not isinstance(value, ir.Call):
                continue
            name = last_name(value.func)
            if name in ("table", "Table", "create_table") and value.args:
                table = self._string(argument(value, 0), state)
                if table is not None:
                    state = replace(state, tables={**state.tables, target.id: table})
            elif name in ("get_bind", "Session", "connect", "begin", "sessionmaker"):
                state = replace(state, connections=state.connections | {target.id})
        return state

    def _with(self, node: ir.With, state: Surroundings) -> None:
        for item in node.items:
            call = item.context
            if not isinstance(call, ir.Call):
                continue
            name = last_name(call.func)
            if name == "batch_alter_table":
                target = item.target.id if isinstance(item.target, ir.Name) else ""
                table = self._string(argument(call, 0, "table_name"), state)
                state = replace(state, batches={**state.batches, target: table})
            elif name == "autocommit_block":
                state = replace(state, in_autocommit=True)
            elif name in ("Session", "connect", "begin") and isinstance(item.target, ir.Name):
                state = replace(state, connections=state.connections | {item.target.id})
            else:
                self._expression(call, state)
        self._block(node.body, state)

    def _for(
        self, target: ir.Expr, iterable: ir.Expr, body: Callable[[Surroundings], None], state: Surroundings
    ) -> None:
        values = self.program.constants.value(iterable, state.scope, state.bound)
        if isinstance(values, dict):
            values = list(values)
        if (
            isinstance(iterable, ir.Call)
            and last_name(iterable.func) == "items"
            and isinstance(iterable.func, ir.Attribute)
        ):
            table = self.program.constants.value(iterable.func.value, state.scope, state.bound)
            values = list(table.items()) if isinstance(table, dict) else UNKNOWN
        if not isinstance(values, list | tuple) or len(values) > _MAX_UNROLLED:
            self._expression(iterable, state)
            body(replace(state, repeated=True))
            return
        for value in values:
            body(replace(state, bound={**state.bound, **_unpacked(target, value)}))

    def _if(self, node: ir.If, state: Surroundings) -> None:
        inner = replace(state, conditional=True)
        self._expression(node.test, state)
        self._block(node.body, inner)
        for branch in node.elifs:
            self._block(branch.body, inner)
        self._block(node.orelse, inner)

    def _try(self, node: ir.Try, state: Surroundings) -> None:
        self._block(node.body, state)
        for handler in node.handlers:
            self._block(handler.body, replace(state, conditional=True))
        self._block(node.orelse, state)
        self._block(node.finalbody, state)

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────────────

    def _expression(self, expr: ir.Expr, state: Surroundings) -> None:
        if isinstance(expr, ir.Await | ir.Starred | ir.NamedExpr):
            self._expression(expr.value, state)
        elif isinstance(expr, ir.Comprehension) and expr.generators:
            first = expr.generators[0]
            self._for(first.target, first.iter, lambda inner: self._expression(expr.elt, inner), state)
        elif isinstance(expr, ir.Sequence):
            for each in expr.elts:
                self._expression(each, state)
        elif isinstance(expr, ir.Compare):
            self._expression(expr.left, state)
        elif isinstance(expr, ir.UnaryOp):
            self._expression(expr.operand, state)
        elif isinstance(expr, ir.BoolOp):
            for each in expr.values:
                self._expression(each, replace(state, conditional=True))
        elif isinstance(expr, ir.Attribute):
            self._expression(expr.value, state)
        elif isinstance(expr, ir.Call):
            self._call(expr, state)

    def _call(self, call: ir.Call, state: Surroundings) -> None:
        operation = self._operation_name(call, state)
        if operation is not None:
            method, batch = operation
            reader = OperationReader(self.program, state, self.direction)
            self.found += reader.read(method, call, batch)
            return
        if isinstance(call.func, ir.Attribute):
            self._expression(call.func.value, state)
        for each in call.args:
            if isinstance(each, ir.Call):
                self._expression(each, state)
        for of in options(self.program.inference.type_of(call.func, state.scope)):
            if isinstance(of, FunctionRef):
                bound = self._arguments(call, of, state)
                inner = replace(state, scope=of.function, bound=bound, depth=state.depth + 1)
                self._function(of.function, inner)

    def _operation_name(self, call: ir.Call, state: Surroundings) -> tuple[str, str | None] | None:
        """The method of `op`, a batch or a connection, with the batch's variable; None for another call."""
        func = call.func
        if isinstance(func, ir.Attribute) and isinstance(func.value, ir.Name):
            if func.value.id in state.batches and func.attr in BATCH_METHODS:
                return func.attr, func.value.id
            if func.value.id in state.connections and func.attr in (
                "execute",
                "scalar",
                "exec_driver_sql",
                "scalars",
            ):
                return "execute", None
        if isinstance(func, ir.Attribute) and func.attr == "execute" and _is_call_of(func.value, "get_bind"):
            return "execute", None
        method = last_name(func)
        if method not in METHODS:
            return None
        for of in options(self.program.inference.type_of(func, state.scope)):
            if callable_name(of).startswith("alembic.op."):
                return method, None
        return (method, None) if dotted_name(func).startswith(("op.", "alembic.op.")) else None

    def _arguments(self, call: ir.Call, of: FunctionRef, state: Surroundings) -> dict[str, Any]:
        parameters = of.function.parameters[1 if of.function.is_method else 0 :]
        bound: dict[str, Any] = {}
        for position, param in enumerate(parameters):
            expr = argument(call, position, param.name) or param.default
            value = self.program.constants.value(expr, state.scope, state.bound)
            if value is not UNKNOWN:
                bound[param.name] = value
        return bound

    def _string(self, expr: ir.Expr | None, state: Surroundings) -> str | None:
        value = TableReader(self.program, state.bound).value(expr, state.scope)
        return value if isinstance(value, str) else None


def _is_call_of(expr: ir.Expr, name: str) -> bool:
    return isinstance(expr, ir.Call) and last_name(expr.func) == name


def _unpacked(target: ir.Expr, value: Any) -> dict[str, Any]:
    if isinstance(target, ir.Name):
        return {target.id: value}
    found: dict[str, Any] = {}
    if isinstance(target, ir.Sequence) and isinstance(value, list | tuple) and len(value) == len(target.elts):
        for inner, part in zip(target.elts, value, strict=True):
            found |= _unpacked(inner, part)
    return found
