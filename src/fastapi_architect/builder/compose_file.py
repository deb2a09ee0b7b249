"""`compose.yaml` of a project that `architect new` made: the services and variables that its components need.

The skeleton's file holds all of them. A new project gets it without what nobody needs; a project that gets a component later
gets the blocks that came to be needed, put as text behind what stands before them in the skeleton, so that edits and comments
stay. What the file says then must be what it said before and the new blocks, or nothing is edited.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator, Sequence

import msgspec

from fastapi_architect.appgraph.yaml_nodes import InvalidYaml, YamlNode, parse_yaml

FILE = "compose.yaml"
_Path = tuple[str, ...]
_ALIAS = re.compile(r"[:-] \*(\w+)$", re.MULTILINE)


class CannotPlace(Exception):
    """The file is not written as the skeleton's; the message says where."""


class Block(msgspec.Struct, frozen=True):
    """A key of the file with all that stands below it.

    Attributes:
        path: of the key, from the outermost.
        lines: its text with the comments above it, indented as in the skeleton.
        behind: keys of the same mapping that stand before it there, the nearest first.
        spaced: an empty line stands before it.
    """

    path: _Path
    lines: tuple[str, ...]
    behind: tuple[str, ...]
    spaced: bool

    @property
    def text(self) -> str:
        """The block as somebody would put it in by hand."""
        return "\n".join(self.lines)


def compose_for(skeleton: str, components: Collection[str]) -> str:
    """The file of a project with these components.

    Args:
        skeleton: the file with everything that any project needs.
        components: names of those that the service uses.
    """
    absent = set()
    if {"celery_tasks", "redis_pool"}.isdisjoint(components):
        absent |= {"redis", "REDIS_URL"}
    if "celery_tasks" in components:
        absent |= {"events"}
    else:
        absent |= {"worker", "relay", "CELERY_BROKER_URL"}
    if "outbox" not in components:
        absent |= {"events"}
    return _without_keys(skeleton, absent)


def differences(before: str, after: str) -> tuple[list[Block], list[Block]]:
    """Blocks that one file of the skeleton has and the other has not: those that came, and those that went."""
    return list(_missing(before, after)), list(_missing(after, before))


def with_blocks(text: str, blocks: Sequence[Block]) -> str:
    """The user's file with these blocks; one that is there already is left as it is.

    Raises:
        CannotPlace: a block has no safe place.
    """
    added = []
    edited = text
    for block in blocks:
        parent = _mapping(edited, block.path[:-1])
        if block.path[-1] not in _keys(parent):
            _refuse_without_anchors(edited, block)
            edited = _inserted(edited, parent, block)
            added.append(block.path)
    _verify(text, edited, added)
    return edited


def without_block(text: str, block: Block) -> str | None:
    """The user's file without a block; None where it is there in another form than the skeleton's."""
    try:
        parent = _mapping(text, block.path[:-1])
    except CannotPlace:
        return None
    place = _keys(parent).get(block.path[-1])
    if place is None:
        return text
    lines = text.split("\n")
    begin, end = _extent(lines, place.line)
    if tuple(lines[begin:end]) != block.lines:
        return None
    while begin and not lines[begin - 1].strip() and (end == len(lines) or not lines[end].strip()):
        begin -= 1
    return "\n".join([*lines[:begin], *lines[end:]])


def _without_keys(text: str, absent: set[str]) -> str:
    """A YAML text without what stands below these keys, and without the comments above them."""
    kept: list[str] = []
    dropped: int | None = None
    for line in text.splitlines():
        if dropped is not None and line.strip() and _indentation(line) > dropped:
            continue
        dropped = None
        if line.strip().partition(":")[0] in absent:
            dropped = _indentation(line)
            while kept and kept[-1].lstrip().startswith("#"):
                kept.pop()
        elif line.strip() or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept) + "\n"


