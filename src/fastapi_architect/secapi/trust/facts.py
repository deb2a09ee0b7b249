"""What `[tool.fastapi-architect.project]` teaches, one fact at a time, and whether it adds strictness or takes some away."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.review.config import ProjectFacts
from fastapi_architect.secapi.trust.claims import FACT, Claim


def strict_part(facts: ProjectFacts) -> ProjectFacts:
    """What can only add findings or make them graver."""
    return ProjectFacts(
        sources=facts.sources,
        sinks=facts.sinks,
        data_classes={name: data for name, data in facts.data_classes.items() if data == "secret"},
        self_registration_counts_as_none=facts.self_registration_counts_as_none,
    )


def silencing_parts(facts: ProjectFacts, file: str) -> Iterator[tuple[Claim, ProjectFacts]]:
    """Every fact that may take findings away, as a claim and as facts of its own.

    Args:
        facts: of an archive.
        file: where they stand.
    """
    for name in facts.authentication:
        yield Claim(FACT, f"authentication {name}", file=file), ProjectFacts(authentication=(name,))
    for name in facts.permissions:
        yield Claim(FACT, f"permissions {name}", file=file), ProjectFacts(permissions=(name,))
    for each in facts.sanitizers:
        claim = Claim(FACT, f"sanitizers {each.name} {' '.join(sorted(each.kinds))}", file=file)
        yield claim, ProjectFacts(sanitizers=(each,))
    for route in facts.public_routes:
        claim = Claim(FACT, f"public_routes {route.method} {route.path}", route.reason, file)
        yield claim, ProjectFacts(public_routes=(route,))
    if facts.exposure != "public":
        yield Claim(FACT, f"exposure {facts.exposure}", file=file), ProjectFacts(exposure=facts.exposure)
    for name, data in facts.data_classes.items():
        if data != "secret":
            yield (
                Claim(FACT, f"data_classes {name} {data}", file=file),
                ProjectFacts(data_classes={name: data}),
            )
    for protection, patterns in facts.gateway.items():
        claim = Claim(FACT, f"gateway {protection} {' '.join(patterns)}", file=file)
        yield claim, ProjectFacts(gateway={protection: patterns})


def joined(first: ProjectFacts, second: ProjectFacts) -> ProjectFacts:
    """Facts from two places; where they differ about one thing, the first counts."""
    gateway = dict(first.gateway)
    for protection, patterns in second.gateway.items():
        gateway[protection] = tuple(dict.fromkeys((*gateway.get(protection, ()), *patterns)))
    known = {(each.method, each.path) for each in first.public_routes}
    return ProjectFacts(
        authentication=tuple(dict.fromkeys((*first.authentication, *second.authentication))),
        permissions=tuple(dict.fromkeys((*first.permissions, *second.permissions))),
        sanitizers=tuple(dict.fromkeys((*first.sanitizers, *second.sanitizers))),
        sources=tuple(dict.fromkeys((*first.sources, *second.sources))),
        sinks=tuple(dict.fromkeys((*first.sinks, *second.sinks))),
        public_routes=(
            *first.public_routes,
            *(each for each in second.public_routes if (each.method, each.path) not in known),
        ),
        exposure=second.exposure if first.exposure == "public" else first.exposure,
        data_classes={**second.data_classes, **first.data_classes},
        gateway=gateway,
        self_registration_counts_as_none=(
            first.self_registration_counts_as_none or second.self_registration_counts_as_none
        ),
    )
