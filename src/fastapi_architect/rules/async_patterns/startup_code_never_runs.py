"""Code for the start of the service is registered where nobody runs it.

An application with a `lifespan` ignores every `on_event` handler, and the server runs the lifespan of the
outermost application only: what a mounted application prepares at its start is never prepared. Nothing says
so.

Known limits: a lifespan that is run by hand (`lifespan_context`) anywhere in the project counts as running.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "Code for start or stop is registered where it never runs",
    severity=Severity.IMPORTANT,
    cwe=670,
    references=(
        "https://fastapi.tiangolo.com/advanced/events/#alternative-events-deprecated",
        "https://fastapi.tiangolo.com/advanced/events/#sub-applications",
    ),
)


@rule.check(per=Application)
def handlers_that_nobody_runs(application: Application, graph: AppGraph) -> Iterator[Finding]:
    lifespan = application.lifespan
    handlers = [(f, place, "start") for f, place in lifespan.startup]
    handlers += [(f, place, "stop") for f, place in lifespan.shutdown]
    if application.mounted and not graph.program.mentioning("lifespan_context"):
        if lifespan.function is not None:
            handlers.append((lifespan.function, lifespan.function.location(), "start"))
        why = (
            f"`{application.name}` is mounted under `{application.mount_path}`, and only the outermost "
            f"application's "
            "lifespan is run"
        )
    elif lifespan.given:
        why = f"`{application.name}` has a `lifespan`, and then `on_event` handlers are ignored"
    else:
        return
    for function, place, when in handlers:
        yield _finding(application, function, place, when, why)


def _finding(
    application: Application, function: Function | None, place: Location, when: str, why: str
) -> Finding:
    name = function.name if function is not None else "this handler"
    call = f"await {name}()" if function is not None and function.is_async else f"{name}()"
    if function is None:
        call = "..."  # it has no name to be called by
    if function is not None and function is application.lifespan.function:
        code = (
            f"@asynccontextmanager\nasync def lifespan(app: FastAPI):\n    async with "
            f"{application.name}.router.lifespan_context("
            f"{application.name}):\n        yield"
        )
    elif when == "start":
        code = f"@asynccontextmanager\nasync def lifespan(app: FastAPI):\n    {call}\n    yield"
    else:
        code = f"@asynccontextmanager\nasync def lifespan(app: FastAPI):\n    yield\n    {call}"
    return rule.at(
        function if function is not None else place,
        f"`{name}` should run at the {when} of the service and never does: {why}.",
        f"Call it from the lifespan that is run:\n```python\n{code}\n```",
        reasoning="Starlette keeps either a lifespan or lists of handlers, and a mount passes requests on, "
        "not lifespan events.",
        exploit=f"The service has {'started' if when == 'start' else 'stopped'}, and what `{name}` should have done is not done.",
        confidence=Confidence.CERTAIN,
        trace=steps(
            (application.location, f"{application.name} is created here"),
            (place, f"{name} is registered here"),
        ),
    )


rule.bad = """
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI

    prices: dict[str, int] = {}


    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        prices.clear()


    app = FastAPI(lifespan=lifespan)


    @app.on_event("startup")
    async def load_prices() -> None:  # finding: startup-code-never-runs
        prices["book"] = 12


    @app.get("/prices")
    def read_prices() -> dict[str, int]:
        return prices
"""

rule.good = """
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI

    prices: dict[str, int] = {}


    async def load_prices() -> None:
        prices["book"] = 12


    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await load_prices()
        yield
        prices.clear()


    app = FastAPI(lifespan=lifespan)


    @app.get("/prices")
    def read_prices() -> dict[str, int]:
        return prices
"""


@rule.symptom
def the_prices_are_never_loaded(proof: Proof) -> None:
    """The service has started, and what its start-up handler should have loaded is not there."""
    assert proof.client.get("/prices").json() == {}
