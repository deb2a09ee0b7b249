"""Function bodies drawn from a grammar: a generated backend is not the same few functions over and over."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

VERBS = (
    "estimate",
    "rank",
    "merge",
    "split",
    "normalise",
    "collect",
    "compare",
    "allocate",
    "settle",
    "derive",
)
NOUNS = ("lines", "rates", "shares", "limits", "windows", "totals", "labels", "batches", "weights", "slots")


@dataclass
class Scope:
    """Names that are bound at a point of a function, by kind."""

    numbers: list[str]
    texts: list[str]
    lists: list[str]
    mappings: list[str]
    counter: int = 0
    lines: list[str] = field(default_factory=list)

    def fresh(self, kind: str, stem: str) -> str:
        """Binds a new name of a kind and returns it."""
        self.counter += 1
        name = (
            f"{stem}_{self.counter}" if self.counter > 3 else stem + ("", "_more", "_rest")[self.counter - 1]
        )
        getattr(self, kind).append(name)
        return name


class Writer:
    """Writes one function after another from its own random numbers."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def number(self, scope: Scope, depth: int = 0) -> str:
        """An expression of a number."""
        rng = self.rng
        if depth > 1 or rng.random() < 0.4:
            return rng.choice([*scope.numbers, str(rng.randint(0, 100))])
        shape = rng.randrange(5)
        if shape == 0:
            return f"({self.number(scope, depth + 1)} {rng.choice('+-*')} {self.number(scope, depth + 1)})"
        if shape == 1:
            return f"len({rng.choice(scope.lists)})"
        if shape == 2:
            return f"{rng.choice(scope.mappings)}.get({self.text(scope, 2)}, {rng.randint(0, 9)})"
        if shape == 3:
            return f"{rng.choice(('min', 'max'))}({self.number(scope, 2)}, {self.number(scope, 2)})"
        return f"round({self.number(scope, depth + 1)} / {rng.randint(1, 60)}, {rng.randint(0, 3)})"

    def text(self, scope: Scope, depth: int = 0) -> str:
        """An expression of a string."""
        rng = self.rng
        if depth > 1 or rng.random() < 0.4:
            return rng.choice([*scope.texts, f'"{rng.choice(NOUNS)}"'])
        name = rng.choice(scope.texts)
        shape = rng.randrange(4)
        if shape == 0:
            return f"{name}.{rng.choice(('lower', 'strip', 'upper', 'title'))}()"
        if shape == 1:
            return f'f"{{{name}}}-{{{rng.choice(scope.numbers)}}}"'
        if shape == 2:
            return f'{name}.replace("{rng.choice("_-./")}", " ")'
        return f'str({self.number(scope, 2)}).rjust({rng.randint(2, 12)}, "0")'

    def condition(self, scope: Scope) -> str:
        """An expression of a truth value."""
        rng = self.rng
        shape = rng.randrange(5)
        if shape == 0:
            return f"{rng.choice(scope.numbers)} {rng.choice(('<', '>', '>=', '=='))} {self.number(scope, 1)}"
        if shape == 1:
            return f"not {rng.choice(scope.lists)}"
        if shape == 2:
            return f"{self.text(scope, 2)} in {rng.choice(scope.mappings)}"
        if shape == 3:
            return (
                f"{rng.choice(scope.texts)}.startswith({self.text(scope, 2)}) and {rng.choice(scope.numbers)}"
            )
        return f"{rng.choice(scope.texts)} is not None"

    def block(self, scope: Scope, indent: int, depth: int, least: int = 1, most: int = 3) -> None:
        """Several statements; names bound in it are forgotten after it."""
        kinds = ("numbers", "texts", "lists", "mappings")
        before = {kind: list(getattr(scope, kind)) for kind in kinds}
        for _ in range(self.rng.randint(least, most)):
            self.statement(scope, "    " * indent, indent, depth)
        for kind in kinds:
            setattr(scope, kind, before[kind])

    def statement(self, scope: Scope, pad: str, indent: int, depth: int) -> None:
        """One statement of a random form; compound ones while the nesting is low."""
        rng, out = self.rng, scope.lines
        shape = rng.randrange(6 if depth >= 2 else 11)
        if shape == 0:
            value = self.number(scope)
            out.append(f"{pad}{scope.fresh('numbers', rng.choice(NOUNS)[:-1])} = {value}")
        elif shape == 1:
            value = self.text(scope)
            out.append(f"{pad}{scope.fresh('texts', rng.choice(('label', 'key', 'path', 'note')))} = {value}")
        elif shape == 2:
            out.append(f"{pad}{rng.choice(scope.mappings)}[{self.text(scope, 1)}] = {self.number(scope)}")
        elif shape == 3:
            out.append(f"{pad}{rng.choice(scope.lists)}.append({self.number(scope)})")
        elif shape == 4:
            item, source = rng.choice(("item", "entry", "value")), rng.choice(scope.lists)
            value = f"[{item} {rng.choice('*+-')} {self.number(scope, 1)} for {item} in {source} if {item}]"
            out.append(f"{pad}{scope.fresh('lists', rng.choice(NOUNS))} = {value}")
        elif shape == 5:
            message = f"{rng.choice(VERBS)} %s of %s"
            out.append(f'{pad}logger.debug("{message}", {self.number(scope, 1)}, {self.text(scope, 2)})')
        else:
            self.compound(scope, pad, indent, depth, shape)

    def compound(self, scope: Scope, pad: str, indent: int, depth: int, shape: int) -> None:
        """An if, loop, try or with block."""
        rng, out = self.rng, scope.lines
        if shape in (6, 7):
            out.append(f"{pad}if {self.condition(scope)}:")
            self.block(scope, indent + 1, depth + 1)
            if rng.random() < 0.4:
                out.append(f"{pad}elif {self.condition(scope)}:")
                self.block(scope, indent + 1, depth + 1)
            if rng.random() < 0.4:
                out.append(f"{pad}else:")
                self.block(scope, indent + 1, depth + 1)
        elif shape == 8:
            name = rng.choice(("row", "part", "step"))
            out.append(f"{pad}for {name} in {rng.choice(scope.lists)}:")
            inner = Scope(
                [*scope.numbers, name], scope.texts, scope.lists, scope.mappings, scope.counter, scope.lines
            )
            self.block(inner, indent + 1, depth + 1, 2, 4)
            scope.counter = inner.counter
        elif shape == 9:
            mapping = rng.choice(scope.mappings)
            out.append(f"{pad}for name, figure in sorted({mapping}.items(), key=lambda pair: pair[1]):")
            inner = Scope(
                [*scope.numbers, "figure"],
                [*scope.texts, "name"],
                scope.lists,
                [m for m in scope.mappings if m != mapping] or ["result"],
                scope.counter,
                scope.lines,
            )
            self.block(inner, indent + 1, depth + 1, 1, 3)
            scope.counter = inner.counter
        else:
            out.append(f"{pad}try:")
            self.block(scope, indent + 1, depth + 1)
            caught = rng.choice(("ValueError", "(KeyError, TypeError)", "ZeroDivisionError"))
            out.append(f"{pad}except {caught} as error:")
            out.append(f'{pad}    logger.warning("not used: %s", error)')
            if rng.random() < 0.5:
                out.append(f"{pad}    raise RuleError({self.text(scope, 2)}) from error")

    def function(self, index: int, noun: str) -> list[str]:
        """A module-level function over plain values."""
        rng = self.rng
        name = f"{rng.choice(VERBS)}_{noun}_{rng.choice(NOUNS)}_{index}"
        number, text, items = rng.choice(NOUNS)[:-1] + "_count", "region", rng.choice(NOUNS)
        scope = Scope([number, "factor"], [text], [items], ["result"])
        scope.lines += [
            f"def {name}(",
            f"    {items}: list[float], {text}: str, *, {number}: int = {rng.randint(1, 50)},",
            "    factor: float = 1.0,",
            ") -> dict[str, float]:",
            f'    """{rng.choice(VERBS).capitalize()} {items} of a {noun.replace("_", " ")} by {text}."""',
            "    result: dict[str, float] = {}",
        ]
        for _ in range(rng.randint(2, 8)):
            self.statement(scope, "    ", 1, 0)
        scope.lines.append("    return result")
        return scope.lines

    def policy_class(self, cls: str, names: list[str]) -> list[str]:
        """A dataclass whose methods call some of the functions."""
        rng = self.rng
        lines = [
            "@dataclass(frozen=True, slots=True)",
            f"class {cls}Policy:",
            f'    """Limits that apply to a {cls}."""',
            "",
            "    region: str",
            f"    ceiling: float = {rng.randint(100, 9000)}.0",
            "    steps: tuple[float, ...] = ()",
        ]
        for position, name in enumerate(rng.sample(names, k=min(4, len(names)))):
            lines += [
                "",
                f"    def step_{position}(self, values: list[float]) -> float:",
                f'        """Applies {name.replace("_", " ")}."""',
                f"        outcome = {name}(values, self.region, factor={rng.randint(1, 5)})",
                "        if not outcome:",
                "            return 0.0",
                "        return min(self.ceiling, sum(outcome.values()))",
            ]
        return lines
