"""The answer in six parts: a value, its Markdown, and the way back from what a model wrote."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: Field of an answer to its heading, in the order in which they stand.
PARTS = {
    "context": "Context",
    "approach": "Approach",
    "implementation": "Implementation",
    "validation": "Validation",
    "considerations": "Considerations",
    "follow_ups": "Follow-ups",
}
MAX_FOLLOW_UPS = 3
NOTHING = "None."

_NUMBER = lazy_pattern(r"^\W*(?:(?:part|step)\s+)?\d*\W*|\W+$", re.IGNORECASE)
_ALONE_IN_BOLD = lazy_pattern(r"(\*\*|__)(?P<said>[^*_]+)\1\s*:?")
_PATH_COMMENT = lazy_pattern(
    r"^\s*(?:#|--|//|/\*|<!--|;)\s*(?P<path>[\w.\-/@+]+?)(?::(?P<line>\d+)(?:-\d+)?)?\s*(?:\*/|-->)?\s*$"
)
_FILE_NAME = lazy_pattern(r"(?:.*/)?(?:Dockerfile|Makefile|Procfile|\.env[\w.]*|[\w.\-@+]*\.[A-Za-z]\w{0,9})")
#: A file of a project; an address such as `db.example.net:5432` is none.
FILE = (
    r"[\w./@+-]*(?:\w\.(?:py|pyi|toml|ini|cfg|conf|ya?ml|json|txt|md|rst|sql|html?|jinja2?|j2|sh|lock|mako|env)"
    r"|\.env(?:\.\w+)*|Dockerfile|Makefile|Procfile)"
)
_CITED = lazy_pattern(
    rf"(?<![\w./:-])(?:(?P<from>\d+):(?P<to>\d+):(?P<after>{FILE})"
    rf"|(?P<path>{FILE}):(?P<line>\d+)(?:-(?P<end>\d+))?)(?![\w/])"
    r"(?:[`*_:,()\s\[\]-]{1,6}(?P<rule>[a-z][a-z0-9]*(?:-[a-z0-9]+)+)\b)?"
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; every part is Markdown.

    Attributes:
        context: what was looked at and understood.
        approach: what is done, and why so.
        implementation: findings and working code.
        validation: how to see that it works.
        considerations: what to know before saying yes: trade-offs, security, cost.
        follow_ups: what to do or to answer next, at most three.
    """

    context: str
    approach: str
    implementation: str
    validation: str
    considerations: str
    follow_ups: tuple[str, ...] = ()

    def part(self, name: str) -> str:
        """A part's Markdown; the follow-ups as a list."""
        if name != "follow_ups":
            return str(getattr(self, name))
        return "\n".join(f"{n}. {each}" for n, each in enumerate(self.follow_ups, 1)) or NOTHING


