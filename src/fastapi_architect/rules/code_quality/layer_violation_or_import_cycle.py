"""Modules import upwards, or in a circle.

Modules that import each other work in one order only: whoever imports the other one first (a test, a worker, a migration)
gets a half-made module and an `ImportError`. Models and schemas that import routes drag the whole application in behind
them, and services that raise `HTTPException` or take a `Request` can serve nobody but HTTP.

Known limits: a module's layer is told by its name (`services`, `repositories`, `models`, `schemas`) or by the operations it
registers. Imports inside functions and under `TYPE_CHECKING` close no circle. A project that
declares its layers for import-linter is judged by circles only. Each circle is reported once, and services that
know HTTP once for the project.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.layers import LOGIC, layers
from fastapi_architect.analyses.module_imports import ModuleImport, ModuleImports, module_imports
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Files,
    Finding,
    Module,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    steps,
)

rule = Rule(
    __name__,
    "Modules import against their layers, or in a circle",
    severity=Severity.MINOR,
    cwe=1047,
    references=(
        "https://docs.python.org/3/faq/programming.html#what-are-the-best-practices-for-using-import-in-a-module",
        "https://fastapi.tiangolo.com/tutorial/bigger-applications/",
        "https://import-linter.readthedocs.io/",
    ),
)

_SHOWN = 6
_BELOW_ROUTES = frozenset({"model", "schema"})
_OF_HTTP = frozenset({"HTTPException", "Request"})


# ── circles ─────────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def import_cycle(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    imports = module_imports(graph)
    modules = [m for m in graph.program.modules.values() if m.kind == "source"]
    for component in _components(modules, imports):
        circle = _shortest_circle(component, imports)
        last = circle[-1]
        names = " → ".join([circle[0].importer.name, *(each.imported.name for each in circle)])
        more = (
            f"; {len(component)} modules depend on each other in this way"
            if len(component) > len(circle)
            else ""
        )
        yield rule.at(
            last.site,
            f"`{last.importer.name}` and `{last.imported.name}` import each other: {names}{more}.",
            f"Consider moving what both need into a module below them:\n```python\n# in {last.importer.name}\n"
            f"from {_beside(last.importer)}shared import {(last.names or ('thing',))[0]}\n```",
            reasoning="The circle works in one order of imports; from the other end a name is asked for before it exists.",
            exploit=f"A module that imports `{last.imported.name}` first gets an ImportError, or an attribute that is not there yet.",
            confidence=Confidence.FIRM,
            trace=steps(
                *(
                    (each.site, f"{each.importer.name} imports {each.imported.name}")
                    for each in circle[:_SHOWN]
                )
            ),
        )


def _beside(module: Module) -> str:
    return f"{module.package}." if module.package else ""


def _edges(module: Module, imports: ModuleImports) -> Iterator[ModuleImport]:
    """Imports that run when the module does, each imported module once; itself left out."""
    seen: set[str] = {module.path}
    for each in imports.of(module):
        if not each.for_types and each.imported.path not in seen and each.imported.kind == "source":
            seen.add(each.imported.path)
            yield each


def _components(modules: list[Module], imports: ModuleImports) -> Iterator[list[Module]]:
    """Groups of two and more modules that reach each other, in order of their first module (Kosaraju, iterative)."""
    order: list[Module] = []
    seen: set[str] = set()
    backwards: dict[str, list[Module]] = {}
    onward: dict[str, list[Module]] = {}
    for module in modules:
        onward[module.path] = [each.imported for each in _edges(module, imports)]
        for imported in onward[module.path]:
            backwards.setdefault(imported.path, []).append(module)
    for start in modules:
        stack: list[tuple[Module, bool]] = [(start, False)]
        while stack:
            module, done = stack.pop()
            if done:
                order.append(module)
            elif module.path not in seen:
                seen.add(module.path)
                stack.append((module, True))
                stack += [(imported, False) for imported in onward[module.path]]
    groups: list[list[Module]] = []
    placed: set[str] = set()
    for start in reversed(order):
        group: list[Module] = []
        waiting = [start]
        while waiting:
            module = waiting.pop()
            if module.path not in placed:
                placed.add(module.path)
                group.append(module)
                waiting += backwards.get(module.path, [])
        if len(group) > 1:
            groups.append(sorted(group, key=lambda m: m.path))
    yield from sorted(groups, key=lambda group: group[0].path)


def _shortest_circle(component: list[Module], imports: ModuleImports) -> list[ModuleImport]:
    """The shortest way round, as imports; of several the first by path."""
    inside = {module.path for module in component}
    best: list[ModuleImport] = []
    for start in component:
        ways: list[list[ModuleImport]] = [[e] for e in _edges(start, imports) if e.imported.path in inside]
        seen: set[str] = set()
        while ways and (not best or len(ways[0]) < len(best)):
            way = ways.pop(0)
            here = way[-1].imported
            if here is start:
                best = way
                break
            if here.path not in seen:
                seen.add(here.path)
                ways += [[*way, e] for e in _edges(here, imports) if e.imported.path in inside]
        if len(best) == 2:
            break
    return best


# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _has_contracts(graph: AppGraph) -> bool:
    """The project says by import-linter which layers it has: that counts, not customary names."""
    names = ("pyproject.toml", "setup.cfg", ".importlinter")
    return any(path.endswith(names) and "importlinter" in text for path, text in graph.files.texts.items())


@rule.check(per=AppGraph)
def import_against_the_layers(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    known = layers(graph)
    if _has_contracts(graph):
        return
    for module in graph.program.modules.values():
        if module.kind != "source" or module.is_package:
            continue
        layer = known.of(module)
        if layer not in _BELOW_ROUTES and layer != "router":
            continue
        for each in module_imports(graph).of(module):
            if each.for_types or each.imported.is_package or known.of(each.imported) != "router":
                continue
            private = [n for n in each.names if n.startswith("_") and not n.startswith("__")]
            if layer in _BELOW_ROUTES:
                what = f"the {layer} module `{module.name}` imports the routes of `{each.imported.name}`"
            elif private:
                what = f"`{module.name}` takes the private `{private[0]}` from the routes of `{each.imported.name}`"
            else:
                continue
            yield _against(each, what, (private or each.names or ("thing",))[0])


def _against(each: ModuleImport, what: str, name: str) -> Finding:
    return rule.at(
        each.site,
        f"{what[0].upper()}{what[1:]}.",
        f"Consider moving `{name}` into a module below both, such as a service:\n```python\n"
        f"from {_beside(each.importer)}service import {name.lstrip('_')}\n```",
        reasoning="Routes stand at the top: what they alone know can change freely, what others import from them cannot.",
        exploit=f"A change of `{name}` for its route breaks `{each.importer.name}`, which no route knows of.",
        confidence=Confidence.FIRM,
    )


@rule.check(per=AppGraph)
def service_that_knows_http(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    found: list[tuple[Site, Module, str]] = []
    if _has_contracts(graph):
        return
    for module in graph.program.mentioning(*sorted(_OF_HTTP)):
        if module.kind != "source" or layers(graph).of(module) not in LOGIC:
            continue
        for site in module.facts.sites(ir.ImportFrom):
            package = site.node.module.partition(".")[0] if site.node.level == 0 else ""
            names = [n.name for n in site.node.names if n.name in _OF_HTTP]
            if package in ("fastapi", "starlette") and names and not layers(graph).registers(module):
                found.append((site, module, names[0]))
                break
    if not found:
        return
    site, module, name = found[0]
    app = graph.applications[0].name if graph.applications else "app"
    more = f", as {len(found)} modules of services and repositories do" if found[1:] else ""
    yield rule.at(
        site,
        f"`{module.name}` imports `{name}` of the web framework{more}.",
        "Consider an error of the domain, which an exception handler turns into an answer:\n```python\n"
        f"class NotFound(Exception): ...\n\n\n@{app}.exception_handler(NotFound)\nasync def answer_not_found(request, error):\n"
        "    return JSONResponse({'detail': str(error)}, status_code=404)\n```",
        reasoning="A task, a command or a test that calls the service has no request and knows nothing of status codes.",
        exploit=f"A command that calls `{module.name}` without a request gets an `{name}` to deal with.",
        confidence=Confidence.FIRM,
        trace=steps(*((each, f"`{m.name}` imports `{n}`") for each, m, n in found[1 : 1 + _SHOWN])),
    )


rule.bad = Files(
    {
        "main.py": """
            import orders
            from fastapi import FastAPI

            app = FastAPI()


            @app.get("/orders")
            def list_orders() -> list[str]:
                return orders.titles()
        """,
        "orders.py": """
            from customers import DEFAULT  # finding: layer-violation-or-import-cycle


            def titles() -> list[str]:
                return [DEFAULT]
        """,
        "customers.py": """
            from orders import titles

            DEFAULT = "nobody"


            def of_customer() -> list[str]:
                return titles()
        """,
    }
)

rule.good = Files(
    {
        "main.py": """
            import orders
            from fastapi import FastAPI

            app = FastAPI()


            @app.get("/orders")
            def list_orders() -> list[str]:
                return orders.titles()
        """,
        "names.py": """
            DEFAULT = "nobody"
        """,
        "orders.py": """
            from names import DEFAULT


            def titles() -> list[str]:
                return [DEFAULT]
        """,
        "customers.py": """
            from orders import titles


            def of_customer() -> list[str]:
                return titles()
        """,
    }
)


@rule.symptom
def one_order_of_imports_fails(proof: Proof) -> None:
    """Whoever imports the other module of the circle first gets an ImportError."""
    message = ""
    try:
        proof.module("orders")
    except ImportError as error:
        message = str(error)
    assert "partially initialized" in message
