"""The text of an exception that nobody wrote for clients is sent to one.

What a driver, an HTTP client or the operating system says about a failure is meant for the person who mends it: the statement
and its values, the address and the port inside the network, the path of a file, a piece of the other service's answer. With
`except Exception as exc` and `detail=str(exc)` all of that is one malformed request away.

Known limits: exceptions of the program itself, and those that describe what was sent (validation, parsing, tokens,
`ValueError`), are taken for texts that were written to be read, and so is what a function with a name like `sanitize`
gives. A 4xx that says why something could not be built in memory from what was sent is feedback, a 5xx that does is tentative,
and what goes on behind the answer tells no client. A 4xx with the error of a library that is no driver, client or part of Python
is tentative. A text under a switch for
development is left out. Where everybody who can ask is an administrator, or holds the one credential of the settings, the
reader runs the service, and it is minor. Operations that test a connection are tentative. Objects that hold a text and are returned later,
and handlers that are registered by a library, are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.exception_text import (
    ExposedText,
    clause_of,
    exposed_texts,
    fails_in_memory,
    is_client_error,
)
from fastapi_architect.analyses.one_operator import is_for_one_operator
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Step,
    dotted_name,
    first_route,
    ir,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "The text of an exception is sent to the client",
    severity=Severity.IMPORTANT,
    cwe=209,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html",
        "https://www.rfc-editor.org/rfc/rfc9457#section-5",
    ),
)

_CARRIERS = {
    "HTTPException": "the error that it raises",
    "response": "the response that it makes",
    "websocket": "the message that it sends",
    "return": "what it returns",
    "stream": "the stream that it writes",
}


@rule.check(per=AppGraph)
def exception_in_an_answer(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for text in exposed_texts(graph):
        function = text.scope
        operations = graph.entries(function)  # type: ignore[arg-type]
        caught = "a traceback" if text.caught == "traceback" else f"`{text.caught.rpartition('.')[2]}`"
        where = first_route(operations, function.name)
        finding = rule.at(
            function.location(text.node),
            f"`{function.name}` tells the client what {caught} says: its text is in {_CARRIERS[text.how]}.",
            _suggestion(text, graph),
            reasoning=_reasoning(text),
            exploit=f"Make what stands behind {where} fail (a value that the database refuses, a host that does not answer), and "
            f"read in the answer what {caught} says about it.",
            confidence=_confidence(text, operations, graph),
            trace=_trace(text, caught),
            fix=_fix(text),
            routes=routes_of(operations),
            context=Context(data="internal", writes=False),
            symbol=function.full_name,
        )
        by_operator = bool(operations) and all(_is_for_operators(each, graph) for each in operations)
        yield replace(finding, severity=Severity.MINOR) if by_operator else finding


def _is_for_operators(operation: PathOperation, graph: AppGraph) -> bool:
    """Administrators, or whoever holds the one credential of the settings: they run the service, and may know how it fails."""
    return graph.access(operation).level is AccessLevel.ADMIN or is_for_one_operator(graph, operation)


#: Operations that exist to tell somebody why a connection fails: a verb with its object (`test_email`), alone (`/test`), or
#: behind what is connected to (`webhook_test`).
_DIAGNOSES = lazy_pattern(
    r"(^|[_/-])(test|verify|validate|diagnos\w*|probe|ping|check)[_/-]\w|(^|/)(test|verify|validate|diagnos\w*|probe|ping|check)$|"
    r"(connect(ion|or|ivity)|webhook|smtp|ldap|e?mail|channel|integration|provider|server|config\w*|credentials?|settings|health)"
    r"[_/-](test|verify|validate|probe|ping|check)([_/-]|$)",
    re.IGNORECASE,
)


def _confidence(text: ExposedText, operations: tuple[PathOperation, ...], graph: AppGraph) -> Confidence:
    asked = [text.scope.name, *(o.path for o in operations)]
    if operations and any(_DIAGNOSES.search(name) for name in asked):
        return Confidence.TENTATIVE
    if text.caught != "traceback" and fails_in_memory(graph, text.piece):
        return Confidence.TENTATIVE
    if _may_be_for_clients(text, graph):
        return Confidence.TENTATIVE
    return Confidence.FIRM if text.piece.hops or text.is_broad else Confidence.CERTAIN


#: Packages whose errors tell of hosts, statements, paths and commands.
_TELL_OF_INSIDE = frozenset({
    "builtins", "os", "socket", "ssl", "subprocess", "shutil", "urllib", "http", "smtplib", "ftplib", "sqlite3", "sqlalchemy", "psycopg",
    "psycopg2", "asyncpg", "pymysql", "MySQLdb", "aiomysql", "pymongo", "motor", "beanie", "tortoise", "peewee", "redis", "aioredis",
    "elasticsearch", "opensearchpy", "httpx", "httpcore", "requests", "urllib3", "aiohttp", "botocore", "boto3", "aiobotocore", "docker",
    "kubernetes", "kubernetes_asyncio", "paramiko", "asyncssh", "aiosmtplib", "ldap3", "ldap", "kafka", "aiokafka", "pika", "aio_pika",
    "celery", "kombu", "grpc", "minio", "azure", "google", "neo4j", "cassandra", "clickhouse_connect", "clickhouse_driver", "aiosqlite",
})  # fmt: skip


def _may_be_for_clients(text: ExposedText, graph: AppGraph) -> bool:
    """The class of another library, told with a 4xx: it may describe what was sent, such as an address that does not parse."""
    if text.is_broad or text.caught.partition(".")[0] in _TELL_OF_INSIDE:
        return False
    return is_client_error(graph, text.node, text.scope)


def _reasoning(text: ExposedText) -> str:
    if text.caught == "traceback":
        return "A traceback names files, lines and calls of the service."
    if text.is_broad:
        return (
            f"`{text.caught.rpartition('.')[2]}` is whatever goes wrong: errors of the database (statement and values), of clients "
            "(addresses), of files (paths) end here as well, and nothing picks out what is meant for a client."
        )
    return f"`{text.caught}` is written for the operator: it names hosts, statements, paths or commands."


def _trace(text: ExposedText, caught: str) -> tuple[Step, ...]:
    piece = text.piece
    names = [each for each in walk(piece.expr) if each.__class__ is ir.Name]
    clause = next((c for name in names if (c := clause_of(name, piece.scope)) is not None), None)
    begin = piece.scope.location(clause if clause is not None else piece.expr)
    hops = [(hop.scope.location(hop.node), hop.text) for hop in reversed(piece.hops)]
    return steps(
        (Location(begin.path, begin.line, begin.column), f"{caught} is caught"),
        *hops,
        (text.scope.location(text.node), f"its text is in {_CARRIERS[text.how]}"),
    )


def _suggestion(text: ExposedText, graph: AppGraph) -> str:
    name = _exception_name(text) or "exc"
    log = _logger(text) or "logger"
    lead = "Log the error where operators read it, and answer with a text of your own:\n```python\n"
    if text.how == "HTTPException" and isinstance(text.node, ir.Call):
        raised = dotted_name(text.node.func) or "HTTPException"
        status = _written_status(text, graph)
        return (
            f'{lead}{log}.exception("{text.scope.name} failed")\n'
            f'raise {raised}(status_code={status}, detail="{_plain_text(text)}") from {name}\n```'
        )
    return f'{lead}{log}.exception("{text.scope.name} failed")\nanswer = {{"detail": "{_plain_text(text)}"}}\n```'


def _written_status(text: ExposedText, graph: AppGraph) -> str:
    call = text.node
    assert isinstance(call, ir.Call)
    given = next((k.value for k in call.keywords if k.arg == "status_code"), None)
    given = given if given is not None else next(iter(call.args), None)
    written = (
        text_at(graph, text.scope.location(given)) if given is not None and given is not text.value else ""
    )
    return written if written and "\n" not in written else "500"


def _exception_name(text: ExposedText) -> str:
    names = [each.id for each in walk(text.piece.expr) if each.__class__ is ir.Name]
    return names[0] if names and text.piece.scope is text.scope and text.caught != "traceback" else ""


def _logger(text: ExposedText) -> str:
    """A logger of the module by one of its usual names."""
    bindings = text.scope.module.facts.bindings
    return next((name for name in ("logger", "log", "LOGGER", "_logger", "LOG") if name in bindings), "")


def _plain_text(text: ExposedText) -> str:
    """The constant words in front of the exception, as a sentence; a general one where there are none."""
    value = text.value
    first = value.values[0] if value.__class__ is ir.JoinedStr and value.values else None
    if isinstance(first, ir.Constant) and isinstance(first.value, str):
        words = first.value.strip().rstrip(":-(='\"` ").replace("\\", "").replace('"', "'")
        words = "".join(c for c in words if c.isprintable() and c not in "{}")
        if " " in words:
            return f"{words}."
    return "The request could not be completed."


def _fix(text: ExposedText) -> Fix | None:
    """Another text in its place, and the error into the log, where both stand in one clause and there is a logger."""
    log = _logger(text)
    value, scope = text.value, text.scope
    if not log or text.how != "HTTPException" or not _exception_name(text) or text.piece.hops:
        return None
    if value.__class__ not in (ir.JoinedStr, ir.Call):
        return None
    site = next((each for each in scope.facts.calls if each.node is text.node), None)
    if site is None or not isinstance(site.statement, ir.Raise) or site.context.inside("handler") is None:
        return None
    place = scope.location(site.statement)
    start = Location(place.path, place.line, place.column)
    logged = Edit(start, f'{log}.exception("{scope.name} failed")\n{" " * place.column}')
    edits = (logged, Edit(scope.location(value), f'"{_plain_text(text)}"'))
    return Fix("Log the error, and answer with a text of its own", edits)


_HEAD = """
    import logging

    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.pool import StaticPool

    logger = logging.getLogger(__name__)
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE members (email TEXT UNIQUE, discount_code TEXT)"))

    app = FastAPI()


    @app.post("/members", status_code=201)
    def join(email: str) -> None:
        statement = text("INSERT INTO members (email, discount_code) VALUES (:email, :code)")
        try:
            with engine.begin() as connection:
                connection.execute(statement, {"email": email, "code": "SUMMER-40"})
        except IntegrityError as exc:
"""

rule.bad = (
    _HEAD
    + """
            raise HTTPException(status_code=409, detail=str(exc)) from exc  # finding: exception-text-returned-to-client
"""
)

rule.good = (
    _HEAD
    + """
            logger.exception("join failed")
            raise HTTPException(status_code=409, detail="This address is a member.") from exc
"""
)


@rule.exploit
def a_second_registration_shows_the_statement(proof: Proof) -> None:
    """An address that is registered twice is answered with the statement, and with the discount code among its values."""
    proof.client.post("/members", params={"email": "ada@example.org"})
    answer = proof.client.post("/members", params={"email": "ada@example.org"})
    assert answer.status_code == 409
    assert "INSERT INTO members" in answer.text
    assert "SUMMER-40" in answer.text
