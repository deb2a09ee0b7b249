"""The application answers errors with its own source code.

With `debug=True` every unhandled error becomes a page with the traceback, the lines of code around it and their
files. A server that is started with `--reload` in an image watches files and restarts at will.

Known limits: a value from the environment counts by its default. A runner under `if __name__ == "__main__"` is for
development and is not looked at unless an image starts that file.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.commands import ServerCommand
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Class,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Instance,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    ir,
    last_name,
    options,
    steps,
)

rule = Rule(
    __name__,
    "The application shows its source code when it fails",
    severity=Severity.IMPORTANT,
    cwe=489,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://www.starlette.io/applications/",
        "https://fastapi.tiangolo.com/reference/fastapi/#fastapi.FastAPI",
    ),
)


@rule.check(per=Application)
def debug_is_on(application: Application, graph: AppGraph) -> Iterator[Finding]:
    given = application.keywords.get("debug")
    if given is None or graph.program.constants.value(given, application.scope) is not True:
        return
    if given.__class__ is ir.Constant:
        place = application.scope.location(given)
        edit = Edit(place, "False")
        yield _finding(
            application,
            application.location,
            "debug=True",
            Confidence.CERTAIN,
            Fix("Turn debug off", (edit,), safe=True),
        )
        return
    default = _default(given, application.scope, graph)
    if default is None:
        yield _finding(application, application.location, f"debug={last_name(given)}", Confidence.FIRM, None)
    elif default[1] is not None:
        fix = Fix("Turn debug off by default", (Edit(default[1], "False"),), safe=True)
        yield _finding(
            application, default[0], f"{last_name(given)} is True by default", Confidence.FIRM, fix
        )


def _default(expr: ir.Expr, scope: Scope, graph: AppGraph) -> tuple[Location, Location | None] | None:
    """Where the default of a setting stands, and its value; None when the expression is no setting."""
    if expr.__class__ is not ir.Attribute:
        return None
    for of in options(graph.program.inference.type_of(expr.value, scope)):
        if isinstance(of, Instance) and isinstance(of.cls, Class):
            for binding in of.cls.facts.bindings.get(expr.attr, ()):
                value = binding.value
                if value is not None:
                    literal = of.cls.location(value) if value.__class__ is ir.Constant else None
                    return of.cls.location(binding.node), literal or _given(value, of.cls)
    return None


def _given(value: ir.Expr, cls: Class) -> Location | None:
    """The default inside `Field(default=True)`."""
    if value.__class__ is not ir.Call:
        return None
    for each in (*value.args[:1], *(k.value for k in value.keywords if k.arg == "default")):
        if each.__class__ is ir.Constant:
            return cls.location(each)
    return None


def _finding(
    application: Application, place: Location, what: str, sure: Confidence, fix: Fix | None
) -> Finding:
    return rule.at(
        place,
        f"`{application.name}` runs in debug mode ({what}): an unhandled error is answered with a traceback and the "
        f"source around it.",
        f"Leave debug off, and turn it on in the environment of a developer:\n```python\n"
        f"{application.name} = FastAPI(debug=False)\n```",
        reasoning="Starlette's error page shows code, files and local names to whoever caused the error.",
        exploit=f"A client sends what `{application.name}` fails on and reads its source.",
        confidence=sure,
        trace=steps((place, what), (application, "the application")),
        fix=fix,
        context=Context(access="none"),
    )


@rule.check(per=AppGraph)
def reload_in_an_image(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for command in graph.deployment.commands:
        if command.reloads and command.is_server and _is_deployed(command):
            yield rule.at(
                command.location,
                f"The image starts {command.program} with reload, which is for development: it watches files and "
                f"restarts.",
                f'Start {command.program} without reload in the image:\n```dockerfile\nCMD ["{command.program}", '
                f'"{command.target or "app.main:app"}", "--workers", "2"]\n```',
                reasoning="Whoever can write a file in the image has it run, and workers cannot be used.",
                exploit="An upload into the application's folder restarts it with the new code.",
                confidence=Confidence.FIRM,
                context=Context(hard=True),
            )


def _is_deployed(command: ServerCommand) -> bool:
    path = command.location.path.lower()
    return command.source == "dockerfile" and not any(w in path for w in ("dev", "local", "test", "example"))


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI(debug=True)  # finding: debug-mode-enabled

    @app.get("/ratio/{of}")
    def read_ratio(of: int) -> float:
        api_password_of_the_bank = "only in the source"
        return len(api_password_of_the_bank) / of
"""

rule.good = """
    import os

    from fastapi import FastAPI

    app = FastAPI(debug=os.getenv("APP_DEBUG", "") == "1")

    @app.get("/ratio/{of}")
    def read_ratio(of: int) -> float:
        api_password_of_the_bank = "only in the source"
        return len(api_password_of_the_bank) / of
"""


@rule.exploit
def the_source_is_in_the_answer(proof: Proof) -> None:
    """A division by zero is answered with a page that holds the handler's source."""
    answer = proof.client.get("/ratio/0", headers={"Accept": "text/html"})
    assert "only in the source" in answer.text or "api_password_of_the_bank" in answer.text
