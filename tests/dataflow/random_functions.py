"""Random functions that record what they execute: every statement calls `t(number)`, every test asks `c()`."""

import random
from collections.abc import Iterator

from tests.appgraph.sample import program_of

from fastapi_architect.program.definitions import Function


class Stop(Exception):
    pass


class _Writer:
    """Writes the body of one function; `x` is bound in some statements, to their number."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.number = 0
        self.lines: list[str] = []

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def mark(self, indent: int) -> None:
        self.number += 1
        target = "x = " if self.chance.random() < 0.4 else ""
        self.line(indent, f"{target}t({self.number})")

    def block(self, indent: int, depth: int, in_loop: bool) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.statement(indent, depth, in_loop)

    def statement(self, indent: int, depth: int, in_loop: bool) -> None:
        kinds = ["mark", "mark", "return", "raise"]
        if in_loop:
            kinds += ["break", "continue"]
        if depth < 3:
            kinds += ["if", "if", "while", "for", "try", "try", "finally", "with", "match", "suppress"]
        getattr(self, f"_{self.chance.choice(kinds)}")(indent, depth, in_loop)

    def _mark(self, indent: int, depth: int, in_loop: bool) -> None:
        self.mark(indent)

    def _guarded(self, indent: int, statement: str) -> None:
        self.line(indent, "if c():")
        self.mark(indent + 1)
        self.line(indent + 1, statement)

    def _return(self, indent: int, depth: int, in_loop: bool) -> None:
        self._guarded(indent, "return")

    def _raise(self, indent: int, depth: int, in_loop: bool) -> None:
        self._guarded(indent, "raise Stop")

    def _break(self, indent: int, depth: int, in_loop: bool) -> None:
        self._guarded(indent, "break")

    def _continue(self, indent: int, depth: int, in_loop: bool) -> None:
        self._guarded(indent, "continue")

    def _if(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "if c():")
        self.block(indent + 1, depth + 1, in_loop)
        for _ in range(self.chance.randint(0, 2)):
            self.line(indent, "elif c():")
            self.block(indent + 1, depth + 1, in_loop)
        if self.chance.random() < 0.5:
            self.line(indent, "else:")
            self.block(indent + 1, depth + 1, in_loop)

    def _loop(self, indent: int, depth: int, in_loop: bool, head: str) -> None:
        self.line(indent, head)
        self.block(indent + 1, depth + 1, True)
        if self.chance.random() < 0.4:
            self.line(indent, "else:")
            self.block(indent + 1, depth + 1, in_loop)

    def _while(self, indent: int, depth: int, in_loop: bool) -> None:
        self._loop(indent, depth, in_loop, self.chance.choice(["while c():", "while True:"]))

    def _for(self, indent: int, depth: int, in_loop: bool) -> None:
        self._loop(indent, depth, in_loop, "for _ in items():")

    def _try(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "try:")
        self.block(indent + 1, depth + 1, in_loop)
        for kind in self.chance.choice((("Stop",), ("KeyError", "Stop"), ("Exception",), ("KeyError",))):
            self.line(indent, f"except {kind}:")
            self.block(indent + 1, depth + 1, in_loop)
        if self.chance.random() < 0.4:
            self.line(indent, "else:")
            self.block(indent + 1, depth + 1, in_loop)
        if self.chance.random() < 0.4:
            self.line(indent, "finally:")
            self.block(indent + 1, depth + 1, in_loop)

    def _finally(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "try:")
        self.block(indent + 1, depth + 1, in_loop)
        self.line(indent, "finally:")
        self.block(indent + 1, depth + 1, in_loop)

    def _with(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "with manager():")
        self.block(indent + 1, depth + 1, in_loop)

    def _suppress(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "with suppress(Stop):")
        self.block(indent + 1, depth + 1, in_loop)

    def _match(self, indent: int, depth: int, in_loop: bool) -> None:
        self.line(indent, "match choose():")
        for pattern in ("case 0:", "case 1 if c():", *self.chance.choice(((), ("case _:",)))):
            self.line(indent + 1, pattern)
            self.block(indent + 2, depth + 1, in_loop)


def source(seed: int) -> str:
    """A function `f`."""
    writer = _Writer(random.Random(seed))
    writer.line(0, "def f(x):")
    writer.mark(1)
    writer.block(1, 0, False)
    writer.mark(1)
    return "\n".join(writer.lines)


def function(seed: int) -> Function:
    """The same as the analysis sees it."""
    return program_of(source(seed)).functions[0]


def executions(seed: int, runs: int = 12) -> Iterator[list[tuple[int, object]]]:
    """What some runs of it executed: each mark with the value that `x` had before.

    Any mark may raise `Stop`; a run ends after 60 marks, as by an exception that nobody catches.
    """
    from contextlib import contextmanager, suppress

    code = compile(source(seed), "f.py", "exec")
    for run in range(runs):
        chance = random.Random(f"{seed}/{run}")
        marks: list[tuple[int, object]] = []

        @contextmanager
        def manager() -> Iterator[None]:
            yield

        def t(number: int, chance: random.Random = chance, marks: list[tuple[int, object]] = marks) -> int:
            import sys

            marks.append((number, sys._getframe(1).f_locals.get("x", "unbound")))
            if len(marks) > 60:
                raise SystemExit
            if chance.random() < 0.1:
                raise Stop
            return number

        names = {
            "t": t,
            "c": lambda chance=chance: chance.random() < 0.5,
            "items": lambda chance=chance: range(chance.randint(0, 2)),
            "choose": lambda chance=chance: chance.randint(0, 2),
            "Stop": Stop,
            "manager": manager,
            "suppress": suppress,
        }
        exec(code, names)
        with suppress(Stop, SystemExit):
            names["f"](0)  # type: ignore[operator]
        yield marks
