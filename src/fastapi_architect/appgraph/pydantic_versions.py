"""Whose rules do the models follow, those of Pydantic 1 or 2?

A manifest or lock file says it; where none does, code that Pydantic 2 refuses to import tells that 1 is installed.
"""

from __future__ import annotations

from fastapi_architect.appgraph.declarations import keyword
from fastapi_architect.appgraph.deployment import Deployment
from fastapi_architect.program.definitions import Module, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir

#: Names that `from pydantic import ...` gave until version 1, and that version 2 answers with an error.
_GONE = frozenset({
    "BaseSettings", "ConstrainedStr", "ConstrainedInt", "ConstrainedFloat", "ConstrainedDecimal", "ConstrainedList",
    "ConstrainedBytes", "ConstrainedDate", "ConstrainedSet", "PyObject", "Required", "NoneStr", "StrBytes",
})  # fmt: skip
_ROOT = "root_validator"


def pydantic_major(program: Program, deployment: Deployment) -> int:
    """1 or 2; 2 where neither files nor code say anything."""
    declared = deployment.major_of("pydantic", 0)
    if declared:
        return declared
    return 1 if any(_needs_version_1(m) for m in program.mentioning(*sorted(_GONE), _ROOT)) else 2


def _needs_version_1(module: Module) -> bool:
    """The file cannot be imported with version 2."""
    imported = _always_imported(module)
    if module.kind != "source" or not imported:
        return False
    return not imported.isdisjoint(_GONE) or (_ROOT in imported and _has_bare_root_validator(module))


def _always_imported(module: Module) -> set[str]:
    """What the file takes out of `pydantic`, whatever happens: an import in a `try` has another way."""
    return {
        each.name
        for statement in module.body
        if isinstance(statement, ir.ImportFrom) and statement.module == "pydantic" and not statement.level
        for each in statement.names
    }


def _has_bare_root_validator(module: Module) -> bool:
    """Version 2 demands `pre=True` or `skip_on_failure=True` when the class is made."""
    return any(
        last_name(decorator.func if isinstance(decorator, ir.Call) else decorator) == _ROOT
        and not (isinstance(decorator, ir.Call) and keyword(decorator, "pre", "skip_on_failure"))
        for cls in module.classes
        for function in cls.functions
        for decorator in function.node.decorators
    )
