"""Lays generated code out as people and formatters do: broken calls, longer docstrings, remarks, blank lines.

Templates are dense; real back ends hold about four syntax nodes a line. Cost per line depends on that, so a
generated tree without this pass would be measured as twice the code it claims to be.
"""

from __future__ import annotations

import random
import re

OPENING, CLOSING = "([{", ")]}"

SUBJECTS = (
    "the caller",
    "the partner",
    "the worker",
    "an operator",
    "the organization",
    "the first row",
    "the queue",
)
PREDICATES = (
    "expects the rows in the order in which they were stored",
    "may send the same value twice, which is not an error",
    "reads this only after the transaction has been committed",
    "keeps the former value until the next run",
    "has no use for entries that are already closed",
    "decides about the limit, not this layer",
    "sees the result with a delay of a few minutes",
    "falls back to the default of its region",
    "counts in the currency of the account",
)


def parts_of(inner: str) -> list[str] | None:
    """The top-level parts of what stands in a pair of brackets; None when a quote or bracket stays open."""
    parts, start, depth, quote, position = [], 0, 0, "", 0
    while position < len(inner):
        char = inner[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char in OPENING:
            depth += 1
        elif char in CLOSING:
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(inner[start:position])
            start = position + 1
        position += 1
    if quote or depth:
        return None
    parts.append(inner[start:])
    return [part.strip() for part in parts if part.strip()]


def groups(line: str) -> list[tuple[int, int]]:
    """Start and end of the outermost bracket pairs of a line; none when the line is not balanced."""
    found, depth, start, quote, position = [], 0, 0, "", 0
    while position < len(line):
        char = line[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char == "#":
            return []
        elif char in OPENING:
            start = position if depth == 0 else start
            depth += 1
        elif char in CLOSING:
            depth -= 1
            if depth < 0:
                return []
            if depth == 0:
                found.append((start, position))
        position += 1
    return [] if quote or depth else found


def broken(line: str, width: int) -> list[str]:
    """A line that is too wide as several, one argument each; the line itself when it cannot be broken."""
    if len(line) <= width or '"""' in line:
        return [line]
    best: tuple[int, int, list[str]] | None = None
    for start, end in groups(line):
        inner = line[start + 1 : end]
        if re.search(r"\bfor\b|\blambda\b", inner):
            continue
        parts = parts_of(inner)
        if parts and len(parts) > 1 and (best is None or end - start > best[1] - best[0]):
            best = (start, end, parts)
    if best is None:
        return [line]
    start, end, parts = best
    pad = line[: len(line) - len(line.lstrip())] + "    "
    lines = [line[: start + 1]]
    for part in parts:
        lines += broken(f"{pad}{part},", width)
    return [*lines, pad[:-4] + line[end:]]


def sentence(rng: random.Random) -> str:
    """A remark as they stand in code."""
    first = f"{rng.choice(SUBJECTS).capitalize()} {rng.choice(PREDICATES)}"
    second = f", and {rng.choice(SUBJECTS)} {rng.choice(PREDICATES)}" if rng.random() < 0.4 else ""
    return f"{first}{second}."


def longer_docstring(line: str, rng: random.Random) -> list[str]:
    """A one-line docstring with a paragraph or a list of results below it."""
    pad = line[: len(line) - len(line.lstrip())]
    lines = [line.removesuffix('"""')]
    if rng.random() < 0.6:
        lines += ["", *(pad + sentence(rng) for _ in range(rng.randint(1, 3)))]
    if rng.random() < 0.6:
        lines += ["", f"{pad}Returns:", f"{pad}    What {rng.choice(SUBJECTS)} needs.", "", f"{pad}Raises:"]
        lines += [f"{pad}    RuleError: When {rng.choice(SUBJECTS)} {rng.choice(PREDICATES)}."]
    return [*lines, f'{pad}"""']


def laid_out(text: str, rng: random.Random) -> str:
    """The same module in a looser layout; its syntax tree differs in docstrings alone."""
    width = rng.choice((40, 40, 56, 72))
    out: list[str] = []
    in_string = False
    open_brackets = 0
    for line in text.split("\n"):
        stripped = line.lstrip()
        pad = line[: len(line) - len(stripped)]
        quotes = line.count('"""')
        if quotes == 2 and stripped.startswith('"""') and pad and rng.random() < 0.55:
            out += longer_docstring(line, rng)
            continue
        if not in_string and quotes == 0:
            starts = stripped.startswith(("if ", "for ", "try:", "return ", "async with", "with ", "while "))
            if starts and open_brackets == 0 and out and not out[-1].endswith((":", '"""')):
                out += [""] if rng.random() < 0.5 else []
                out += [f"{pad}# {sentence(rng)}"] if rng.random() < 0.3 else []
            out += broken(line, width)
            open_brackets += sum(line.count(c) for c in OPENING) - sum(line.count(c) for c in CLOSING)
        else:
            out.append(line)
        if quotes % 2:
            in_string = not in_string
    return "\n".join(out)