class NotAnAnswer(ValueError):
    """A text is no answer in six parts.

    Attributes:
        problems: what is missing, twice, strange or out of order; one sentence each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class CodeBlock(msgspec.Struct, frozen=True):
    """A fenced block of a part.

    Attributes:
        part: field of the answer.
        language: lower case, "" where none is named.
        code: without the fences.
        path: what the comment on top says, "" for none.
        line: the line in that file that the comment names, 0 for none.
    """

    part: str
    language: str
    code: str
    path: str = ""
    line: int = 0


class Passage(msgspec.Struct, frozen=True):
    """A paragraph, heading, list item or table cell of a part, as Markdown without its marks in front.

    Attributes:
        part: field of the answer.
        text: what it says; code in backticks stays.
        in_table: it is a cell.
        heading: it is a heading.
    """

    part: str
    text: str
    in_table: bool = False
    heading: bool = False


class Citation(msgspec.Struct, frozen=True):
    """A place in the project's code that a text names.

    Attributes:
        path: relative to the project.
        line: 1 for the first; end: the last line of a range.
        rule: the name that follows, "" for none.
    """

    path: str
    line: int
    end: int
    rule: str = ""


def render(answer: Answer) -> str:
    """The answer as Markdown: six headings of the second level."""
    return "\n\n".join(f"## {title}\n\n{answer.part(name).strip()}" for name, title in PARTS.items()) + "\n"


def parse(text: str) -> Answer:
    """The answer in a model's Markdown.

    Headings may have any level, a number, bold instead of hashes, a colon; the parts must be there, once, in order, and
    nothing outside of them.

    Raises:
        NotAnAnswer: saying all that is wrong with the parts.
    """
    text = _unwrapped(text)
    lines = text.split("\n")
    headings = list(_headings(_markdown().parse(text)))
    known = [each for each in headings if each.part]
    level = min((each.level for each in known), default=1)
    problems = list(_problems(known, [e for e in headings if not e.part and e.level <= level], lines))
    ends = [*(each.start for each in known[1:]), len(lines)]
    said = {
        each.part: "\n".join(lines[each.end : end]).strip() for each, end in zip(known, ends, strict=False)
    }
    problems += [f"the part {PARTS[name]} is empty" for name in PARTS if name in said and not said[name]]
    if problems:
        raise NotAnAnswer(tuple(problems))
    follow_ups = tuple(_items(said.pop("follow_ups")))
    return Answer(**said, follow_ups=follow_ups)


def blocks(answer: Answer) -> list[CodeBlock]:
    """Every block of code, in order."""
    return [_block(name, token) for name, token in _tokens(answer) if token.type in ("fence", "code_block")]


def passages(answer: Answer) -> list[Passage]:
    """Everything that is said outside of blocks of code, in order."""
    found: list[Passage] = []
    table = heading = False
    for name, token in _tokens(answer):
        if token.type in ("table_open", "table_close"):
            table = token.type == "table_open"
        elif token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type in ("inline", "html_block") and token.content.strip():
            found.append(Passage(name, token.content.strip(), table, heading))
    return found


def citations(text: str) -> list[Citation]:
    """Places that a text cites as `path:line`, `path:line rule` or `start:end:path`."""
    found = []
    for match in _CITED.finditer(text):
        path = match["path"] or match["after"]
        line = int(match["line"] or match["from"])
        end = int(match["end"] or match["to"] or line)
        found.append(Citation(path, line, end, match["rule"] or ""))
    return found


# ── reading Markdown ─────────────────────────────────────────────────────────────────────────────────────────────


class _Heading(msgspec.Struct, frozen=True):
    part: str
    said: str
    level: int
    start: int
    end: int


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _unwrapped(text: str) -> str:
    """The text itself where all of it stands in one block of Markdown."""
    text = text.replace("\r\n", "\n").strip()
    tokens = _markdown().parse(text)
    if (
        len(tokens) == 1
        and tokens[0].type == "fence"
        and tokens[0].info.strip().lower() in ("markdown", "md")
    ):
        return tokens[0].content.strip()
    return text


def _headings(tokens: list[Token]) -> Iterator[_Heading]:
    """Headings that stand for themselves, not in lists or quotations."""
    for opening, inline in itertools.pairwise(tokens):
        if opening.level or opening.map is None or inline.type != "inline":
            continue
        start, end = opening.map
        if opening.type == "heading_open":
            yield _Heading(_part_named(inline.content), inline.content, int(opening.tag[1]), start, end)
        elif opening.type == "paragraph_open":
            # `**Context**` or `Context:` alone on a line is a heading, too, where it names a part.
            first = inline.content.split("\n", 1)[0].strip()
            bold = _ALONE_IN_BOLD.fullmatch(first)
            said = bold["said"] if bold else first.removesuffix(":") if first.endswith(":") else ""
            if said and (part := _part_named(said)):
                yield _Heading(part, said, 2, start, start + 1)


def _part_named(heading: str) -> str:
    said = _NUMBER.sub("", heading.strip()).lower()
    said = re.sub(r"[\s_-]+", "_", said)
    return {"followups": "follow_ups", "follow_up": "follow_ups"}.get(said, said if said in PARTS else "")


def _problems(known: list[_Heading], strange: list[_Heading], lines: list[str]) -> Iterator[str]:
    there = [each.part for each in known]
    missing = [title for name, title in PARTS.items() if name not in there]
    if missing:
        yield f"missing: {', '.join(missing)}"
    twice = [title for name, title in PARTS.items() if there.count(name) > 1]
    if twice:
        yield f"more than once: {', '.join(twice)}"
    wanted = [name for name in PARTS if name in there]
    if not twice and there != wanted:
        yield f"out of order: {', '.join(PARTS[name] for name in there)}"
    if strange:
        yield f"no part of an answer: {', '.join(repr(each.said) for each in strange)}"
    if known and "".join(lines[: known[0].start]).strip() and not strange:
        yield f"text stands before {PARTS[known[0].part]}"


def _items(text: str) -> Iterator[str]:
    """The entries of the follow-ups: of a list, or paragraphs where there is none."""
    if text.strip().strip("*_").rstrip(".").lower() in ("none", "no follow-ups", "n/a", "-"):
        return
    tokens = _markdown().parse(text)
    lines = text.split("\n")
    for token in tokens:
        if token.map is None or not _is_entry(token):
            continue
        said = "\n".join(lines[token.map[0] : token.map[1]]).strip()
        yield re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", said) if token.type == "list_item_open" else said


def _is_entry(token: Token) -> bool:
    first_list = token.type == "list_item_open" and token.level == 1
    return first_list or (token.level == 0 and token.type in ("paragraph_open", "heading_open", "fence"))


def _tokens(answer: Answer) -> Iterator[tuple[str, Token]]:
    for name in PARTS:
        for token in _markdown().parse(answer.part(name)):
            yield name, token


def _block(part: str, token: Token) -> CodeBlock:
    language = token.info.strip().split(None, 1)[0].lower() if token.info.strip() else ""
    first = token.content.lstrip("\n").split("\n", 1)[0]
    comment = _PATH_COMMENT.fullmatch(first)
    if comment is None or not _FILE_NAME.fullmatch(comment["path"]):
        return CodeBlock(part, language, token.content)
    return CodeBlock(part, language, token.content, comment["path"], int(comment["line"] or 0))
