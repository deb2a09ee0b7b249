"""Run by a newer Python: reads a JSON list of sources, writes their trees in terms of older syntax, or null.

A tree is `[class, fields, line, column]`. Type parameters are taken out and listed, `type X = ...` is an
assignment, and the ways in which versions differ in f-strings (empty and adjacent constants) are evened out.
"""

import ast
import json
import sys
import warnings


def plain(node: object) -> object:
    """The tree below `node` as lists, dictionaries and text."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, ast.AST):
        # Numbers too large for decimal digits, and surrogates, are text here.
        value = hex(node) if isinstance(node, int) else ascii(node)
        return None if node is None else f"{type(node).__name__} {value}"
    name = type(node).__name__
    fields = {field: getattr(node, field, None) for field in node._fields}
    if name == "TypeAlias":
        name = "Assign"
        fields = {
            "targets": [ast.copy_location(ast.Name(node.name.id, ast.Store()), node)],
            "value": node.value,
        }
    if name == "JoinedStr":
        fields["values"] = joined(fields["values"])
    for dropped in ("type_params", "kind", "type_comment", "ctx"):
        fields.pop(dropped, None)
    tree = {field: plain(value) for field, value in fields.items() if value not in (None, [])}
    return [name, tree, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)]


def joined(values: list[ast.expr]) -> list[ast.expr]:
    """Merge adjacent constants of an f-string and drop empty ones."""
    merged: list[ast.expr] = []
    for value in values:
        if isinstance(value, ast.Constant) and merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.copy_location(ast.Constant(merged[-1].value + value.value), merged[-1])
        elif not isinstance(value, ast.Constant) or value.value:
            merged.append(value)
    return merged


def parameters(tree: ast.AST) -> list[list[object]]:
    """All type parameters: name, kind, bound, default, line, line of the owner; sorted."""
    found = []
    for owner in ast.walk(tree):
        for parameter in getattr(owner, "type_params", []):
            bound, default = getattr(parameter, "bound", None), getattr(parameter, "default_value", None)
            expressions = [expression and ast.unparse(expression) for expression in (bound, default)]
            name = owner.name if isinstance(owner.name, str) else owner.name.id
            found.append([parameter.name, type(parameter).__name__, *expressions, parameter.lineno, name])
    return sorted(found, key=repr)


def read(source: str) -> object:
    """The plain tree and the type parameters of one source, or None when it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return [plain(tree), parameters(tree)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20_000)
    json.dump([read(source) for source in json.load(sys.stdin)], sys.stdout)
