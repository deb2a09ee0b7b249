"""What is asked of taint (`TaintQuery`), and the values that carry it through a function (`Taint`).

A *label* says where a value comes from, as seen inside one function: an access path of a parameter (`("order",
"[name]")`), or a `Source` that stands in the body itself. A *mark* says for which kinds of sink the value is still
dangerous (one bit a kind) and how it got here (`path.Trace`). All kinds are carried at once.

A `Taint` is a small tree: the labels of a value as a whole, and its fields where they differ. A field that is clean
inside a tainted value is a field with an empty tree.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fastapi_architect.dataflow.access_path import AccessPath, extended
from fastapi_architect.dataflow.path import Trace
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.syntax import ir


class SinkKind(msgspec.Struct, frozen=True):
    """A kind of sink.

    Attributes:
        name: such as `sql`.
        dangerous: characters of which an attack needs at least one; a pattern that allows none of them is a guard.
        aspects: ways in which a value may be dangerous that different checks rule out (a file's path may climb by
            `..`, and it may be absolute). A sink is reached while one is left; `path.root` names one of them.
    """

    name: str
    dangerous: str = ""
    aspects: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its aspects by their full names; itself where it has none. Each is one bit."""
        return tuple(f"{self.name}.{aspect}" for aspect in self.aspects) or (self.name,)


class Sink(msgspec.Struct, frozen=True, eq=False):
    """An argument that must not be tainted.

    Attributes:
        kind: name of its `SinkKind`.
        scope: the body it stands in.
        node: the call, or the `return` whose value is sent.
        argument: the expression that must be clean.
        fact: whatever the asker wants back (the concept it was made from).
        part: which part of the fact the argument is (`path`, `target`).
    """

    kind: str
    scope: Scope
    node: ir.Call | ir.Return
    argument: ir.Expr
    fact: object = None
    part: str = ""


class Source(msgspec.Struct, frozen=True, eq=False):
    """A parameter of a function that an attacker decides, or the result of a call or a read inside it (see `TaintQuery.inner`).

    Attributes:
        function: the function.
        parameter: its parameter; what a reader calls the value where it is none.
        fields: first steps into the parameter that are tainted (`query_params` of a request); None: all of it.
        clean: access path below the parameter (without its name; the empty one is the parameter itself) to the kinds
            for which it cannot be dangerous, by its type or by what is validated before; None for all kinds.
        fact: whatever the asker wants back.
    """

    function: Function
    parameter: str
    fields: frozenset[str] | None = None
    clean: dict[AccessPath, frozenset[str] | None] = msgspec.field(default_factory=dict)
    fact: object = None

    def safe_at(self, steps: AccessPath) -> frozenset[str] | None:
        """The kinds for which what stands at `steps` below the parameter is clean; None for all of them."""
        if self.fields is not None and (not steps or steps[0] not in self.fields):
            return None
        steps = tuple(step.strip("[]") for step in steps)
        found: frozenset[str] = frozenset()
        for length in range(len(steps) + 1 if self.clean else 0):
            clean = self.clean.get(steps[:length], frozenset())
            if clean is None:
                return None
            found |= clean
        return found


class Provision(msgspec.Struct, frozen=True, eq=False):
    """A parameter that receives the result of another function, without a call that shows it (a dependency).

    Attributes:
        function: the function.
        parameter: its parameter.
        provider: the function that runs; for a class its `__init__`.
        constructs: the provider is an `__init__`, and the parameter receives the instance.
    """

    function: Function
    parameter: str
    provider: Function
    constructs: bool = False


class Sending(msgspec.Struct, frozen=True, eq=False):
    """A call that has another function run, later or elsewhere (a task of a queue).

    Attributes:
        function: the function that runs.
        scope: the body the call stands in.
        node: the call.
        arguments: parameter of the function to what it is sent.
    """

    function: Function
    scope: Function
    node: ir.Call
    arguments: tuple[tuple[str, ir.Expr], ...]


