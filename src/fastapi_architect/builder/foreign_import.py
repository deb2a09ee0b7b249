"""One import more in a file of somebody else: one new line, and no other line changes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import msgspec

from fastapi_architect.builder.import_block import insert_import
from fastapi_architect.builder.placing import Place


class Imported(msgspec.Struct, frozen=True):
    """Names of the registry as the file calls them."""

    statement: str
    install: str
    components: str


def import_of(text: str, folder: str, package: Place, registry: str) -> Imported:
    """The import of `components` and `install` for a file, in the style of its other imports.

    Args:
        text: the file.
        folder: where it lies, relative to the project.
        package: the package that holds the registry; its name is "" at the root of imports.
        registry: the registry's module in it.
    """
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} | {
        name for node in ast.walk(ast.parse(text)) for name in _bound(node)
    }
    names = []
    for name, other in (("components", "service_components"), ("install", "install_components")):
        names.append((name, other if name in used else name))
    listed = ", ".join(name if name == own else f"{name} as {own}" for name, own in names)
    relative = _relative(text, folder, package, registry)
    absolute = f"{package.name}.{registry}" if package.name else registry
    return Imported(f"from {relative or absolute} import {listed}", names[1][1], names[0][1])


def with_import(text: str, statement: str, package: Place) -> str:
    """The file with the import beside the file's imports from its own package, or at its head."""
    wanted = ast.parse(statement).body[0]
    assert isinstance(wanted, ast.ImportFrom)
    tops = {package.name.partition(".")[0]} if package.name else set()
    own = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom)
        and node.module != "__future__"
        and (node.level > 0 or (node.module or "").partition(".")[0] in tops)
    ]
    like = [node for node in own if bool(node.level) == bool(wanted.level)]
    if not like:
        return insert_import(text, statement, tops or {(wanted.module or "").partition(".")[0]})
    lines = text.split("\n")
    block = _last_block(like)
    key = (-wanted.level, (wanted.module or "").lower())
    before = [node for node in block if (-node.level, (node.module or "").lower()) <= key]
    at = before[-1].end_lineno if before else block[0].lineno - 1
    return "\n".join([*lines[:at], statement, *lines[at:]])


def _last_block(nodes: Sequence[ast.ImportFrom]) -> list[ast.ImportFrom]:
    """The last imports that follow each other without an empty line or other code."""
    block = [nodes[-1]]
    for node in reversed(nodes[:-1]):
        if (node.end_lineno or 0) + 1 != block[0].lineno:
            break
        block.insert(0, node)
    return block


def _relative(text: str, folder: str, package: Place, registry: str) -> str:
    """The registry's name as seen from the file, where the file imports relatively; "" otherwise."""
    uses = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.parse(text).body)
    if not uses or not package.name:
        return ""
    inside = folder.removeprefix(package.folder).strip("/")
    depth = len(inside.split("/")) if inside else 0
    return "." * (depth + 1) + registry


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    return [node.arg] if isinstance(node, ast.arg) else []
