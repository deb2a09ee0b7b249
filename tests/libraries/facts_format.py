"""What the comments in `facts/*.py` say, and what the libraries say about the same lines.

`# $ SqlExecution raw statement=stmt; BlockingCall kind=database` names every concept of its line, in any
order, with the fields
worth saying: `flag` for True, `flag=False`, `kind=text`, `statement=source text`. A line without such a
comment has no concept.
`x  # : list[User]` says the type of the expression that stands alone on its line; both may be said: `x()  #
: int  # $ Digest`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.recognition import Recognised
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, Coroutine, Instance, Type, options
from fastapi_architect.syntax import ir, span
from fastapi_architect.syntax.parse import parse_file

FACTS = Path(__file__).parent / "facts"


@dataclass(frozen=True)
class Sample:
    """A sample file as the analyser sees it."""

    text: str
    program: Program
    recognised: Recognised

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def source(self, node: ir.Node) -> str:
        """The text of an expression on one line."""
        packed = node.span
        line = self.lines[span.line_of(packed) - 1]
        end = span.end_column_of(packed) if span.end_line_of(packed) == span.line_of(packed) else None
        return line.encode()[span.column_of(packed) : end].decode()


def load(path: Path) -> Sample:
    text = path.read_text("utf-8")
    libraries = all_libraries()
    parsed = parse_file(text.encode(), path.name)
    assert isinstance(parsed, ir.ParsedModule)
    program = Program({"sample.py": parsed}, libraries)
    return Sample(text, program, Recognised(program, libraries))


def expected_concepts(sample: Sample) -> dict[int, list[tuple[str, dict[str, str]]]]:
    """Line to the concepts that its comment names, each with the fields it names."""
    found = {}
    for number, line in enumerate(sample.lines, 1):
        _, mark, comment = line.partition("# $ ")
        if mark:
            found[number] = sorted((_parsed(part) for part in comment.split(";")), key=str)
    return found


def _parsed(part: str) -> tuple[str, dict[str, str]]:
    name, *words = part.split()
    return name, {key: value or "True" for key, _, value in (word.partition("=") for word in words)}


def found_concepts(sample: Sample) -> dict[int, list[Concept]]:
    """Line to the concepts recognised there."""
    found: dict[int, list[Concept]] = {}
    for concept in sample.recognised.all(Concept):
        found.setdefault(concept.location.line, []).append(concept)
    return found


def differences(sample: Sample) -> list[str]:
    """Lines whose concepts are not those of their comment: every one of a line, with the fields that the
    comment names.
    """
    expected, found = expected_concepts(sample), found_concepts(sample)
    wrong = []
    for line in sorted(expected.keys() | found.keys()):
        left = list(found.get(line, []))
        missing = []
        # The entries that say most choose first.
        for name, values in sorted(expected.get(line, []), key=lambda entry: -len(entry[1])):
            match = next((c for c in left if type(c).__name__ == name and _has(sample, c, values)), None)
            if match is None:
                missing.append((name, values))
            else:
                left.remove(match)
        if missing or left:
            wrong.append(
                f"line {line}: missing {missing}, unexpected {[_shown_concept(sample, c) for c in left]}"
            )
    return wrong


def _has(sample: Sample, concept: Concept, values: dict[str, str]) -> bool:
    unknown = [name for name in values if name not in concept.__struct_fields__]
    assert not unknown, f"{type(concept).__name__} has no {unknown}"
    return all(_text(sample, getattr(concept, name)) == value for name, value in values.items())


def _shown_concept(sample: Sample, concept: Concept) -> str:
    names = concept.__struct_fields__[2:]
    values = [f"{name}={_text(sample, getattr(concept, name))}" for name in names if getattr(concept, name)]
    return f"{type(concept).__name__} {' '.join(values)}"


def _text(sample: Sample, value: object) -> str:
    if isinstance(value, ir.Keyword):
        return f"{value.arg}={_text(sample, value.value)}"
    if isinstance(value, ir.Node):
        return sample.source(value)
    if isinstance(value, tuple):
        return ",".join(_text(sample, each) for each in value)
    return str(value)


def expected_types(sample: Sample) -> dict[int, str]:
    """Line to the type its comment names."""
    marked = ((number, line.partition("  # : ")) for number, line in enumerate(sample.lines, 1))
    return {number: comment.partition("  # $ ")[0].strip() for number, (_, mark, comment) in marked if mark}


def found_types(sample: Sample) -> dict[int, str]:
    """Line of an expression that stands alone to its type."""
    found = {}
    module = next(iter(sample.program.modules.values()))
    for scope in (module, *sample.program.functions):
        for site in scope.facts.sites(ir.ExprStmt):
            of = sample.program.inference.type_of(site.node.value, scope)
            found[span.line_of(site.node.span)] = shown(of)
    return found


def shown(of: Type | None) -> str:
    """A type as its comment writes it: last names, arguments in brackets."""
    return " | ".join(sorted(_shown(option) for option in options(of))) or "?"


def _shown(of: Type) -> str:
    if isinstance(of, Coroutine):
        return f"Coroutine[{shown(of.result)}]"
    if isinstance(of, Instance | ClassRef):
        name = of.name.rpartition(".")[2]
        inner = f"{name}[{', '.join(shown(arg) for arg in of.args)}]" if of.args else name
        return f"type[{inner}]" if isinstance(of, ClassRef) else inner
    return type(of).__name__
