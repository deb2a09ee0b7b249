"""Who spends the CPU of a review: a rule itself, or a question that many rules ask.

An answer is worked out when the first rule asks for it and is free for all others; charging that rule would blame the
name that comes first in the alphabet. So time runs for one name only: the rule, or the innermost question that is
being answered. A question that one rule alone asks is charged to that rule.

Only a profiled review pays for this: `watching` gives the classes that keep answers timed methods, and takes them back.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import Answers, question
from fastapi_architect.appgraph.security import AccessReader
from fastapi_architect.libraries.recognition import Recognised
from fastapi_architect.program.call_graph import CallGraph
from fastapi_architect.program.constants import Constants
from fastapi_architect.program.definitions import Class, Function, Module, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.type_inference import TypeInference
from fastapi_architect.review.result import Spent

#: Each public method and property is a question of its own ...
_BY_NAME: tuple[type, ...] = (AppGraph, Program)
#: ... or all of a class together are one: its methods ask each other all the time.
_TOGETHER: dict[str, tuple[type, ...]] = {
    "access": (AccessReader,),
    "calls": (CallGraph,),
    "concepts": (Recognised,),
    "constants": (Constants,),
    "types": (TypeInference,),
}
#: Properties of a body that are worked out on first use.
_OF_BODIES = ((Scope, "facts"), (Function, "body"), (Class, "body"), (Module, "body"))

_REVIEW = "the review itself"
_PROBES = 20_000


class Clock:
    """CPU seconds of one profiled review."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, float] = defaultdict(float)
        self._asked: Counter[tuple[str, str]] = Counter()
        self._rules: dict[str, None] = {}
        self._replaced: list[tuple[type, str, Any]] = []
        self._running = [_REVIEW]
        self._since = time.process_time()

    def _start(self, name: str) -> None:
        now = time.process_time()
        self._spent[self._running[-1]] += now - self._since
        self._running.append(name)
        self._since = now

    def _stop(self) -> None:
        now = time.process_time()
        self._spent[self._running.pop()] += now - self._since
        self._since = now

    @contextmanager
    def asking(self, rule: str) -> Iterator[None]:
        """Time runs for a rule."""
        self._rules[rule] = None
        self._start(rule)
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time runs for shared questions while they are answered."""
        try:
            for cls in _BY_NAME:
                self._watch(cls, "")
            for name, classes in _TOGETHER.items():
                for cls in classes:
                    self._watch(cls, name)
            for cls, attribute in _OF_BODIES:
                self._replace(
                    cls, attribute, self._timed_version(vars(cls)[attribute], f"bodies.{attribute}")
                )
            self._replace(question, "__call__", self._answering(question.__call__))
            yield
        finally:
            for cls, attribute, former in reversed(self._replaced):
                setattr(cls, attribute, former)

    def spent(self) -> Spent:
        """What the watched review cost, without the watching."""
        outside, inside = self._own_cost()
        net = dict(self._spent)
        for (asker, name), times in self._asked.items():
            net[asker] = max(net.get(asker, 0.0) - times * outside, 0.0)
            net[name] = max(net.get(name, 0.0) - times * inside, 0.0)
        rules = {rule: net.pop(rule, 0.0) for rule in self._rules}
        net.pop(_REVIEW, None)
        questions: dict[str, float] = {}
        for name, seconds in net.items():
            askers = self._askers(name)
            if len(askers) == 1 and not askers.isdisjoint(rules):
                rules[askers.pop()] += seconds
            else:
                questions[name] = seconds
        return Spent(_dearest_first(rules), _dearest_first(questions))

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        running = self._running

        @functools.wraps(work)
        def asked(*given: Any, **named: Any) -> Any:
            if running[-1] == name:
                return work(*given, **named)
            self._asked[running[-1], name] += 1
            self._start(name)
            try:
                return work(*given, **named)
            finally:
                self._stop()

        return asked

    def _answering(self, work: Callable[[Any, AppGraph], Any]) -> Callable[[Any, AppGraph], Any]:
        """As `question.__call__`; answers that go on working things out later are watched, too."""

        def asked(of: question[Any], graph: AppGraph) -> Any:
            name = of.name
            if of in graph.answers:
                self._asked[self._running[-1], name] += 1
                return graph.answers[of]
            answer = self._timed(name, work)(of, graph)
            if isinstance(answer, Answers):
                answer.work = self._timed(name, answer.work)
            elif type(answer).__module__.startswith("fastapi_architect.") and not isinstance(
                answer, msgspec.Struct
            ):
                self._watch(type(answer), name)
            return answer

        return asked

    def _askers(self, name: str) -> set[str]:
        """The rules, or the review, that ask a question directly or through others."""
        found: set[str] = set()
        seen, waiting = {name}, [name]
        while waiting:
            current = waiting.pop()
            for asker, asked in self._asked:
                if asked != current or asker in seen:
                    continue
                seen.add(asker)
                if asker in self._rules or asker == _REVIEW:
                    found.add(asker)
                else:
                    waiting.append(asker)
        return found

    def _own_cost(self) -> tuple[float, float]:
        """What one timed question adds to who asks and to the question itself, in seconds."""
        clock = Clock()
        ask = clock._timed("question", lambda: None)
        with clock.asking("asker"):
            for _ in range(_PROBES):
                ask()
        return clock._spent["asker"] / _PROBES, clock._spent["question"] / _PROBES

    # ── watching ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self, cls: type, together: str) -> None:
        """Give the public methods, properties and everything `cached_property` of a class timed versions."""
        for attribute, member in list(vars(cls).items()):
            is_public = not attribute.startswith("_") or isinstance(member, functools.cached_property)
            already = any(owner is cls and name == attribute for owner, name, _ in self._replaced)
            if is_public and not already:
                timed = self._timed_version(member, together or f"{cls.__name__}.{attribute}")
                if timed is not None:
                    self._replace(cls, attribute, timed)

    def _replace(self, cls: type, attribute: str, timed: Any) -> None:
        self._replaced.append((cls, attribute, vars(cls)[attribute]))
        setattr(cls, attribute, timed)

    def _timed_version(self, member: Any, name: str) -> Any:
        if isinstance(member, functools.cached_property):
            return self._timed_kept(member, name)
        if isinstance(member, property) and member.fget is not None:
            return property(self._timed(name, member.fget))
        # What a generator does is done later, for whoever takes its items.
        if inspect.isfunction(member) and not inspect.isgeneratorfunction(member):
            return self._timed(name, member)
        return None

    def _timed_kept(self, kept: functools.cached_property[Any], name: str) -> property:
        work = self._timed(name, kept.func)

        def read(instance: Any) -> Any:
            values = instance.__dict__
            if kept.attrname in values:
                self._asked[self._running[-1], name] += 1
            else:
                values[kept.attrname] = work(instance)
            return values[kept.attrname]

        return property(read)


def _dearest_first(seconds: dict[str, float]) -> dict[str, float]:
    return dict(sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0])))
