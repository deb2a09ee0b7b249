"""`docs/reference/libraries.md`: which libraries the reviewer knows, and what it knows of them."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.registry import all_libraries


def pages() -> dict[str, str]:
    """Path below `docs/` to text."""
    calls: dict[str, set[str]] = defaultdict(set)
    meanings: dict[str, set[type[Concept]]] = defaultdict(set)
    known: dict[type[Concept], set[str]] = defaultdict(set)
    for library in all_libraries().libraries:
        for recognition in library.recognitions:
            for name in recognition.names:
                package = name.partition(".")[0]
                calls[package].add(name)
                meanings[package].update(recognition.concepts)
                for concept in recognition.concepts:
                    known[concept].add(name)
    lines = [
        "# Libraries",
        "",
        "What a call means is written once for each library, in terms of concepts; rules ask for concepts and name no library.",
        f"{sum(map(len, calls.values()))} functions and methods of {len(calls)} packages (the standard library's among them) are",
        "known. A function that is missing here is followed when its source stands in the project, and otherwise nothing is assumed",
        "of it: teach it in [the configuration](configuration.md), or see `CONTRIBUTING.md`, *Teach a library*.",
        "",
        "## By concept",
        "",
        "| concept | what it says | names known | packages |",
        "|---|---|---|---|",
    ]
    for concept in sorted(known, key=lambda each: each.__name__):
        packages = sorted({name.partition(".")[0] for name in known[concept]})
        lines.append(
            f"| `{concept.__name__}` | {_says(concept)} | {len(known[concept])} | {_few(packages)} |"
        )
    lines += ["", "## By package", "", "| package | names known | concepts |", "|---|---|---|"]
    for package in sorted(calls, key=str.lower):
        lines.append(
            f"| `{package}` | {len(calls[package])} | {_few(sorted(c.__name__ for c in meanings[package]))} |"
        )
    return {"reference/libraries.md": "\n".join([*lines, ""])}


def _says(concept: type[Concept]) -> str:
    return (inspect.getdoc(concept) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _few(names: Iterable[str], limit: int = 8) -> str:
    listed = [f"`{name}`" for name in names]
    more = len(listed) - limit
    return ", ".join(listed) if more <= 0 else ", ".join(listed[:limit]) + f" and {more} more"
