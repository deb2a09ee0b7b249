"""Which rows take their columns from a mapping that the client fills in: `Model(**data)`, `setattr` in a loop, `values(**data)`?

Followed backwards from the place that fills the row: through variables, dumps and generic helpers to the handler's parameter,
whose schema says which keys there may be.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.digests import models_of_type
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.mapping_keys import (
    assigned_after,
    attributes_assigned,
    is_filtered,
    keys_of,
    leaves_none_out,
    root_call,
    texts_of,
)
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import Schema
from fastapi_architect.concepts.database import BulkWrite, QueryStep
from fastapi_architect.concepts.serialization import ModelDump, ModelLoad, ModelUpdate
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_DEPTH = 5
_MAX_CALLERS = 40
_MAX_STEPS = 40
_COPIES = frozenset({"dict", "jsonable_encoder", "deepcopy", "copy", "vars"})
_PARSED = frozenset({"json", "form"})
_MAPPINGS = ("builtins.dict", "collections.abc.Mapping", "collections.abc.MutableMapping", "typing.Any")
_READ = frozenset({"body", "form", "query"})


class Taken(msgspec.Struct, frozen=True):
    """What of an object is taken.

    Attributes:
        dump: the call that made a mapping of it, None while it is the object itself.
        unset: fields that the client left out are left out.
        none: fields that are None are left out.
        left_out: keys that are taken out, or written over.
        only: the keys that are taken; None for all.
        picked: they are read one by one.
    """

    dump: Site | None = None
    unset: bool = False
    none: bool = False
    left_out: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    picked: bool = False

    def allows(self, name: str) -> bool:
        """A key of that name gets through."""
        return name not in self.left_out and (self.only is None or name in self.only)


class Fill(msgspec.Struct, frozen=True, eq=False):
    """Columns of a row take what a client sends.

    Attributes:
        model: the mapped class.
        kind: create or update.
        schema: of what the client sends; None when any key may be sent.
        taken: what of it is taken.
        sites: from the handler's call to the place that fills the row, which is last.
        operation: the operation; parameter: its input.
    """

    model: Model
    kind: str
    schema: Schema | None
    taken: Taken
    sites: tuple[Site, ...]
    operation: PathOperation
    parameter: Parameter

    @property
    def site(self) -> Site:
        """The place that fills the row."""
        return self.sites[-1]


class _Open(msgspec.Struct, frozen=True, eq=False):
    """A place that fills a row, on the way back to the client.

    Attributes:
        model: the mapped class, None while a parameter holds the row or the class.
        holder: that parameter, "" when it is the type of the call that tells.
        data: the mapping or object, in `function`.
    """

    model: Model | None
    holder: str
    kind: str
    data: ir.Expr
    function: Function
    taken: Taken
    sites: tuple[Site, ...]


@question
def row_fills(graph: AppGraph) -> tuple[Fill, ...]:
    """Every row that a client's keys fill, in order of places."""
    reader = _Reader(graph)
    found: dict[tuple[int, int, str], Fill] = {}
    for place in reader.places():
        for fill in reader.followed(place, 0):
            found.setdefault((id(fill.site.node), id(fill.operation), fill.parameter.name), fill)
    return tuple(found.values())


@question
def dumped_columns(graph: AppGraph) -> tuple[Fill, ...]:
    """Columns that are assigned one by one from a dump: `row.name = values["name"]`."""
    reader = _Reader(graph)
    return tuple(fill for place in reader.picked() for fill in reader.followed(place, 0))


