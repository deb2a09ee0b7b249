"""A route is never reached, because a route before it matches every request for it.

The first route that fits answers. After `GET /users/{user_id}`, a request for `/users/me` runs the handler
of `/users/{user_id}` with `user_id="me"`; when `user_id` is an `int`, the client is told with 422 that "me"
is no number. The type of the parameter does not help: only a converter in the path (`/users/{user_id:int}`)
lets the request pass on to the next route. A mount at `/` or a `{path:path}` route before others takes them
all.

Known limits: the order is judged where one function or module registers both routes; two decorators in two
modules on one shared router are left out, because the imports decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.path_language import language
from fastapi_architect.analyses.route_order import Shadow, shadows
from fastapi_architect.analyses.source_text import block_of, text_at
from fastapi_architect.appgraph.router_walk import Mount
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route is unreachable: an earlier path takes its requests",
    severity=Severity.IMPORTANT,
    cwe=691,
    references=(
        "https://fastapi.tiangolo.com/tutorial/path-params/#order-matters",
        "https://starlette.dev/routing/#route-priority",
    ),
)

#: What stands in the example for parameters of the hidden path, which a client fills with something fitting.
_ANY = "abc"


@rule.check(per=AppGraph)
def route_behind_one_that_takes_its_requests(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    behind_mounts: dict[int, list[Shadow]] = {}
    behind_functions: dict[tuple[int, int], list[Shadow]] = {}
    for shadow in shadows(graph):
        if shadow.equal or not shadow.ordered or _is_same_function(shadow):
            continue
        if isinstance(shadow.earlier, Mount):
            behind_mounts.setdefault(id(shadow.earlier), []).append(shadow)
        else:
            # A router that is included twice is one mistake.
            key = (id(shadow.earlier.registration[0]), id(shadow.later.registration[0]))
            behind_functions.setdefault(key, []).append(shadow)
    for same in behind_functions.values():
        assert isinstance(same[0].earlier, PathOperation)
        yield _behind_operation(same[0], same[0].earlier, [each.later for each in same], graph)
    for behind in behind_mounts.values():
        yield _behind_mount(behind)


def _is_same_function(shadow: Shadow) -> bool:
    """Two decorators on one function: whichever path is taken, the same function answers."""
    handler = getattr(shadow.earlier, "handler", None)
    return handler is not None and handler is shadow.later.handler


def _behind_operation(
    shadow: Shadow, earlier: PathOperation, all_later: list[PathOperation], graph: AppGraph
) -> Finding:
    later = shadow.later
    sent = later.path
    of = language(later.path)
    if of is not None and of.has_parameters:
        sent = of.example(_ANY)
    runs = earlier.handler_name.rpartition(".")[2]
    name = later.handler_name.rpartition(".")[2]
    methods = "|".join(shadow.methods)
    return rule.at(
        later.handler or later.location,
        f"`{methods} {later.path}` ({name}) is never reached: `{earlier.path}` ({runs}, "
        f"{earlier.location}) is tried first and "
        f"matches it; {_answered(earlier, sent)}.",
        f"Register `{later.path}` before `{earlier.path}`, or give the parameter a converter that does "
        "not match it:\n"
        f"```python\n{registered(graph, later)}\n\n\n{registered(graph, earlier)}\n```",
        reasoning=f"Starlette takes the first route that fits. Every path that `{later.path}` matches is "
        "matched by "
        f"`{earlier.path}` too, and both are registered in {later.registration[1].module.path}"
        f"{' through one way' if later.inclusions else ''}.",
        exploit=f"{_answered(earlier, sent).capitalize()}; `{name}` answers nobody.",
        confidence=Confidence.CERTAIN if shadow.complete else Confidence.FIRM,
        trace=steps((earlier, f"{earlier} is tried first"), (later, f"{later} comes behind it")),
        fix=_moved(shadow, earlier, graph),
        routes=routes_of(all_later),
    )


def _behind_mount(behind: list[Shadow]) -> Finding:
    mount = behind[0].earlier
    assert isinstance(mount, Mount)
    later = [shadow.later for shadow in behind]
    shown = ", ".join(f"`{o}`" for o in later[:3]) + (f" and {len(later) - 3} more" if len(later) > 3 else "")
    return rule.at(
        mount.location,
        f"What is mounted at `{mount.path or '/'}` takes every request below it, so that {shown} "
        f"{_are(later)} never reached.",
        "Mount it last, behind every route and `include_router`.",
        reasoning="A mount matches every method and every path below its own, and routes are tried in "
        "the order in which they "
        "were added.",
        exploit=f"A client sends `{later[0]}` and gets the answer of what is mounted at `{mount.path or '/'}`.",
        confidence=Confidence.CERTAIN,
        trace=steps(*((o, f"{o} is added behind the mount") for o in later[:5])),
        routes=routes_of(later),
        symbol=mount.scope.full_name,
    )


def _are(found: list[PathOperation]) -> str:
    return "are" if len(found) > 1 else "is"


def _answered(earlier: PathOperation, sent: str) -> str:
    """What the client of the hidden route gets."""
    of = language(earlier.path)
    target = language(sent)
    held = of.values_in(target) if of is not None and target is not None else {}
    for parameter in earlier.all_parameters():
        text = held.get(parameter.alias)
        if parameter.kind != "path" or text is None or text == _ANY:
            continue
        for option in options(parameter.type):
            name = getattr(option, "name", "")
            if (
                name in ("builtins.int", "builtins.float", "uuid.UUID", "datetime.date")
                and not text.isdigit()
            ):
                return (
                    f"a request for `{sent}` is refused with 422, because `{text}` is no "
                    f"{name.rpartition('.')[2]}"
                )
    shown = next((f'`{name}="{text}"`' for name, text in held.items() if text != _ANY), "")
    runs = earlier.handler_name.rpartition(".")[2]
    return f"a request for `{sent}` runs `{runs}`{' with ' + shown if shown else ''}"


def _moved(shadow: Shadow, earlier: PathOperation, graph: AppGraph) -> Fix | None:
    """Both functions, changed round: only where nothing but blank lines lies between them."""
    first, second = earlier.handler, shadow.later.handler
    if (
        first is None
        or second is None
        or first.parent is not second.parent
        or first.module is not second.module
    ):
        return None
    above, below = block_of(first), block_of(second)
    lines = text_at(graph, Location(above.path, above.end_line, above.end_column, below.line, 0))
    if below.line <= above.end_line or lines.strip():
        return None
    text = text_at(graph, below) + lines + text_at(graph, above)
    # A comment behind the last statement belongs to its block and would be left behind.
    whole = Location(above.path, above.line, 0, below.end_line, below.end_column)
    return Fix(f"Move {second.name} before {first.name}", (Edit(whole, text),), safe=True)


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/users/{user_id}")
    def read_user(user_id: str) -> dict[str, str]:
        return {"id": user_id}


    @app.get("/users/me")
    def read_own_profile() -> dict[str, str]:  # finding: route-shadowed-by-earlier-path
        return {"id": "alice"}
"""

rule.good = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/users/me")
    def read_own_profile() -> dict[str, str]:
        return {"id": "alice"}


    @app.get("/users/{user_id}")
    def read_user(user_id: str) -> dict[str, str]:
        return {"id": user_id}
"""


@rule.symptom
def the_profile_is_never_read(proof: Proof) -> None:
    """A request for the own profile is answered by the handler for a user called "me"."""
    assert proof.client.get("/users/me").json() == {"id": "me"}
