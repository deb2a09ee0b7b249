"""Kubernetes manifests: which workloads start servers, and in how many copies. Templates (Helm) are not rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.commands import ServerCommand, find_in_arguments
from fastapi_architect.appgraph.yaml_nodes import InvalidYaml, YamlNode, parse_yaml
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location

_KIND = lazy_pattern(r"^kind:[ \t]*['\"]?(Deployment|StatefulSet|ReplicaSet)\b", re.MULTILINE)
_SEPARATOR = lazy_pattern(r"^---[^\n]*$", re.MULTILINE)


class Workload(msgspec.Struct, frozen=True):
    """A Deployment or StatefulSet.

    Attributes:
        name: the workload.
        replicas: copies that run at the same time; 1 unless said otherwise, as Kubernetes has it.
        commands: servers and workers that its containers start by a command of their own.
        location: where.
    """

    name: str
    replicas: int
    commands: tuple[ServerCommand, ...]
    location: Location


def is_manifest(path: str, text: str) -> bool:
    """A YAML file with a workload that is written out."""
    return path.endswith((".yaml", ".yml")) and "{{" not in text and _KIND.search(text) is not None


def read_workloads(path: str, text: str) -> Iterator[Workload]:
    """The workloads of a manifest; documents that are no YAML are passed over."""
    start = 0
    for end in [*(m.start() for m in _SEPARATOR.finditer(text)), len(text)]:
        document, first = text[start:end], text.count("\n", 0, start)
        start = end + 4  # behind the `---` and its line end
        if _KIND.search(document) is None:
            continue
        try:
            root = parse_yaml(document)
        except InvalidYaml:
            continue
        yield _workload(path, root, first)


def _workload(path: str, root: YamlNode | None, first: int) -> Workload:
    spec = _at(root, "spec")
    replicas = _at(spec, "replicas")
    number = replicas.text if replicas is not None else "1"
    containers = _at(spec, "template", "spec", "containers")
    commands: list[ServerCommand] = []
    for container in containers.items if containers is not None else ():
        words = [
            item.text
            for key in ("command", "args")
            if (listed := _at(container, key)) is not None
            for item in listed.items
        ]
        where = Location(path, first + container.line)
        commands += find_in_arguments(words, where, "manifest", _environment(container))
    name = _at(root, "metadata", "name")
    return Workload(
        name.text if name is not None else "",
        int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
        tuple(commands),
        Location(path, first + (replicas or root or YamlNode("scalar", 1)).line),
    )


def _environment(container: YamlNode) -> dict[str, str]:
    listed = _at(container, "env")
    pairs = ((_at(e, "name"), _at(e, "value")) for e in (listed.items if listed is not None else ()))
    return {name.text: value.text for name, value in pairs if name is not None and value is not None}


def _at(node: YamlNode | None, *keys: str) -> YamlNode | None:
    """The node below a chain of keys; None where a key is missing."""
    for key in keys:
        node = (
            next((item for name, item in node.pairs if name.text == key), None) if node is not None else None
        )
    return node
