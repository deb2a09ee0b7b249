"""What a call does to taint: functions of the program by their summaries, everything else by what is known of it.

A call of an unknown function mixes its arguments into its result. A function of the program that is handed on together
with its arguments (`to_thread(run, query)`, `partial(run, query)`) is treated as called there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.guards_hosts import RESOLVING_HOSTS
from fastapi_architect.dataflow.path import Trace
from fastapi_architect.dataflow.summary import Summary
from fastapi_architect.dataflow.taint import (
    CLEAN,
    ELEMENT,
    KEYS,
    Label,
    Mark,
    Taint,
    assigned,
    at_position,
    collapsed,
    element_of,
    is_inner,
    is_position,
    keys_of,
    limited,
    masked,
    merge,
    normal,
    project,
    remasked,
    union,
    whole,
)
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, External, FunctionRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.transfer import State, Transfer

#: Methods that put their arguments into the object.
_ADDING = frozenset(
    {"append", "appendleft", "add", "extend", "extendleft", "insert", "update", "setdefault", "writelines"}
)
#: Those that take one element, as their last argument.
_ADDING_ONE = frozenset({"append", "appendleft", "add", "insert"})
#: Unknown functions with these in their names make an address, and quote what they are given.
_ADDRESS_WORDS = ("url", "uri", "authoriz", "query_param")
_ADDRESS_PARSERS = frozenset(
    {"url", "urlparse", "urlsplit", "urljoin", "urlunparse", "urlunsplit", "httpurl", "anyurl"}
)
#: They put an address together from its parts: scheme, host, path ...
_ADDRESS_MAKERS = frozenset({"urlunparse", "urlunsplit"})
#: Objects of libraries that lead to an identity provider: all that they are given by name stands behind its host.
_LEADS_TO_PROVIDER = lazy_pattern(
    r"Authoriz\w*(Ur[li]|URL|Generator|Client)|OAuth|OpenI[Dd]|OIDC|SAML|SSO$|Flow$|ClientApplication$"
)
#: Methods of addresses whose arguments become parts of the query, and arguments of that name.
_QUERY_METHODS = frozenset(
    {
        "include_query_params",
        "replace_query_params",
        "copy_add_param",
        "copy_set_param",
        "copy_merge_params",
        "with_query",
        "update_query",
        "extend_query",
    }
)
#: Methods of addresses that give the address again, with something changed.
_SAME_ADDRESS = _QUERY_METHODS | {"copy_with", "with_path", "with_fragment", "with_scheme", "human_repr"}
_QUERY_KEYWORDS = frozenset({"params", "query_params", "query"})
#: Libraries whose objects are what they were made of: texts, paths, addresses, rows, files.
_OF_ADDRESSES = (
    "builtins.", "collections.", "pathlib.", "urllib.", "io.", "string.", "json.", "re.", "email.", "html.", "xml.",
    "httpx.", "yarl.", "furl.", "starlette.", "fastapi.", "pydantic", "anyio.", "sqlalchemy.", "sqlmodel.",
    "markupsafe.", "jinja2.", "bs4.", "lxml.", "rfc3986.", "hyperlink.", "requests.", "aiohttp.",
)  # fmt: skip
_SAYS_ADDRESS = lazy_pattern(r"Ur[li]|URL|URI|Link|Address|Path|Text|Str|Buffer|Reader|Pars")
_TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_"))
#: Classes of clean values that take any text.
_ACCEPTING = frozenset({"builtins.bool", "builtins.complex", "builtins.range"})


class Arguments:
    """What a call gives to a function's parameters: values, and the expressions they were written as."""

    __slots__ = ("expressions", "values")

    def __init__(self) -> None:
        self.values: dict[str, Taint] = {}
        self.expressions: dict[str, ir.Expr] = {}

    def give(self, name: str, value: Taint, expr: ir.Expr | None = None) -> None:
        """Add a value for a parameter."""
        self.values[name] = merge(self.values.get(name, CLEAN), value)
        if expr is not None:
            self.expressions[name] = expr


