"""YAML as a tree of nodes with lines, built from parser events without recursion.

Traps
-----
* `yaml.compose` of the C loader recurses without a limit: a file of 100,000 brackets ends the process.
* Constructing values copies what aliases and `<<` refer to: a small file becomes gigabytes. Here an alias is
the node itself.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_TEXT = 256_000
_MAX_DEPTH = 60


class YamlNode(msgspec.Struct, eq=False):
    """One node.

    Attributes:
        kind: scalar, sequence or mapping.
        line: from 1.
        text: of a scalar.
        items: of a sequence.
        pairs: of a mapping, in order.
    """

    kind: str
    line: int
    text: str = ""
    items: list[YamlNode] = msgspec.field(default_factory=list)
    pairs: list[tuple[YamlNode, YamlNode]] = msgspec.field(default_factory=list)


class InvalidYaml(ValueError):
    """The text is no YAML, or not one that is read here; the message says why."""


def parse_yaml(text: str) -> YamlNode | None:
    """The first document of a text, None when it is empty.

    Raises:
        InvalidYaml: whatever is wrong with it.
    """
    if len(text) > MAX_TEXT:
        message = f"larger than {MAX_TEXT // 1000} kB"
        raise InvalidYaml(message)
    import yaml  # most files of a tree are no YAML

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            builder.add(event)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = " ".join(str(error).split())[:200]
        raise InvalidYaml(message) from error
    return builder.root


class _Builder:
    """Puts events together; `stack` holds the open collections, each with the key that waits for its
    value.
    """

    def __init__(self) -> None:
        self.root: YamlNode | None = None
        self.stack: list[tuple[YamlNode, list[YamlNode]]] = []
        self.anchors: dict[str, YamlNode] = {}

    def add(self, event: Any) -> None:
        name = type(event).__name__
        line = event.start_mark.line + 1
        if name == "AliasEvent":
            known = self.anchors.get(getattr(event, "anchor", ""))
            self._place(known or YamlNode("scalar", line))
            return
        if name in ("SequenceEndEvent", "MappingEndEvent"):
            self.stack.pop()
            return
        if name == "ScalarEvent":
            node = YamlNode("scalar", line, getattr(event, "value", ""))
        elif name in ("SequenceStartEvent", "MappingStartEvent"):
            node = YamlNode("sequence" if name.startswith("Sequence") else "mapping", line)
        else:
            return
        self._place(node)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = node
        if node.kind != "scalar":
            if len(self.stack) >= _MAX_DEPTH:
                message = f"nested more than {_MAX_DEPTH} deep"
                raise InvalidYaml(message)
            self.stack.append((node, []))

    def _place(self, node: YamlNode) -> None:
        if not self.stack:
            self.root = self.root or node
            return
        parent, waiting = self.stack[-1]
        if parent.kind == "sequence":
            parent.items.append(node)
        elif waiting:
            parent.pairs.append((waiting.pop(), node))
        else:
            waiting.append(node)