class TaintQuery(msgspec.Struct, frozen=True):
    """One set of questions, answered together.

    Attributes:
        kinds: kinds of sink.
        sinks: all sinks of these kinds.
        sources: all sources.
        provisions: parameters that are filled without a call.
        sendings: calls that have a function run elsewhere.
        sanitizers: dotted name of a callable to the kinds for which its result is clean (`None`: all).
        opaque: identities of calls whose result carries nothing of their arguments (a database's answer).
        carried: identity of a call to the one operand whose data its result carries, whatever else it is given (None: of
            none): a statement into which the driver writes quoted values, a path that a library chooses below a folder.
        records: dotted names of methods, and of `asdict`, that give an object's fields as a dict: its keys are the program's own.
        copies: dotted names of methods that give the object again.
        inner: identity of a call to the source that its result is, whatever it is given.
    """

    kinds: tuple[SinkKind, ...]
    sinks: tuple[Sink, ...]
    sources: tuple[Source, ...]
    provisions: tuple[Provision, ...] = ()
    sendings: tuple[Sending, ...] = ()
    sanitizers: dict[str, frozenset[str] | None] = msgspec.field(default_factory=dict)
    opaque: frozenset[int] = frozenset()
    carried: dict[int, ir.Expr | None] = msgspec.field(default_factory=dict)
    records: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()
    inner: dict[int, Source] = msgspec.field(default_factory=dict)

    def bits(self) -> dict[str, int]:
        """Name of a kind, or full name of an aspect, to its bits."""
        found: dict[str, int] = {}
        position = 0
        for kind in self.kinds:
            for name in kind.names:
                found[name] = 1 << position
                found[kind.name] = found.get(kind.name, 0) | 1 << position
                position += 1
        return found

    @property
    def everything(self) -> int:
        """The bits of all kinds."""
        return (1 << sum(len(kind.names) for kind in self.kinds)) - 1

    def mask(self, kinds: frozenset[str] | None) -> int:
        """The bits of some kinds or aspects; of all for None."""
        if kinds is None:
            return self.everything
        mask = 0
        for name, bits in self.bits().items():
            if name in kinds:
                mask |= bits
        return mask


Label = AccessPath


def inner_label(number: int) -> Label:
    """The label of a source that stands in a body: no parameter has such a name."""
    return (f"<{number}>",)


def is_inner(label: Label) -> bool:
    """The label is no path of a parameter: callers see the same one."""
    return label[0].startswith("<")


Mark = tuple[int, "Trace | None"]

#: A tree with more labels than this is cut: the first ones are kept.
MAX_LABELS = 32
_MAX_DEPTH = 3


_NO_FIELDS: dict[str, Taint] = {}


class Taint:
    """Where a value comes from. Immutable; `CLEAN` is the one clean value.

    Attributes:
        labels: label to mark, of the value as a whole.
        fields: step (`attr` or `[key]`) to the value there, where it is known better.
    """

    __slots__ = ("fields", "labels")

    def __init__(self, labels: dict[Label, Mark], fields: dict[str, Taint] | None = None) -> None:
        self.labels = labels
        self.fields: dict[str, Taint] = fields or _NO_FIELDS

    def __repr__(self) -> str:
        labels = {label: mask for label, (mask, _) in self.labels.items()}
        return f"Taint({labels}, {self.fields})" if self.fields else f"Taint({labels})"


CLEAN = Taint({})

#: Field of a container that holds its elements, where they are known better than the container as a whole.
ELEMENT = "[*]"
#: Field of a mapping that holds its keys.
KEYS = "keys"


def normal(labels: dict[Label, Mark], fields: dict[str, Taint]) -> Taint:
    """A tree; the clean one when nothing in it is tainted."""
    if labels:
        return Taint(labels, fields)
    fields = {step: inner for step, inner in fields.items() if inner is not CLEAN}
    return Taint(labels, fields) if fields else CLEAN


def same(left: Taint, right: Taint) -> bool:
    """Equal labels and masks everywhere; traces do not count."""
    if left is right:
        return True
    if len(left.labels) != len(right.labels) or left.fields.keys() != right.fields.keys():
        return False
    for label, (mask, _) in left.labels.items():
        other = right.labels.get(label)
        if other is None or other[0] != mask:
            return False
    return all(same(inner, right.fields[step]) for step, inner in left.fields.items())


def merge(left: Taint, right: Taint, depth: int = 0) -> Taint:
    """Either of two values; `left` itself when `right` adds nothing."""
    if right is CLEAN and not left.fields:
        return left
    if left is right:
        return left
    if left is CLEAN and not right.fields:
        return right
    labels = _merged_labels(left.labels, right.labels)
    steps = left.fields.keys() | right.fields.keys() if left.fields or right.fields else ()
    fields: dict[str, Taint] = {}
    if steps and depth < _MAX_DEPTH:
        for step in sorted(steps):
            fields[step] = merge(project(left, step), project(right, step), depth + 1)
    elif steps:
        for tree in (left, right):
            labels = _merged_labels(labels, whole(tree))
    unchanged = labels is left.labels and fields.keys() == left.fields.keys()
    if unchanged and all(fields[step] is left.fields[step] for step in fields):
        return left
    return normal(labels, fields)


def _merged_labels(left: dict[Label, Mark], right: dict[Label, Mark]) -> dict[Label, Mark]:
    """Union of labels; `left` itself when nothing is added. The first trace stays."""
    merged = left
    for label, (mask, trace) in right.items():
        known = merged.get(label)
        if known is None:
            if len(merged) >= MAX_LABELS or (len(label) > 1 and _is_covered(label, mask, merged)):
                continue
            if merged is left:
                merged = dict(left)
            merged[label] = (mask, trace)
        elif mask & ~known[0]:
            if merged is left:
                merged = dict(left)
            # What is newly dangerous came this way.
            merged[label] = (mask | known[0], known[1] if known[0] else trace)
    return merged


