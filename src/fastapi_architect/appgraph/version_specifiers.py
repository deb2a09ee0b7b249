"""Requirements and version specifiers (PEP 508, PEP 440).

What nearly every requirement looks like (`uvicorn[standard]>=0.30,<1`) is read here. `packaging` knows the whole grammar,
but loading its parser takes as long as reading 2,000 lines of Python: it is asked about the others only.
"""

from __future__ import annotations

import operator as comparing
import re

import msgspec
from packaging.version import Version

from fastapi_architect.source.lazy_pattern import lazy_pattern

_RELEASE = r"\d+(?:\.\d+)*"
_VERSION = rf"{_RELEASE}(?:(?:a|b|rc|\.post|\.dev)\d+)?"
_CLAUSE = rf"(?:[=!]= *(?:{_RELEASE}\.\*|{_VERSION})|[<>]=? *{_VERSION}|~= *{_RELEASE}\.\d+)"
_CLAUSES = rf"(?:{_CLAUSE}(?: *, *{_CLAUSE})*)?"
_EXTRA = r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*"
_COMMON_SPECIFIER = lazy_pattern(_CLAUSES, re.ASCII)
_COMMON_REQUIREMENT = lazy_pattern(
    rf"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?) *(?:\[({_EXTRA}(?: *, *{_EXTRA})*)\] *)?({_CLAUSES})", re.ASCII
)

#: Clauses that are plain comparisons between releases; others make exceptions for pre-releases and local versions.
_COMPARISONS = {"<": comparing.lt, "<=": comparing.le, ">": comparing.gt, ">=": comparing.ge}


class Asked(msgspec.Struct, frozen=True):
    """One requirement, taken apart.

    Attributes:
        name: normalised.
        specifier: its clauses, sorted, without spaces; "" for any version.
        extras: sorted.
    """

    name: str
    specifier: str
    extras: tuple[str, ...]


def normalised(name: str) -> str:
    """A package's name in the form in which PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirement(text: str) -> Asked | None:
    """What a requirement asks for, its marker left out; None where it is no valid one."""
    common = _COMMON_REQUIREMENT.fullmatch(text.strip())
    if common is not None:
        clauses = common[3].replace(" ", "").split(",")
        # Clauses that mean the same are one for `packaging`.
        if len({_operator(clause) for clause in clauses}) == len(clauses):
            extras = {extra.strip() for extra in common[2].split(",")} if common[2] else ()
            return Asked(normalised(common[1]), ",".join(sorted(clauses)), tuple(sorted(extras)))
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(text)
    except InvalidRequirement:
        return None
    return Asked(normalised(parsed.name), str(parsed.specifier), tuple(sorted(parsed.extras)))


def clauses_of(specifier: str) -> tuple[tuple[str, str], ...] | None:
    """Operator and version of each clause; None where the specifier is not valid."""
    if _COMMON_SPECIFIER.fullmatch(specifier) is not None:
        clauses = specifier.replace(" ", "").split(",") if specifier else []
        return tuple((_operator(clause), clause.lstrip("<>=!~")) for clause in clauses)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return tuple((clause.operator, clause.version) for clause in SpecifierSet(specifier))
    except InvalidSpecifier:
        return None


def _operator(clause: str) -> str:
    return clause[: len(clause) - len(clause.lstrip("<>=!~"))]


def allows(specifier: str, version: Version) -> bool:
    """Whether a specifier admits a version.

    Raises:
        ValueError: the specifier is not valid.
    """
    clauses = clauses_of(specifier) or ()
    is_release = str(version) == version.base_version
    if clauses and is_release and all(operator in _COMPARISONS for operator, _ in clauses):
        return all(_COMPARISONS[operator](version, Version(bound)) for operator, bound in clauses)
    from packaging.specifiers import SpecifierSet

    return version in SpecifierSet(specifier)