class Given:
    """One call with its operands evaluated.

    Attributes:
        node: the call.
        base: the object a method is called on, else what is called.
        args: positional arguments; `keywords` the others, with their names.
        state: variables of the calling function.
    """

    __slots__ = ("args", "base", "keywords", "node", "state")

    def __init__(
        self,
        node: ir.Call,
        base: Taint,
        args: list[Taint],
        keywords: list[tuple[str | None, Taint]],
        state: State,
    ) -> None:
        self.node = node
        self.base = base
        self.args = args
        self.keywords = keywords
        self.state = state

    @property
    def values(self) -> list[Taint]:
        """All arguments."""
        return [*self.args, *(value for _, value in self.keywords)]

    @property
    def is_tainted(self) -> bool:
        """Anything of it is."""
        if self.base is not CLEAN:
            return True
        return any(v is not CLEAN for v in self.args) or any(v is not CLEAN for _, v in self.keywords)

    def positional(self, behind: int = 0) -> list[tuple[Any, Taint]]:
        """Positional arguments from a position on, as written and as values."""
        return list(zip(self.node.args[behind:], self.args[behind:], strict=True))


class CallTransfer:
    """Calls of one function that is being executed."""

    def __init__(self, transfer: Transfer) -> None:
        self.transfer = transfer
        self.solver = transfer.solver
        self.function = transfer.function
        self._sites = self.solver.sites(self.function)
        self._climbs = self.solver.guards.paths.sibling

    def call(self, node: ir.Call, state: State) -> Taint:
        """The value of a call."""
        evaluate = self.transfer.evaluate
        func: Any = node.func
        if func.__class__ is ir.Attribute:
            base = evaluate(func.value, state)
        elif func.__class__ is ir.Name:
            base = state.get(func.id, CLEAN)
        else:
            base = evaluate(func, state)
        args = [evaluate(each, state) for each in node.args]
        keywords = [(each.arg, evaluate(each.value, state)) for each in node.keywords]
        given = Given(node, base, args, keywords, state)
        self._sinks(given)
        # An inner function may read what is tainted here although its arguments are clean.
        inner = func.__class__ is ir.Name and func.id in self.transfer.inner
        label = self.solver.inner_labels.get(id(node))
        if label is not None:
            return Taint({label: (self.transfer.everything, None)})
        brings = inner or given.is_tainted or last_name(func) in self.solver.bringing
        if not brings or id(node) in self.solver.query.opaque:
            return CLEAN
        if id(node) in self.solver.query.carried:
            return self._carried(given)
        for sending in self.solver.sent_at(node):
            arguments = Arguments()
            for name, expr in sending.arguments:
                arguments.give(name, evaluate(expr, state), expr)
            self._applied(sending.function, arguments, node, state, alone=False)
        site = self._sites.get(id(node))
        if site is None:
            return union([base, *given.values])
        found = self._called(given, site)
        self._checked_by_running(node, state)
        if found is CLEAN or self.transfer.is_clean(node):
            return CLEAN
        found = self._resolved(node, found)
        remaining = self.transfer.everything & ~self._sanitized(site)
        return found if remaining == self.transfer.everything else masked(found, remaining)

    def _carried(self, given: Given) -> Taint:
        """A statement that values are bound to: what it is made of itself."""
        operand = self.solver.query.carried[id(given.node)]
        return self.transfer.evaluate(operand, given.state) if operand is not None else CLEAN

    def _checked_by_running(self, node: ir.Call, state: State) -> None:
        """Calls that raise for what is not in order: behind them it has been checked."""
        guards = self.solver.guards
        func: Any = node.func
        checked: dict[AccessPath, int] = {}
        if func.__class__ is ir.Attribute and func.attr == "relative_to" and not node.keywords:
            checked = guards.paths.within(func.value, self.function)
        elif last_name(func) in RESOLVING_HOSTS:
            checked = guards.hosts.resolves(node, self.function)
        if checked:
            state.update(self.transfer.cleared(state, checked))

    def _resolved(self, node: ir.Call, found: Taint) -> Taint:
        """A path without `..`, as long as nobody has asked about it before it was resolved."""
        if not self.solver.cleaning.resolves(node):
            return found
        unresolved = self.solver.guards.paths.unresolved
        return remasked(found, lambda mask: mask & ~unresolved if mask & self._climbs else mask)

    def _called(self, given: Given, site: Site) -> Taint:
        targets = self.solver.program.calls.targets(site)
        if targets and not all(self.solver.is_summarised(target) for target in targets):
            return self._mixed(targets, given)
        if targets:
            found = CLEAN
            for target in targets:
                if self.solver.summary(target).says_nothing:
                    continue
                arguments, fresh = self._bound(target, given)
                result = self._applied(target, arguments, given.node, given.state, alone=len(targets) == 1)
                found = merge(found, self._fresh(target, arguments, given) if fresh else result)
            return found
        built = self._constructed(given)
        if built is not None:
            return built
        self._handed_on(given)
        return self._unknown(given)

    def _mixed(self, targets: tuple[Function, ...] | list[Function], given: Given) -> Taint:
        """The result of a function that is not followed; of a long one it is a guess that the arguments are in it."""
        found = union([given.base, *given.values])
        long = next((target for target in targets if self.solver.is_long(target)), None)
        if long is None:
            return found
        return _returned(found, Trace("mixed", self.function, given.node, long.name), None)

    def _sinks(self, given: Given) -> None:
        node = given.node
        for bits, sink in self.solver.sinks_at(node):
            written = [
                *node.args,
                *(keyword.value for keyword in node.keywords),
                getattr(node.func, "value", None),
            ]
            values = [*given.values, given.base]
            value = next((v for w, v in zip(written, values, strict=True) if w is sink.argument), None)
            if value is None:
                value = self.transfer.evaluate(sink.argument, given.state)
            self.transfer.arrive(value, sink, bits)

    # ── functions of the program ────────────────────────────────────────────────────────────────────────────

    def _bound(self, target: Function, given: Given) -> tuple[Arguments, bool]:
        """Arguments by parameter; whether the call makes the object that is the first one."""
        arguments = Arguments()
        positional = [p.name for p in target.parameters if p.kind in ("posonly", "normal")]
        fresh = target.name == "__init__" and not _names_init(given.node)
        if target.is_method and positional and (fresh or self._is_bound(given.node)):
            me = positional.pop(0)
            if not fresh:
                value, expr = self._receiver(given)
                arguments.give(me, value, expr)
        self._distribute(target, arguments, positional, given.positional(), given)
        return arguments, fresh

    def _distribute(
        self,
        target: Function,
        arguments: Arguments,
        positional: list[str],
        values: list[tuple[Any, Taint]],
        given: Given,
    ) -> None:
        """Give positional and keyword arguments to parameters."""
        variadic = next((p.name for p in target.parameters if p.kind == "vararg"), None)
        others = next((p.name for p in target.parameters if p.kind == "kwarg"), None)
        names = {p.name for p in target.parameters if p.kind in ("normal", "kwonly")}
        position = 0
        for expr, value in values:
            if expr.__class__ is ir.Starred:
                for name in positional[position:]:
                    arguments.give(name, collapsed(value))
                if variadic is not None:
                    arguments.give(variadic, collapsed(value))
            elif position < len(positional):
                arguments.give(positional[position], value, expr)
                position += 1
            elif variadic is not None:
                arguments.give(variadic, collapsed(value))
        for keyword, (key, value) in zip(given.node.keywords, given.keywords, strict=True):
            if key is None:
                for each in sorted(names - arguments.values.keys()):
                    arguments.give(each, project(value, f"[{each}]"))
                if others is not None:
                    arguments.give(others, value)
            elif key in names:
                arguments.give(key, value, keyword.value)
            elif others is not None:
                arguments.give(others, normal({}, {f"[{key}]": limited(value, 1)}))

    def _receiver(self, given: Given) -> tuple[Taint, ir.Expr]:
        """The object a method is called on; for `super()` the object of this method."""
        func: Any = given.node.func
        if func.__class__ is not ir.Attribute:
            return given.base, func
        value = func.value
        is_super = value.__class__ is ir.Call and getattr(value.func, "id", "") == "super"
        if is_super and self.function.parameters:
            me = self.function.parameters[0].name
            return given.state.get(me, CLEAN), ir.Name(value.span, me)
        return given.base, value

    def _is_bound(self, node: ir.Call) -> bool:
        """The method is called on an object: `service.find(x)`, not `Service.find(service, x)`."""
        of = self.solver.program.inference.type_of(node.func, self.function)
        for option in options(of):
            if isinstance(option, FunctionRef):
                return option.receiver is not None
        return True

    def _applied(
        self, target: Function, arguments: Arguments, node: ir.Node, state: State, *, alone: bool
    ) -> Taint:
        """The result of a call by the target's summary; its sinks and checks take effect here.

        Args:
            target: the function.
            arguments: what it is given.
            node: the call, for traces.
            state: variables of this function; arguments may leave checked or changed.
            alone: it is the only target, and surely runs.
        """
        summary = self.solver.summary(target)
        lookup = _Lookup(arguments, summary, state)
        arriving: dict[Label, dict[Label, Mark]] = {}  # many sinks are reached by the same label
        for (label, _), (sink, bits, inner) in summary.sinks.items():
            if is_inner(label):
                continue  # it is told where it begins
            if label not in arriving:
                arriving[label] = whole(lookup.value(label))
            for mine, (mask, trace) in arriving[label].items():
                if mask & bits:
                    step = Trace("passed", self.function, node, target.name, label[0], trace, inner)
                    self.transfer.reach(mine, sink, mask & bits, step)
        result = self._translated(summary.returns, lookup, target, node)
        for name, leaving in summary.leaving.items():
            if name in arguments.expressions:
                value = self._translated(leaving, lookup, None, node)
                expr = arguments.expressions[name]
                self._left(expr, value, state, alone=alone)
                mask, _ = leaving.labels.get((name,), (0, None))
                if alone and mask != self.transfer.everything:
                    self._implied(expr, self.transfer.everything & ~mask, state)
        return result

    def _implied(self, expr: ir.Expr, mask: int, state: State) -> None:
        """An argument that was put together from variables leaves a function checked: so are these."""
        checked = self.solver.guards.implied(expr, mask, self.function)
        checked.pop(exact_path(expr) or (), None)
        if checked:
            state.update(self.transfer.cleared(state, checked))

    def _fresh(self, target: Function, arguments: Arguments, given: Given) -> Taint:
        """A new object: what `__init__` put on `self`."""
        summary = self.solver.summary(target)
        leaving = summary.leaving.get(target.parameters[0].name) if target.parameters else None
        if leaving is None:
            return CLEAN
        return self._translated(leaving, _Lookup(arguments, summary, given.state), target, given.node)

    def _left(self, expr: ir.Expr, value: Taint, state: State, *, alone: bool) -> None:
        """An argument leaves the called function checked or changed."""
        path = exact_path(expr)
        if path is None or path[0] not in state:
            return
        old = state[path[0]]
        if not alone:
            inner = old
            for step in path[1:]:
                inner = project(inner, step)
            value = merge(inner, value)
        state[path[0]] = assigned(old, path[1:], limited(value))

    def _translated(
        self, taint: Taint, lookup: _Lookup, returned_by: Function | None, node: ir.Node
    ) -> Taint:
        """A value in terms of the called function's parameters, in terms of this function's."""
        if taint is CLEAN:
            return CLEAN
        found = CLEAN
        for label, (mask, inner) in taint.labels.items():
            value = masked(lookup.value(label), mask)
            if value is CLEAN:
                continue
            if returned_by is not None:
                value = _returned(value, Trace("returned", self.function, node, returned_by.name), inner)
            found = merge(found, value)
        if not taint.fields:
            return found
        fields = dict(found.fields)
        for step, inner_taint in taint.fields.items():
            fields[step] = self._translated(inner_taint, lookup, returned_by, node)
        return normal(found.labels, fields)

    def escaped(self, target: Function, node: ir.Node, state: State) -> None:
        """An inner function is handed on: it will be called, with what it captures here."""
        if self.solver.summary(target).captured:
            self._applied(target, Arguments(), node, state, alone=False)

    def _handed_on(self, given: Given) -> None:
        """A function of the program among the arguments of an unknown call is called with those behind it."""
        for index, each in enumerate(given.node.args):
            for target in self.solver.functions_named(each, self.function):
                arguments = Arguments()
                positional = [p.name for p in target.parameters if p.kind in ("posonly", "normal")]
                if target.is_method and positional and each.__class__ is ir.Attribute:
                    arguments.give(
                        positional.pop(0), self.transfer.evaluate(each.value, given.state), each.value
                    )
                self._distribute(target, arguments, positional, given.positional(index + 1), given)
                self._applied(target, arguments, given.node, given.state, alone=False)

    def property_value(self, expr: ir.Attribute, base: Taint) -> Taint | None:
        """The value of a property of the program's; None when the attribute is no such property."""
        target = self.solver.property_of(expr, self.function)
        if target is None:
            return None
        arguments = Arguments()
        if target.parameters:
            arguments.give(target.parameters[0].name, base)
        return self._applied(target, arguments, expr, {}, alone=False)

    # ── everything else ─────────────────────────────────────────────────────────────────────────────────────

    def _sanitized(self, site: Site) -> int:
        """Bits of the kinds for which a call's result is clean."""
        sanitizers = self.solver.query.sanitizers
        mask = 0
        for name in self.solver.program.calls.names(site):
            if name in sanitizers:
                mask |= self.solver.mask(sanitizers[name])
        if self.solver.cleaning.matters:
            mask |= self.solver.cleaning.of_call(site.node, self.function)
        return mask

    def _constructed(self, given: Given) -> Taint | None:
        """A new object of a class of the program that has no `__init__` of its own: its arguments are its fields.

        A class whose values are clean (`UUID`, an `Enum`) raises for any other text: what is behind the call has
        been checked. None for anything that is no such class.
        """
        node = given.node
        cls = None
        for option in options(self.solver.program.inference.type_of(node.func, self.function)):
            if isinstance(option, ClassRef):
                if self.solver.clean_types.is_clean(Instance(option.cls)):
                    if len(node.args) == 1 and option.name not in _ACCEPTING:
                        self._left(node.args[0], CLEAN, given.state, alone=True)
                    return CLEAN
                if isinstance(option.cls, Class):
                    cls = option.cls
        if cls is None:
            return None
        fields: dict[str, Taint] = {}
        rest = CLEAN
        names = [n for n, bindings in cls.facts.bindings.items() if bindings[-1].kind == "annotated"]
        for position, (expr, value) in enumerate(given.positional()):
            if position < len(names) and expr.__class__ is not ir.Starred:
                fields[names[position]] = limited(value, 1)
            else:
                rest = merge(rest, collapsed(value))
        for name, value in given.keywords:
            if name is None:
                rest = merge(rest, collapsed(value))
            else:
                fields[name] = limited(value, 1)
        return normal(rest.labels, fields)

    def _unknown(self, given: Given) -> Taint:
        func: Any = given.node.func
        values = given.values
        if func.__class__ is ir.Name and func.id in ("enumerate", "zip") and not given.keywords:
            return self._paired(func.id, given)
        if func.__class__ is ir.Name and func.id == "getattr" and len(values) > 1:
            # The name alone chooses among what the object has.
            step: Any = given.node.args[1] if len(given.node.args) > 1 else None
            named = step.__class__ is ir.Constant and step.kind == "str"
            found = project(values[0], step.value) if named else collapsed(values[0])
            return union([found, *values[2:]])
        if (
            last_name(func) == "asdict"
            and len(given.args) == 1
            and self._is_named(given, self.solver.query.records)
        ):
            return _record(given.args[0])
        if last_name(func) in _ADDRESS_MAKERS and len(given.node.args) == 1:
            evaluate = partial(self.transfer.evaluate, state=given.state)
            return union(self.solver.prefixes.in_address(self.function, given.node.args[0], values, evaluate))
        if func.__class__ is ir.Attribute:
            method = func.attr
            if method in ("format", "join"):
                evaluate = partial(self.transfer.evaluate, state=given.state)
                values = self.solver.prefixes.in_call(self.function, given.node, values, evaluate)
                return union([given.base, *values])
            listed = self._listed(method, given)
            if listed is not None:
                return listed
            if method in _ADDING and self._is_container(func.value):
                self._put_into(func, given)
                return CLEAN if method != "setdefault" else union([given.base, *values])
            if method in ("get", "pop") and given.node.args:
                return self._looked_up(given)
            # What a text's method gives is the text again; of other objects, each method gives something of its own.
            if method in _TEXT_METHODS or method in _SAME_ADDRESS:
                of_object = given.base
            elif self._is_of_library(func.value):
                of_object = self._behind_host(project(given.base, method))
            else:
                of_object = project(given.base, method)
            return union([of_object, *self._written_into_address(given)])
        return union([given.base, *self._written_into_address(given)])

    def _written_into_address(self, given: Given) -> list[Taint]:
        """What `client.authorize_url(state=x)` is given by name stands in the address that it makes, behind the host."""
        name = last_name(given.node.func).lower()
        if name in _QUERY_METHODS:
            return [self._behind_host(value) for value in given.values]
        func: Any = given.node.func
        is_given = func.__class__ is ir.Attribute and any(value is not CLEAN for value in given.values)
        made_by = self._library_class(func.value) if is_given else ""
        if _LEADS_TO_PROVIDER.search(made_by):
            positional = given.args if "Authoriz" not in made_by else map(self._behind_host, given.args)
            return [*positional, *(self._behind_host(value) for _, value in given.keywords)]
        if not any(word in name for word in _ADDRESS_WORDS) or name in _ADDRESS_PARSERS:
            named = [self._behind_host(v) if key in _QUERY_KEYWORDS else v for key, v in given.keywords]
            return [*given.args, *named]
        is_method = given.node.func.__class__ is ir.Attribute
        base = 0 if "authoriz" in name or (is_method and "query_param" in name) else 1
        behind = [*given.args[base:], *(value for _, value in given.keywords)]
        return [*given.args[:base], *map(self._behind_host, behind)]

    def _behind_host(self, value: Taint) -> Taint:
        """A value that cannot name the host of the address it stands in."""
        return masked(value, self.transfer.everything & ~self.solver.guards.hosts.everything)

    def _is_of_library(self, expr: ir.Expr) -> bool:
        """An object of a library's that is no address, text, path or container: it makes addresses of its settings.

        `OneLogin_Saml2_Auth(request_data, settings).login()` leads where the settings say.
        """
        last = self._library_class(expr)
        return last[:1].isupper() and not _SAYS_ADDRESS.search(last)

    def _library_class(self, expr: ir.Expr) -> str:
        """Name of the library's class that made an object, "" for the program's own and for texts, paths and addresses."""
        made, scope = self.solver.program.inference.expand(expr, self.function)
        call: Any = made.value if made.__class__ is ir.Await else made
        if call.__class__ is not ir.Call:
            return ""
        of = self.solver.program.inference.type_of(call.func, scope)
        if not isinstance(of, External | ClassRef) or (
            isinstance(of, ClassRef) and isinstance(of.cls, Class)
        ):
            return ""
        return "" if of.name.startswith(_OF_ADDRESSES) else of.name.rpartition(".")[2]

    def _put_into(self, func: Any, given: Given) -> None:
        """`items.append(value)`: an element, whose fields stay apart; `items.extend(values)`: what these hold."""
        if func.attr == "update":
            self._updated(func, given)
        elif func.attr in _ADDING_ONE and given.args and not given.keywords:
            value = normal({}, {ELEMENT: limited(given.args[-1], 1)})
            self.transfer.mix_into(func.value, value, given.state)
        else:
            self.transfer.mix_into(func.value, union(given.values), given.state)

    def _updated(self, func: ir.Attribute, given: Given) -> None:
        """`mapping.update({"name": value}, note=text)`: keys that are written down stay apart from values."""
        named = {f"[{name}]": limited(value, 1) for name, value in given.keywords if name is not None}
        spread = [value for name, value in given.keywords if name is None]
        added = normal({}, named)
        for value in (*given.args, *spread):
            added = merge(added, value)
        if added is not CLEAN:
            self.transfer.mix_into(func.value, added, given.state)

    def _listed(self, method: str, given: Given) -> Taint | None:
        """Keys, values and items of a mapping, copies and records of an object; None for other methods."""
        if method in ("keys", "values", "items") and not given.node.args:
            keys = keys_of(given.base)
            values = normal(given.base.labels, {s: t for s, t in given.base.fields.items() if s != KEYS})
            if method == "keys":
                return normal({}, {ELEMENT: keys})
            if method == "values":
                return collapsed(values)
            return normal({}, {ELEMENT: normal({}, {"[0]": keys, "[1]": collapsed(values)})})
        if self._is_named(given, self.solver.query.copies):
            return merge(given.base, union(given.values))
        if self._is_named(given, self.solver.query.records):
            return _record(given.base)
        return None

    def _is_named(self, given: Given, names: frozenset[str]) -> bool:
        return any(name in names for name in self.solver.program.calls.names(self._sites[id(given.node)]))

    def _paired(self, name: str, given: Given) -> Taint:
        """`enumerate(x)` and `zip(x, y)`: tuples by position."""
        parts = [element_of(value) for value in given.args]
        if name == "enumerate":
            parts = [CLEAN, *parts[:1]]
        return normal({}, {ELEMENT: normal({}, {f"[{i}]": limited(part, 0) for i, part in enumerate(parts)})})

    def _looked_up(self, given: Given) -> Taint:
        """`mapping.get(key, default)`: the key alone chooses among what is there."""
        key: Any = given.node.args[0]
        default = given.args[1] if len(given.args) > 1 else CLEAN
        if key.__class__ is ir.Constant and key.kind == "str":
            return merge(project(given.base, f"[{key.value}]"), default)
        return merge(collapsed(given.base), default)

    def _is_container(self, expr: ir.Expr) -> bool:
        """Of Python's own containers, or of unknown type: not a session or a client, whose `add` means something else."""
        of = self.solver.program.inference.type_of(expr, self.function)
        names = [o.name for o in options(of) if isinstance(o, Instance)]
        return all(name.startswith(("builtins.", "collections.", "typing.")) for name in names)