def _missing(there: str, wanted: str) -> Iterator[Block]:
    """Blocks of one file that another lacks, the outermost of each."""
    lines = wanted.split("\n")
    pending: list[tuple[_Path, YamlNode, YamlNode]] = [((), _tree(there), _tree(wanted))]
    while pending:
        path, old, new = pending.pop(0)
        known = {key.text: value for key, value in old.pairs}
        passed: list[str] = []
        for key, value in new.pairs:
            if key.text not in known:
                begin, end = _extent(lines, key.line)
                spaced = begin > 0 and not lines[begin - 1].strip()
                yield Block((*path, key.text), tuple(lines[begin:end]), tuple(reversed(passed)), spaced)
            elif key.text != "<<":  # what is merged in stands elsewhere
                pending.append(((*path, key.text), known[key.text], value))
            passed.append(key.text)


def _tree(text: str) -> YamlNode:
    try:
        node = parse_yaml(text)
    except InvalidYaml as error:
        message = f"it cannot be read ({error})"
        raise CannotPlace(message) from error
    return node or YamlNode("mapping", 1)


def _mapping(text: str, path: _Path) -> YamlNode:
    """The mapping at a path, which holds something and is written one key a line."""
    node = _tree(text)
    for key in path:
        found = [value for name, value in node.pairs if name.text == key]
        if len(found) != 1:
            message = f"it has no `{'.'.join(path)}`"
            raise CannotPlace(message)
        node = found[0]
    lines = text.split("\n")
    begun = [lines[key.line - 1].lstrip().strip("\"'").startswith(key.text) for key, _ in node.pairs]
    if node.kind != "mapping" or not begun or not all(begun):
        message = f"`{'.'.join(path)}` is not written as one key a line"
        raise CannotPlace(message)
    return node


def _keys(mapping: YamlNode) -> dict[str, YamlNode]:
    return {key.text: key for key, _ in mapping.pairs}


def _inserted(text: str, parent: YamlNode, block: Block) -> str:
    lines = text.split("\n")
    keys = _keys(parent)
    before = next((keys[name] for name in block.behind if name in keys), None) or parent.pairs[-1][0]
    _, at = _extent(lines, before.line)
    indentation = " " * _indentation(lines[before.line - 1])
    moved = textwrap.indent(textwrap.dedent(block.text), indentation).split("\n")
    return "\n".join([*lines[:at], *([""] if block.spaced else []), *moved, *lines[at:]])


def _refuse_without_anchors(text: str, block: Block) -> None:
    for name in _ALIAS.findall(block.text):
        if f"&{name}" not in text:
            message = f"it has no `&{name}`"
            raise CannotPlace(message)


def _extent(lines: Sequence[str], line: int) -> tuple[int, int]:
    """Where a key (in that line, from 1) begins with the comments above it, and where all below it has ended."""
    indentation = _indentation(lines[line - 1])
    begin = line - 1
    while (
        begin and lines[begin - 1].lstrip().startswith("#") and _indentation(lines[begin - 1]) == indentation
    ):
        begin -= 1
    end = line
    for number in range(line, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        # A list may stand as far left as its key.
        if _indentation(text) <= indentation and not text.startswith(" " * indentation + "- "):
            break
        end = number + 1
    return begin, end


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _verify(before: str, after: str, added: Sequence[_Path]) -> None:
    """Hold the edited file to what it said before.

    Raises:
        CannotPlace: something else would have changed.
    """
    tree = _tree(after)
    for path in added:
        parent = _descend(tree, path[:-1])
        parent.pairs = [pair for pair in parent.pairs if pair[0].text != path[-1]]
    if not _same(_tree(before), tree, set()):
        message = "something else of it would change"
        raise CannotPlace(message)


def _descend(node: YamlNode, path: _Path) -> YamlNode:
    for key in path:
        node = next(value for name, value in node.pairs if name.text == key)
    return node


def _same(one: YamlNode, other: YamlNode, compared: set[tuple[int, int]]) -> bool:
    """Whether two trees say the same; an alias is the node itself, so that each pair is compared once."""
    if (id(one), id(other)) in compared:
        return True
    compared.add((id(one), id(other)))
    if (one.kind, one.text, len(one.items), len(one.pairs)) != (
        other.kind,
        other.text,
        len(other.items),
        len(other.pairs),
    ):
        return False
    pairs = [
        *zip(one.items, other.items, strict=True),
        *(both for a, b in zip(one.pairs, other.pairs, strict=True) for both in zip(a, b, strict=True)),
    ]
    return all(_same(a, b, compared) for a, b in pairs)
