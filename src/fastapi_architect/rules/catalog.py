"""Every rule, found by walking this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from fastapi_architect.rules.kit import Rule


@cache
def all_rules() -> dict[str, Rule]:
    """Name to rule, sorted by name.

    Raises:
        RuntimeError: two files share a name, or a file in a category's folder defines no rule.
    """
    found: dict[str, Rule] = {}
    root = Path(__file__).parent
    for name in sorted(_modules(root, __package__ or "")):
        module = importlib.import_module(name)
        rule = getattr(module, "rule", None)
        if not isinstance(rule, Rule):
            message = f"{name} lies among the rules but defines no `rule`"
            raise RuntimeError(message)  # noqa: TRY004 - the folder is wrong, not a type
        rule.docstring = (module.__doc__ or "").strip()
        if rule.name in found:
            message = f"two rules are called {rule.name}: {found[rule.name].module} and {rule.module}"
            raise RuntimeError(message)
        found[rule.name] = rule
    return dict(sorted(found.items()))


def _modules(folder: Path, package: str) -> list[str]:
    """Dotted names of rule files: every module in the sub-folders."""
    names = []
    for info in pkgutil.iter_modules([str(folder)]):
        dotted = f"{package}.{info.name}"
        if info.ispkg:
            names += _modules(folder / info.name, dotted)
        elif package.count(".") > 1:
            names.append(dotted)
    return names
