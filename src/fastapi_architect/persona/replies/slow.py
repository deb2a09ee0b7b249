"""Something is slow: the routes that are meant, what they cost, and the code that makes them cheap."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.replies.nothing_here import nothing_to_review
from fastapi_architect.persona.replies.wording import (
    commands,
    counted,
    detail,
    findings_table,
    line,
    place,
    rated,
    routes_table,
)
from fastapi_architect.persona.understanding import Understood

#: What makes requests slow.
SPEED = (
    "performance", "async_patterns", "orm", "cache", "tasks", "list-endpoint-without-pagination",
    "pagination-unstable-or-deep-offset", "expensive-public-route-unthrottled", "client-chosen-size-unbounded",
)  # fmt: skip
_DETAILED = 3
_LISTED = 6
_ROUTES = 8
_SEVERITIES = ("critical", "important", "minor", "info")


def answer(hands: Hands, understood: Understood) -> Answer:
    """Findings of speed on the routes that are meant, the dearest first, with what they cost."""
    if hands.is_empty:
        return nothing_to_review(hands, understood)
    meant = locate(understood, hands.operations)
    findings = findings_on(hands, meant)
    security = [each for each in findings if each["category"] == "security"]
    costly = [each for each in findings if each["category"] != "security"]
    return Answer(
        context=_context(hands, understood, meant, costly),
        approach=_approach(costly),
        implementation=_implementation(hands, meant, security, costly),
        validation=_validation(meant, costly),
        considerations=_considerations(costly),
        follow_ups=tuple(_follow_ups(meant, understood)),
    )


def findings_on(hands: Hands, meant: tuple[Document, ...]) -> list[Document]:
    """What concerns these routes: grave findings of security, then what costs time, the dearest first."""
    routes = {each["route"] for each in meant}
    tables = {table for each in meant for table in each["tables"]}
    handlers = {(each["file"], each["line"]) for each in meant}

    def concerns(finding: Document) -> bool:
        if finding["category"] == "security":
            return bool(routes & set(finding["routes"])) and finding["severity"] in ("critical", "important")
        if not meant:
            return True
        return (
            bool(routes & set(finding["routes"]))
            or (finding["file"], finding["line"]) in handlers
            or ("index" in finding["rule"] and any(table in finding["suggestion"] for table in tables))
        )

    found = hands.review((*SPEED, "security") if meant else SPEED, only=concerns)
    return sorted(
        found.findings,
        key=lambda f: (
            f["category"] != "security",
            -(f["cost"] or 0),
            _SEVERITIES.index(f["severity"]),
            f["file"],
            f["line"],
        ),
    )


def security_first(hands: Hands, security: list[Document]) -> list[str]:
    """Paragraphs about grave findings of security on the same routes, which nobody asked for and everybody has to know."""
    if not security:
        return []
    said = f"**Security first**, on the same {'route' if len(security) == 1 else 'routes'}:"
    if len(security) == 1:
        return [said, detail(security[0], hands)]
    return [said, findings_table(security)]


def _context(
    hands: Hands, understood: Understood, meant: tuple[Document, ...], costly: list[Document]
) -> str:
    if meant:
        names = ", ".join(
            f"`{line(each['route'], 80)}` (`{line(each['file'])}:{each['line']}`)" for each in meant[:3]
        )
        more = f" and {len(meant) - 3} more" if len(meant) > 3 else ""
        counts = "; ".join(
            f"{counted(each['queries'], 'statement')} in its code, tables {', '.join(each['tables']) or 'none'}"
            for each in meant[:1]
        )
        return (
            f"Your words mean {names}{more}: {line(counts)}. {counted(len(costly), 'finding')} about its speed. "
            "This was read in the code, not measured."
        )
    words = ", ".join(repr(word) for word in understood.words[:3])
    unknown = f"No route is called like {words}, so" if words else "No route was named, so"
    return (
        f"{unknown} all {counted(len(hands.operations), 'route')} were read: "
        f"{counted(len(costly), 'finding')} about speed. This was read in the code, not measured."
    )


def _approach(costly: list[Document]) -> str:
    if not costly:
        return (
            "Nothing in the code explains it. Measure before changing anything: the time is in the database (a plan of the "
            "statement), on the network, or in the deployment (pool, workers)."
        )
    counted_ones = [each for each in costly if each["cost"]]
    if counted_ones:
        return (
            "Take away round trips before anything is cached: fewer statements first, then indexes, then a page size, then a cache. "
            "The dearest comes first below."
        )
    return "Bound the work of each request first; then indexes; a cache is the last resort, as it has to be invalidated."


def _implementation(
    hands: Hands, meant: tuple[Document, ...], security: list[Document], costly: list[Document]
) -> str:
    parts = security_first(hands, security)
    for number, each in enumerate(costly[:_DETAILED], 1):
        parts.append(detail(each, hands, number=number))
    rest = costly[_DETAILED : _DETAILED + _LISTED]
    if rest:
        parts.append(findings_table(rest))
    more = len(costly) - _DETAILED - len(rest)
    if more > 0:
        parts.append(f"{counted(more, 'further finding')}: `architect review --select performance --all`.")
    if not costly:
        busiest = meant or sorted(hands.operations, key=lambda o: -o["queries"])
        parts.append(
            f"No rule about speed was broken. What these routes do:\n\n{routes_table(busiest[:_ROUTES])}"
        )
    return "\n\n".join(parts)


def _validation(meant: tuple[Document, ...], costly: list[Document]) -> str:
    goal = "Done when the number of statements does not grow with the number of rows"
    if costly and costly[0]["cost"]:
        goal += f" (today: {line(_counts(costly[0]), 160)})"
    lines = ["architect review --select performance --select database"]
    if meant:
        lines.append(f"architect show {_quoted(meant[0]['route'])}")
    return f"{goal}, and the answer is the same as before.\n\n{commands(*lines)}"


def _counts(finding: Document) -> str:
    return (
        f"{place(finding)}, {rated(finding)}, costs about {finding['cost']:g} round trips or steps a request"
    )


def _considerations(costly: list[Document]) -> str:
    said = []
    if any("pagination" in each["rule"] for each in costly):
        said.append(
            "Contract: a page size changes what clients get; agree on it, or begin with a high upper bound."
        )
    if any("index" in each["rule"] for each in costly):
        said.append(
            "Schema: an index costs writes and disk; it is built concurrently, outside of the migration's transaction, so that "
            "writes go on."
        )
    if any("n-plus-one" in each["rule"] for each in costly):
        said.append(
            "`selectinload` is one more statement for all rows; `joinedload` repeats the parent's columns in every row."
        )
    said.append("Options when that is not enough: a cache (fast, may be stale), a read replica (fresh enough, costs a server), a "
                "projection "
                "that is kept current (fast and fresh, more code).")  # fmt: skip
    return " ".join(said)


def _follow_ups(meant: tuple[Document, ...], understood: Understood) -> list[str]:
    said = ["How many rows do the tables hold, and how old may an answer be?"]
    if not meant:
        said.insert(0, "Which route is slow? Name it as `GET /path`.")
    elif len(meant) > 1 and not understood.path:
        said.insert(0, f"Which of the {len(meant)} routes do you mean?")
    else:
        said.append("Shall I plan a cache for it? Ask: add a Redis cache to this route.")
    return said[:3]


def _quoted(route: str) -> str:
    import shlex

    return shlex.quote(line(route))