def _record(of: Taint) -> Taint:
    """The fields of an object as a dict, whose keys are the program's own."""
    fields = {f"[{step}]": taint for step, taint in of.fields.items() if not step.startswith("[")}
    return Taint(of.labels, {**fields, KEYS: CLEAN})


class _Lookup:
    """Labels of a called function as values of the calling one."""

    def __init__(self, arguments: Arguments, summary: Summary, state: State) -> None:
        self._arguments = arguments
        self._summary = summary
        self._state = state

    def value(self, label: Label) -> Taint:
        """What stands at an access path of a parameter or a captured name."""
        name = label[0]
        if is_inner(label):
            return Taint({label: (-1, None)})
        if name in self._summary.captured and name not in self._arguments.values:
            found = self._state.get(name, CLEAN)
        else:
            found = self._arguments.values.get(name, CLEAN)
        for step in label[1:]:
            if found is CLEAN:
                return CLEAN
            found = at_position(found, step) if is_position(step) else project(found, step)
        return found


def _returned(value: Taint, step: Trace, inner: Trace | None) -> Taint:
    labels: dict[Label, Mark] = {
        label: (mask, step.around(trace, inner)) for label, (mask, trace) in value.labels.items()
    }
    return Taint(labels, {name: _returned(each, step, inner) for name, each in value.fields.items()})


def _names_init(node: ir.Call) -> bool:
    """`super().__init__(...)`: called by its name on an object that exists."""
    func: Any = node.func
    return func.__class__ is ir.Attribute and func.attr == "__init__"
