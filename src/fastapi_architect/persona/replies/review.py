"""Review: of everything, of a topic such as authentication, or of one file."""

from __future__ import annotations

from collections import Counter

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Found, Hands
from fastapi_architect.persona.replies.nothing_here import nothing_to_review
from fastapi_architect.persona.replies.wording import (
    commands,
    counted,
    detail,
    findings_table,
    line,
    routes_table,
)
from fastapi_architect.persona.understanding import Understood

_DETAILED = 3
_LISTED = 12
_ROUTES = 15
_OPEN = ("none", "optional")


def answer(hands: Hands, understood: Understood) -> Answer:
    """What is wrong, the gravest with exploit and fix; for authentication the guards of every route, too."""
    files = [each for each in understood.files if (hands.workspace.root / each).is_file()]
    path = files[0] if files and files[0].endswith(".py") else "."
    if hands.is_empty and path == ".":
        return nothing_to_review(hands, understood)
    topics = () if path != "." else understood.topics
    found = hands.review(topics, path)
    about_access = "authentication" in topics
    parts = [found_text(found.findings, hands)]
    if about_access:
        parts.append(_matrix(hands))
    return Answer(
        context=_context(hands, found, path, topics),
        approach=_approach(found),
        implementation="\n\n".join(parts),
        validation=_validation(found, path, topics),
        considerations=_considerations(hands, found, about_access=about_access),
        follow_ups=tuple(_follow_ups(found, about_access=about_access)),
    )


def found_text(findings: tuple[Document, ...], hands: Hands, *, detailed: int = _DETAILED) -> str:
    """Findings of security first: a few at length, the others as rows; every grave one of security is shown."""
    if not findings:
        return "Nothing was found that is certain or firm."
    ordered = sorted(findings, key=lambda each: each["category"] != "security")
    first, rest = ordered[:detailed], ordered[detailed:]
    parts = [detail(each, hands, number=n) for n, each in enumerate(first, 1)]
    grave = [each for each in rest if each["severity"] == "critical"]
    shown = grave + [each for each in rest if each not in grave][: max(_LISTED - len(grave), 0)]
    shown.sort(key=lambda each: each["category"] != "security")
    if shown:
        parts.append(findings_table(shown))
    if len(rest) > len(shown):
        parts.append(f"{counted(len(rest) - len(shown), 'further finding')}: `architect review --all`.")
    return "\n\n".join(parts)


def _context(hands: Hands, found: Found, path: str, topics: tuple[str, ...]) -> str:
    page = found.page
    what = f"`{line(path)}` with its project as context" if path != "." else "the project"
    about = f", asked about {' and '.join(each.replace('_', ' ') for each in topics)}" if topics else ""
    said = f"Read {what}: {counted(page.files, 'file')}, {counted(page.lines, 'line')}, without running it{about}."
    counts = Counter(each["severity"] for each in found.findings)
    listed = ", ".join(
        f"{counts[name]} {name}" for name in ("critical", "important", "minor", "info") if counts[name]
    )
    parts = [said, f"{counted(len(found.findings), 'finding')}{': ' + listed if listed else ''}."]
    if topics and "authentication" in topics:
        open_to_all = [o for o in hands.operations if o["access"] in _OPEN]
        parts.append(
            f"{len(open_to_all)} of {counted(len(hands.operations), 'route')} ask nobody to sign in."
        )
    if page.not_analysed:
        parts.append(f"Not analysed: {line('; '.join(page.not_analysed[:3]), 200)}.")
    return " ".join(parts)


def _approach(found: Found) -> str:
    if not found.findings:
        return "Nothing to change. What the rules cannot see (business rules, deployment) stays with you."
    safe = sum(1 for each in found.findings if (each.get("fix") or {}).get("safe"))
    said = "Fix the gravest first, each as the smallest change that can be tested by itself."
    if safe:
        said += f" {counted(safe, 'finding')} can be fixed by machine without changing behaviour: `architect fix --dry-run`."
    return said


def _matrix(hands: Hands) -> str:
    operations = sorted(
        hands.operations, key=lambda o: (o["access"] not in _OPEN, "GET" in o["methods"], o["path"])
    )
    if not operations:
        return "No route was found."
    shown = operations[:_ROUTES]
    more = len(operations) - len(shown)
    tail = f"\n\n{counted(more, 'further route')}: `architect map`." if more else ""
    return f"Who is let in, open routes first:\n\n{routes_table(shown)}{tail}"


def _validation(found: Found, path: str, topics: tuple[str, ...]) -> str:
    options = "".join(f" --select {each}" for each in topics)
    where = f" {path}" if path != "." else ""
    lines = [f"architect review{where}{options}"]
    if found.findings:
        lines.append(f"architect explain {found.findings[0]['rule']} --prove")
    return (
        "Done when the review of the same topics ends with exit code 0, and the project's own tests pass.\n\n"
        + commands(*lines)
    )


def _considerations(hands: Hands, found: Found, *, about_access: bool) -> str:
    said = []
    breaking = [each for each in found.findings if (each.get("fix") or {}).get("changes_contract")]
    if breaking:
        said.append(
            f"Contract: {len(breaking)} of the fixes would show clients another interface; decide with them before "
            "`architect fix --allow-contract-change`."
        )
    if about_access:
        writing = [o for o in hands.operations if o["access"] in _OPEN and o["writes"]]
        if writing:
            names = ", ".join(f"`{line(o['route'], 60)}`" for o in writing[:4])
            said.append(
                f"Decision for you: {len(writing)} of the open routes write data ({names}). Each asks for a login, or is meant to be "
                "public and is declared in `public_routes` with a reason."
            )
    said.append(
        "The review reads code; it does not see a gateway in front, unless the configuration names it."
    )
    return " ".join(said)


def _follow_ups(found: Found, *, about_access: bool) -> list[str]:
    said = []
    if found.findings:
        said.append("Shall I plan the fixes as a patch? `architect fix --dry-run` shows it.")
    if about_access:
        said.append("Which of the open routes are public on purpose?")
    said.append("Add `architect review` to CI, so that this does not come back.")
    return said[:3]
