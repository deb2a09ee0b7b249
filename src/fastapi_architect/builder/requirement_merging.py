"""How what a project asks for and what a component needs go together."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from fastapi_architect.builder.errors import BuildError


def admits(specifier: str, floor: Version) -> bool:
    """Tell whether some version from `floor` upwards satisfies the specifier."""
    allowed = SpecifierSet(specifier)
    bounds = {Version(each.version.removesuffix(".*")) for each in allowed}
    later = {Version(".".join([*str(bound).split(".")[:2], "99999"])) for bound in bounds}
    candidates = {floor, *bounds, *later, Version("99999")}
    return any(each >= floor and allowed.contains(each, prereleases=True) for each in candidates)


def guarantees(specifier: str, floor: Version) -> bool:
    """Tell whether every version that satisfies the specifier is `floor` or later."""
    return any(
        each.operator in (">=", ">", "==", "===", "~=") and Version(each.version.removesuffix(".*")) >= floor
        for each in SpecifierSet(specifier)
    )


def merge(there: Requirement, wanted: Requirement, path: str) -> Requirement | None:
    """What is there with the floor of what is wanted; None where it says enough.

    Raises:
        BuildError: it excludes what is wanted.
    """
    floors = [Version(each.version) for each in wanted.specifier if each.operator == ">="]
    if floors and not admits(str(there.specifier), max(floors)):
        message = f"{path} asks for {there}, and {wanted} is needed; raise it, see that your tests pass, and run the command again"
        raise BuildError(message)
    enough = not floors or guarantees(str(there.specifier), max(floors))
    if enough and wanted.extras <= there.extras:
        return None
    merged = Requirement(str(there))
    merged.extras |= wanted.extras
    if not enough:
        kept = [str(each) for each in there.specifier if each.operator not in (">=", ">")]
        merged.specifier = SpecifierSet(",".join([f">={max(floors)}", *sorted(kept)]))
    return merged


def requirement_text(requirement: Requirement) -> str:
    """A requirement with its floor before its other clauses."""
    clauses = sorted(
        (str(each) for each in requirement.specifier), key=lambda each: (not each.startswith(">"), each)
    )
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras}{','.join(clauses)}{marker}"


def parse_requirement(text: str) -> Requirement | None:
    """The requirement that a text says, None where it says another thing."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