def _is_covered(label: Label, mask: int, labels: dict[Label, Mark]) -> bool:
    """A shorter path among the labels says as much: `order` and `order.name` together are `order`."""
    for length in range(1, len(label)):
        known = labels.get(label[:length])
        if known is not None and not mask & ~known[0]:
            return True
    return False


def project(taint: Taint, step: str) -> Taint:
    """The part of a value behind an attribute or key."""
    if taint is CLEAN:
        return CLEAN
    inner = taint.fields.get(step)
    if inner is not None:
        return inner
    if not taint.labels:
        return CLEAN
    labels: dict[Label, Mark] = {}
    for label, mark in taint.labels.items():
        labels.setdefault(extended(label, step), mark)
    return Taint(labels)


def whole(taint: Taint) -> dict[Label, Mark]:
    """Labels of a value and of all its fields."""
    labels = taint.labels
    for inner in taint.fields.values():
        labels = _merged_labels(labels, whole(inner))
    return labels


def collapsed(taint: Taint) -> Taint:
    """A value whose fields are not told apart."""
    if not taint.fields:
        return taint
    labels = whole(taint)
    return Taint(labels) if labels else CLEAN


def element_of(value: Taint) -> Taint:
    """What iterating over a value gives."""
    if ELEMENT in value.fields:
        return value.fields[ELEMENT]
    if KEYS in value.fields:
        return value.fields[KEYS]
    steps = [step for step in value.fields if step.startswith("[")]
    if not steps:
        return value
    # A mapping with constant keys gives these; a tuple gives any of its parts.
    return CLEAN if not value.labels and not any(map(is_position, steps)) else collapsed(value)


def keys_of(mapping: Taint) -> Taint:
    """The keys of a mapping; the constant ones of a display are clean.

    Of a parameter they are a step of their own: the callers know whether they wrote them down.
    """
    return project(mapping, KEYS)


def at_position(value: Taint, position: str) -> Taint:
    """What stands at a constant index, or what an unpacked target receives; `position` is the step, such as `[0]`."""
    if position in value.fields:
        return value.fields[position]
    if any(is_position(step) for step in value.fields):
        return project(value, position)
    return element_of(value)


def is_position(step: str) -> bool:
    """A step by a constant index."""
    return step.startswith("[") and step[1:-1].lstrip("-").isdigit()


def union(taints: list[Taint]) -> Taint:
    """All of some values mixed into one."""
    found = CLEAN
    for each in taints:
        if each is not CLEAN:
            found = merge(found, collapsed(each))
    return found


def assigned(taint: Taint, steps: AccessPath, value: Taint) -> Taint:
    """The value after a field of it was set; deeper than a path can be, the new value is mixed in."""
    if not steps:
        return value
    if len(steps) > _MAX_DEPTH - 1:
        return merge(taint, collapsed(value))
    fields = dict(taint.fields)
    fields[steps[0]] = assigned(project(taint, steps[0]), steps[1:], limited(value))
    return normal(taint.labels, fields)


def limited(taint: Taint, depth: int = 2) -> Taint:
    """A value with at most `depth` steps of fields: loops must not build ever deeper ones."""
    if not taint.fields:
        return taint
    if depth == 0:
        return collapsed(taint)
    fields = {step: limited(inner, depth - 1) for step, inner in taint.fields.items()}
    return taint if all(fields[s] is taint.fields[s] for s in fields) else normal(taint.labels, fields)


def masked(taint: Taint, mask: int) -> Taint:
    """The value with only some kinds left."""
    if all(not bits & ~mask for bits, _ in taint.labels.values()) and not taint.fields:
        return taint
    labels = {label: (bits & mask, trace) for label, (bits, trace) in taint.labels.items() if bits & mask}
    fields = {step: masked(inner, mask) for step, inner in taint.fields.items()}
    return normal(labels, fields)


def remasked(taint: Taint, change: Callable[[int], int]) -> Taint:
    """The value with the bits of each label changed."""
    if taint is CLEAN:
        return CLEAN
    changed = {label: (change(bits), trace) for label, (bits, trace) in taint.labels.items()}
    labels: dict[Label, Mark] = {label: mark for label, mark in changed.items() if mark[0]}
    return normal(labels, {step: remasked(inner, change) for step, inner in taint.fields.items()})


def traced(taint: Taint, trace: Trace) -> Taint:
    """The value one step further: `trace` is put behind every label's own trace."""
    if taint is CLEAN:
        return CLEAN
    labels: dict[Label, Mark] = {
        label: (bits, trace.after(previous)) for label, (bits, previous) in taint.labels.items()
    }
    fields = {step: traced(inner, trace) for step, inner in taint.fields.items()}
    return Taint(labels, fields)
