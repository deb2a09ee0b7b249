"""Paths of one API follow no convention.

Readers guess addresses from the ones that they know. Verbs in paths (`/getUsers`) repeat the method, snake
and kebab case side by side make every path a look-up, and a slash at the end of some paths makes clients
meet redirects, on which many drop the body or the Authorization header.

Known limits: sign-in paths and actions behind a colon are left out; one finding a kind and application is
made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import registered, registered_path
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Paths of one API follow no convention",
    severity=Severity.INFO,
    cwe=1099,
    references=(
        "https://opensource.zalando.com/restful-api-guidelines/#urls",
        "https://google.aip.dev/122",
    ),
)

_VERB = lazy_pattern(
    r"^(get|fetch|list|create|add|insert|update|edit|modify|save|delete|remove|destroy)([-_][a-z0-9]|[A-Z]|$)"
)
_SIGN_IN = lazy_pattern(
    r"log[-_]?(in|out)|sign|token|oauth|auth|password|register|webhook|callback", re.IGNORECASE
)
_LITERAL = lazy_pattern(r"""(?P<begin>\w*["'])(?P<path>.*)(?P<end>["'])""")
_FEWEST = 4


@rule.check(per=Application)
def paths_without_a_convention(application: Application, graph: AppGraph) -> Iterator[Finding]:
    if application.mounted:
        return
    operations = [o for o in application.operations if o.kind == "http" and o.in_schema and not o.floating]
    if len(operations) < 2:
        return
    yield from _verbs(application, operations, graph)
    yield from _slashes(application, operations, graph)
    yield from _cases(application, operations)


def _segments(operation: PathOperation) -> list[str]:
    return [s for s in operation.path.split("/") if s and "{" not in s and ":" not in s]


def _verbs(application: Application, operations: list[PathOperation], graph: AppGraph) -> Iterator[Finding]:
    found = [
        o for o in operations
        if not _SIGN_IN.search(o.path) and any(_VERB.match(s) for s in _segments(o))
    ]  # fmt: skip
    if found:
        yield _finding(
            application,
            found,
            "repeat the method in the path",
            f"Name the thing and let the method say what is done:\n```python\n# Bad\n# {found[0]}\n# Good\n"
            f"{registered(graph, found[0], path=_without_verb(registered_path(graph, found[0])))}\n```",
            f"A reader of `{found[0].path}` learns the method twice, and a client has to know a verb for each path.",
        )


def _slashes(application: Application, operations: list[PathOperation], graph: AppGraph) -> Iterator[Finding]:
    others = [o for o in operations if o.path != "/"]
    with_slash = [o for o in others if o.path.endswith("/")]
    without = [o for o in others if not o.path.endswith("/")]
    redirects = getattr(application.keywords.get("redirect_slashes"), "value", True)
    if len(others) < 2 or not with_slash or not without or redirects is False:
        return
    odd = min(with_slash, without, key=len)
    kind = (
        "end in a slash and the others do not"
        if odd is with_slash
        else "do not end in a slash and the others do"
    )
    yield _finding(
        application,
        odd,
        f"{kind}: the other spelling is answered with 307, on which many clients drop the body or the Authorization header",
        "Choose one, and set `redirect_slashes=False` to see who uses the other:\n"
        f"```python\n{registered(graph, odd[0], path=_other_slash(registered_path(graph, odd[0])))}\n```",
        f"A client sends `{odd[0].methods[0]} {_other_slash(odd[0].path)}`, like the other paths, and is redirected.",
    )


def _cases(application: Application, operations: list[PathOperation]) -> Iterator[Finding]:
    styles: dict[str, list[PathOperation]] = {"snake_case": [], "kebab-case": [], "camelCase": []}
    for operation in operations:
        for style in dict.fromkeys(map(_style, _segments(operation))):
            if style:
                styles[style].append(operation)
    used = {style: found for style, found in styles.items() if found}
    if len(used) < 2 or sum(map(len, used.values())) < _FEWEST:
        return
    most = max(used, key=lambda style: len(used[style]))
    odd = [o for style, found in used.items() if style != most for o in found]
    yield _finding(
        application,
        odd,
        f"are written in {' and '.join(style for style in used if style != most)}, while {len(used[most])} others use {most}",
        f"Write all path segments in {most}.",
        f"A client that writes `{odd[0].path}` in {most}, like the other paths, gets a 404.",
    )


def _without_verb(written: str) -> str:
    """A path, with its quotes, without the segments that say what the method says, and without such beginnings."""
    literal = _LITERAL.fullmatch(written)
    if literal is None:
        return written
    kept = []
    for segment in literal["path"].split("/"):
        verb = _VERB.match(segment)
        thing = segment[verb.end(1) :].lstrip("-_") if verb is not None else segment
        if verb is None:
            kept.append(segment)
        elif thing:
            kept.append(thing[0].lower() + thing[1:])
    return literal["begin"] + "/".join(kept) + literal["end"]


def _other_slash(written: str) -> str:
    """A path, with or without quotes, with a slash at its end or without the one that is there."""
    literal = _LITERAL.fullmatch(written)
    begin, path, end = literal.groups() if literal is not None else ("", written, "")
    return begin + (path[:-1] if path.endswith("/") else f"{path}/") + end


def _style(segment: str) -> str:
    if "_" in segment.strip("_"):
        return "snake_case"
    if "-" in segment:
        return "kebab-case"
    if segment.islower():
        return ""
    return "camelCase" if re.search(r"[a-z][A-Z]", segment) else ""


def _finding(
    application: Application, found: list[PathOperation], what: str, suggestion: str, shows: str
) -> Finding:
    shown = ", ".join(f"`{o}`" for o in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    return rule.at(
        application.location,
        f"{shown} of `{application.name}` {what}.",
        f"Consider one convention for all paths. {suggestion}",
        reasoning=f"{len(found)} of the application's operations differ from the convention.",
        exploit=shows,
        confidence=Confidence.FIRM,
        trace=steps(*((o, str(o)) for o in found[:5])),
        routes=routes_of(found),
        symbol=application.scope.full_name,
    )


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()  # finding: resource-naming-convention


    @app.post("/create-order")
    def create_order() -> int:
        return 1


    @app.get("/orders/")
    def list_orders() -> list[int]:
        return [1]
"""

rule.good = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.post("/orders")
    def create_order() -> int:
        return 1


    @app.get("/orders")
    def list_orders() -> list[int]:
        return [1]
"""


@rule.symptom
def a_list_is_redirected(proof: Proof) -> None:
    """The list without the slash at its end is answered with a redirect."""
    assert proof.client.get("/orders", follow_redirects=False).status_code == 307
