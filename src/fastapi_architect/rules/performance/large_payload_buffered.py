"""A whole file is read into memory to be sent.

`Response(content=path.read_bytes())` holds the file in memory once for each client that asks for it, and
sends the first byte when the last has been read. `FileResponse` sends it piece by piece and answers ranges
and conditional requests.

Known limits: files that are part of the program and small are not told apart by their size.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.per_request import per_request
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Scope,
    Severity,
    dotted_name,
    first_route,
    ir,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A whole file is read into memory to be sent",
    severity=Severity.MINOR,
    cwe=770,
    references=(
        "https://fastapi.tiangolo.com/advanced/custom-response/#fileresponse",
        "https://www.starlette.io/responses/#fileresponse",
    ),
)


@rule.check(per=ResponseCreation)
def file_read_to_be_sent(response: ResponseCreation, graph: AppGraph) -> Iterator[Finding]:
    function = response.function
    if (
        function is None
        or function.module.kind != "source"
        or response.content is None
        or response.kind == "html"
    ):
        return
    source = _file_behind(response.content, function, graph)
    if source is None or not per_request(function, graph):
        return
    yield _finding(response, function, source, graph)


def _file_behind(content: ir.Expr, function: Function, graph: AppGraph) -> str | None:
    """How the file is read, as written, when the content is a whole file whose name is not constant."""
    inference = graph.program.inference
    expr, scope = inference.expand(content, function)
    if isinstance(expr, ir.Call) and dotted_name(expr.func).rpartition(".")[2] == "BytesIO" and expr.args:
        expr, scope = inference.expand(expr.args[0], scope)
    if not isinstance(expr, ir.Call) or not isinstance(expr.func, ir.Attribute):
        return None
    method, owner = expr.func.attr, expr.func.value
    if method in ("read_bytes", "read_text") and not expr.args:
        names = {getattr(of, "name", "") for of in options(inference.type_of(owner, scope))}
        if names & {"pathlib.Path", "anyio.Path"} and not _is_written_down(
            *inference.expand(owner, scope), graph
        ):
            return f"{dotted_name(owner) or 'path'}.{method}()"
        return None
    if method != "read" or expr.args:
        return None
    opened = _opened(owner, function)
    if opened is None or not opened.args or opened.args[0].__class__ is ir.Constant:
        return None
    return f"{dotted_name(owner) or 'open(...)'}.read()"


def _is_written_down(path: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """`Path("robots.txt")`: one file, known to whoever wrote the program."""
    parts = path.args if isinstance(path, ir.Call) else [path]
    return all(graph.program.constants.value(part, scope) is not UNKNOWN for part in parts)


def _opened(expr: ir.Expr, function: Function) -> ir.Call | None:
    """The `open(...)` that gave a file object."""
    if isinstance(expr, ir.Name):
        bindings = function.facts.bindings.get(expr.id, ())
        if len(bindings) != 1 or bindings[0].kind not in ("with", "assign"):
            return None
        value = bindings[0].value
        return _opened(value, function) if value is not None else None
    return expr if isinstance(expr, ir.Call) and dotted_name(expr.func) in ("open", "io.open") else None


def _finding(response: ResponseCreation, function: Function, source: str, graph: AppGraph) -> Finding:
    found = per_request(function, graph)
    entrance = first_route(found.operations if found is not None else (), function.name)
    return rule.at(
        response,
        f"`{function.name}` reads a whole file with `{source}` and sends it from memory, once for each "
        f"client.",
        f"Send the file itself:\n```python\nfrom fastapi.responses import FileResponse\n\n\n"
        f"{definition(graph, function, 'return FileResponse(path)')}\n```",
        reasoning=f"`{source}` has no size, so memory grows with the file and with the number of clients.",
        exploit=f"Ten clients ask {entrance} for a file of 100 MB: the process needs a gigabyte.",
        confidence=Confidence.FIRM,
        trace=steps((response, f"the content is {source}")),
        routes=routes_of(found.operations) if found is not None else (),
        impact=1.0,
    )


rule.bad = """
    from pathlib import Path

    from fastapi import FastAPI, Response

    app = FastAPI()
    FOLDER = Path("exports")


    @app.get("/exports/{number}")
    def download(number: int) -> Response:
        path = FOLDER / f"{number}.csv"
        return Response(path.read_bytes(), media_type="text/csv")  # finding: large-payload-buffered
"""

rule.good = """
    from pathlib import Path

    from fastapi import FastAPI
    from fastapi.responses import FileResponse

    app = FastAPI()
    FOLDER = Path("exports")


    @app.get("/exports/{number}")
    def download(number: int) -> FileResponse:
        return FileResponse(FOLDER / f"{number}.csv", media_type="text/csv")
"""


@rule.symptom
def the_answer_comes_in_one_piece(proof: Proof) -> None:
    """A file of a megabyte is sent as one message, so all of it was in memory."""
    import asyncio

    proof.place("exports/1.csv", "x" * 1_000_000)
    messages: list[int] = []

    asked: list[bool] = []

    async def receive() -> dict[str, object]:
        if asked:
            await asyncio.Event().wait()
        asked.append(True)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            messages.append(len(message["body"]))  # type: ignore[arg-type]

    scope = {
        "type": "http", "method": "GET", "path": "/exports/1", "raw_path": b"/exports/1", "query_string": b"",
        "headers": [], "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    asyncio.run(proof.module().app(scope, receive, send))
    assert max(messages) == 1_000_000