class _Reader:
    """Follows fills of one graph."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._inference = graph.program.inference
        self._handlers = {id(o.handler): o for o in graph.operations if o.handler is not None}

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────────

    def places(self) -> Iterator[_Open]:
        """Where rows are filled."""
        yield from self._constructed()
        yield from self._set_in_loops()
        yield from self._statements()
        for update in self._graph.facts(ModelUpdate):
            if update.in_place and update.data is not None:
                yield from self._of_row(update.model, update.data, update.site)
        for load in self._graph.facts(ModelLoad):
            if load.data is not None and load.function is not None and load.function.module.kind == "source":
                for model in models_of(load.model, load.function, self._graph, cls=True):
                    over = argument(load.node, None, "update")
                    taken = Taken(
                        left_out=frozenset(keys_of(over)) | assigned_after(load.site, load.function)
                    )
                    yield _Open(model, "", "create", load.data, load.function, taken, (load.site,))

    def _constructed(self) -> Iterator[_Open]:
        """`Model(**data)`, and `self.model(**data)` of a generic repository."""
        names = dict.fromkeys(
            [*(model.name for model in self._graph.models), "model", "_model", "model_class", "model_cls"]
        )
        for name in names:
            for site in self._graph.program.call_sites_named(name):
                spread = [k.value for k in site.node.keywords if k.arg is None]
                if not spread or not isinstance(site.scope, Function) or site.scope.module.kind != "source":
                    continue
                models = models_of(site.node.func, site.scope, self._graph, cls=True)
                if name[:1].isupper() and not models:
                    continue
                written = frozenset(k.arg for k in site.node.keywords if k.arg is not None)
                written |= assigned_after(site, site.scope)
                taken = Taken(left_out=written)
                for data in spread:
                    holder = site.node.func.id if isinstance(site.node.func, ir.Name) and not models else ""
                    model = models[0] if len(models) == 1 else None
                    yield _Open(model, holder, "create", data, site.scope, taken, (site,))

    def _set_in_loops(self) -> Iterator[_Open]:
        """`for name, value in data.items(): setattr(row, name, value)`."""
        for site in self._graph.program.call_sites_named("setattr"):
            loop = site.context.inside("loop")
            if loop is None or not isinstance(loop.node, ir.For) or len(site.node.args) < 2:
                continue
            named = {each.id for each in walk(loop.node.target) if isinstance(each, ir.Name)}
            key = site.node.args[1]
            if isinstance(key, ir.Name) and key.id in named and not is_filtered(site, key.id):
                for place in self._of_row(site.node.args[0], loop.node.iter, site):
                    yield replace(place, taken=replace(place.taken, none=leaves_none_out(site)))

    def _of_row(self, row: ir.Expr | None, data: ir.Expr, site: Site) -> Iterator[_Open]:
        function = site.scope
        if row is None or not isinstance(function, Function) or function.module.kind != "source":
            return
        holder = row.id if isinstance(row, ir.Name) and function.parameter(row.id) is not None else ""
        models = models_of(row, function, self._graph)
        left_out = (
            frozenset(attributes_assigned(function, row.id)) if isinstance(row, ir.Name) else frozenset[str]()
        )
        if len(models) == 1 or holder or not models:
            model = models[0] if len(models) == 1 else None
            yield _Open(model, holder, "update", data, function, Taken(left_out=left_out), (site,))

    def _statements(self) -> Iterator[_Open]:
        """`update(Model).values(**data)` and `query.update(data)`."""
        for step in self._graph.facts(QueryStep):
            function = step.function
            if step.kind != "values" or function is None or function.module.kind != "source":
                continue
            spread = [k.value for k in step.keywords if k.arg is None] + list(step.args[:1])
            root = root_call(step.statement)
            if not spread or root is None or not root.args:
                continue
            kind = "update" if last_name(root.func) == "update" else "create"
            written = frozenset(k.arg for k in step.keywords if k.arg is not None)
            for model in models_of(root.args[0], function, self._graph, cls=True):
                yield _Open(model, "", kind, spread[0], function, Taken(left_out=written), (step.site,))
        for bulk in self._graph.facts(BulkWrite):
            function = bulk.function
            if bulk.kind == "query_update" and bulk.data is not None and function is not None:
                for model in models_of(bulk.session, function, self._graph):
                    yield _Open(model, "", "update", bulk.data, function, Taken(), (bulk.site,))

    def picked(self) -> Iterator[_Open]:
        """`values = data.model_dump()`, then `row.name = values["name"]`."""
        for dump in self._graph.facts(ModelDump):
            function, statement = dump.function, dump.site.statement
            if function is None or dump.kind != "dict" or not isinstance(statement, ir.Assign):
                continue
            target = statement.targets[0]
            if (
                not isinstance(target, ir.Name)
                or statement.value is not dump.node
                or function.module.kind != "source"
            ):
                continue
            found: dict[int, tuple[Model, Site, set[str]]] = {}
            for site in function.facts.sites(ir.Assign):
                value, row = site.node.value, site.node.targets[0]
                if not isinstance(value, ir.Subscript) or not isinstance(row, ir.Attribute):
                    continue
                if isinstance(value.value, ir.Name) and value.value.id == target.id:
                    for model in models_of(row.value, function, self._graph):
                        found.setdefault(id(model), (model, site, set()))[2].add(row.attr)
            for model, site, names in found.values():
                taken = Taken(only=frozenset(names), picked=True)
                yield _Open(model, "", "update", dump.node, function, taken, (site,))

    # ── back to the client ───────────────────────────────────────────────────────────────────────────────────

    def followed(self, place: _Open, depth: int) -> Iterator[Fill]:
        """Fills whose data is an operation's input."""
        for root, taken in self._sources(place.data, place.function, place.taken, 0):
            if isinstance(root, ir.Call):
                yield from self._parsed(place, taken)
                continue
            name = _parameter_of(root, place.function)
            if not name:
                continue
            if isinstance(root, ir.Name):  # `payload.user_id = user.id`
                written = frozenset(attributes_assigned(place.function, name))
                taken = replace(taken, left_out=taken.left_out | written)
            operation = self._handlers.get(id(place.function))
            parameter = next((p for p in operation.parameters if p.name == name), None) if operation else None
            if operation is not None and parameter is not None:
                yield from self._filled(place, operation, parameter, root, taken)
            elif depth < _MAX_DEPTH:
                yield from self._from_callers(place, name, root, taken, depth)

    def _filled(
        self, place: _Open, operation: PathOperation, parameter: Parameter, root: ir.Expr, taken: Taken
    ) -> Iterator[Fill]:
        if place.model is None or parameter.kind not in _READ or not self._is_stored(place, operation):
            return
        of = (
            self._inference.type_of(root, place.function) if not isinstance(root, ir.Name) else parameter.type
        )
        for option in options(of):
            if isinstance(option, Instance) and isinstance(option.cls, Class):
                schema = schema_of(option.cls, self._graph)
                if schema is not None:
                    yield Fill(place.model, place.kind, schema, taken, place.sites, operation, parameter)
                    return
            elif getattr(option, "name", "") in _MAPPINGS:
                yield Fill(place.model, place.kind, None, taken, place.sites, operation, parameter)
                return

    def _is_stored(self, place: _Open, operation: PathOperation) -> bool:
        """Something the handler runs writes rows: a row that is only made may serve to check a body."""
        return place.kind == "update" or bool(effects(self._graph).of_handler(operation).writes)

    def _parsed(self, place: _Open, taken: Taken) -> Iterator[Fill]:
        """`data = await request.json()` in the handler itself."""
        operation = self._handlers.get(id(place.function))
        parameter = (
            next((p for p in operation.parameters if p.kind == "request"), None) if operation else None
        )
        if operation is None or parameter is None or place.model is None:
            return
        if self._is_stored(place, operation):
            yield Fill(place.model, place.kind, None, taken, place.sites, operation, parameter)

    def _from_callers(
        self, place: _Open, name: str, root: ir.Expr, taken: Taken, depth: int
    ) -> Iterator[Fill]:
        for site in self._graph.program.calls.callers(place.function)[:_MAX_CALLERS]:
            caller = site.scope
            given = self._argument(site, place.function, name)
            if not isinstance(caller, Function) or given is None or caller.module.kind != "source":
                continue
            if isinstance(root, ir.Attribute):  # `payload.data`: only what is named is handed on
                given = ir.Attribute(root.span, given, root.attr)
                self._graph.program.keep(given)
            model, holder = place.model, place.holder
            if model is None:
                model, holder = self._model_at(site, caller, place)
            yield from self.followed(
                replace(
                    place,
                    model=model,
                    holder=holder,
                    data=given,
                    function=caller,
                    taken=taken,
                    sites=(site, *place.sites),
                ),
                depth + 1,
            )

    def _argument(self, site: Site, target: Function, name: str) -> ir.Expr | None:
        names = [p.name for p in target.parameters if p.kind in ("posonly", "normal")]
        names = names[1 if target.is_method else 0 :]
        return argument(site.node, names.index(name) if name in names else None, name)

    def _model_at(self, site: Site, caller: Function, place: _Open) -> tuple[Model | None, str]:
        """The model that a call of a generic helper is about: of the row it hands in, or of what it gets back."""
        if place.holder:
            given = self._argument(site, place.function, place.holder)
            if given is not None:
                models = models_of(given, caller, self._graph) or models_of(
                    given, caller, self._graph, cls=True
                )
                if len(models) == 1:
                    return models[0], ""
                if isinstance(given, ir.Name) and caller.parameter(given.id) is not None:
                    return None, given.id
        of = self._inference.type_of(site.node, caller)
        found = models_of_type(self._inference.awaited(of) or of, self._graph)
        return (found[0], "") if len(found) == 1 else (None, "")

    # ── one body ─────────────────────────────────────────────────────────────────────────────────────────────

    def _sources(
        self, expr: ir.Expr | None, function: Function, taken: Taken, steps: int
    ) -> Iterator[tuple[ir.Expr, Taken]]:
        """The object or parameter that a mapping is made of; a call for a request that is parsed."""
        if expr is None or steps > _MAX_STEPS:
            return
        if isinstance(expr, ir.Await | ir.Starred):
            yield from self._sources(expr.value, function, taken, steps + 1)
        elif isinstance(expr, ir.Call):
            yield from self._of_call(expr, function, taken, steps)
        elif isinstance(expr, ir.Name):
            yield from self._of_name(expr, function, taken, steps)
        elif isinstance(expr, ir.Attribute):
            if expr.attr == "__dict__":
                yield from self._sources(expr.value, function, taken, steps + 1)
            else:
                yield expr, taken
        elif isinstance(expr, ir.Dict):
            written = replace(taken, left_out=taken.left_out | frozenset(keys_of(expr)))
            for key, value in zip(expr.keys, expr.values, strict=True):
                if key is None:
                    yield from self._sources(value, function, written, steps + 1)
        elif isinstance(expr, ir.IfExp):
            for branch in (expr.body, expr.orelse):
                yield from self._sources(branch, function, taken, steps + 1)
        elif isinstance(expr, ir.BoolOp):
            for each in expr.values:
                yield from self._sources(each, function, taken, steps + 1)
        elif isinstance(expr, ir.BinOp) and expr.op == "|":
            yield from self._sources(
                expr.left,
                function,
                replace(taken, left_out=taken.left_out | frozenset(keys_of(expr.right))),
                steps + 1,
            )
        elif isinstance(expr, ir.Comprehension) and expr.kind == "dict":
            tests = [test for generator in expr.generators for test in generator.ifs]
            if all(isinstance(test, ir.Compare) and test.ops == ["is not"] for test in tests):
                inner = replace(taken, none=taken.none or bool(tests))
                yield from self._sources(expr.generators[0].iter, function, inner, steps + 1)

    def _of_call(
        self, call: ir.Call, function: Function, taken: Taken, steps: int
    ) -> Iterator[tuple[ir.Expr, Taken]]:
        dump = next((d for d in self._graph.within(ModelDump, function) if d.node is call), None)
        name = last_name(call.func)
        if dump is not None and dump.kind == "dict" and dump.model is not None:
            yield from self._sources(dump.model, function, self._dumped(dump, taken), steps + 1)
        elif name in _COPIES and call.args:
            yield from self._sources(call.args[0], function, taken, steps + 1)
        elif isinstance(call.func, ir.Attribute):
            if name in ("items", "keys", "copy"):
                yield from self._sources(call.func.value, function, taken, steps + 1)
            elif name in _PARSED and not call.args and last_name(call.func.value) in ("request", "req"):
                yield call, taken

    def _of_name(
        self, expr: ir.Name, function: Function, taken: Taken, steps: int
    ) -> Iterator[tuple[ir.Expr, Taken]]:
        taken = replace(taken, left_out=taken.left_out | frozenset(self._taken_out(function, expr.id)))
        for binding in function.facts.bindings.get(expr.id, ()):
            if binding.kind == "parameter":
                yield expr, taken
            elif binding.kind in ("assign", "annotated", "walrus") and not binding.path:
                value = binding.value
                if isinstance(value, ir.Name) and value.id == expr.id:
                    continue
                yield from self._sources(value, function, taken, steps + 5)

    def _dumped(self, dump: ModelDump, taken: Taken) -> Taken:
        constants = self._graph.program.constants
        scope = dump.scope
        given = {k.arg: k.value for k in dump.keywords if k.arg is not None}
        unset = any(
            name in given and constants.value(given[name], scope) is not False
            for name in ("exclude_unset", "exclude_defaults")
        )
        none = "exclude_none" in given and constants.value(given["exclude_none"], scope) is not False
        only = frozenset(texts_of(given["include"])) if "include" in given else taken.only
        left_out = taken.left_out | frozenset(texts_of(given.get("exclude")))
        open_ended = any(k.arg is None for k in dump.keywords)
        return Taken(dump.site, unset or open_ended, none or taken.none, left_out, only, taken.picked)

    def _taken_out(self, function: Function, name: str) -> Iterator[str]:
        """`data.pop("role")`, `del data["role"]`, `data["owner_id"] = user.id`, in a loop over constants, too."""
        for site in function.facts.calls_named("pop", "update"):
            func = site.node.func
            if (
                not isinstance(func, ir.Attribute)
                or not isinstance(func.value, ir.Name)
                or func.value.id != name
            ):
                continue
            if func.attr == "pop":
                yield from self._constants(site.node.args[:1], function)
            else:
                yield from (k.arg for k in site.node.keywords if k.arg is not None)
                yield from (key for given in site.node.args for key in keys_of(given))
        for kind in (ir.Assign, ir.Delete):
            for site in function.facts.sites(kind):
                for target in site.node.targets:
                    if (
                        isinstance(target, ir.Subscript)
                        and isinstance(target.value, ir.Name)
                        and target.value.id == name
                    ):
                        yield from self._constants([target.slice], function)

    def _constants(self, exprs: list[ir.Expr], function: Function) -> Iterator[str]:
        """Texts that expressions may be; of the list that a loop walks over, where it is known."""
        for expr in exprs:
            yield from texts_of(expr)
            for binding in function.facts.bindings.get(expr.id, ()) if isinstance(expr, ir.Name) else ():
                if binding.kind == "loop" and binding.value is not None:
                    value = self._graph.program.constants.value(binding.value, function)
                    if isinstance(value, list | tuple | set | frozenset):
                        yield from (each for each in value if isinstance(each, str))


def _parameter_of(root: ir.Expr, function: Function) -> str:
    """The parameter that an expression begins with; "" when it is made in the body."""
    while isinstance(root, ir.Attribute):
        root = root.value
    return root.id if isinstance(root, ir.Name) and function.parameter(root.id) is not None else ""
