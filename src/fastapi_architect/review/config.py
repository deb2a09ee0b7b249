"""`[tool.fastapi-architect]`: what a project asks of its review, validated by hand, with errors that help.

    [tool.fastapi-architect]
    ignore = ["internal-endpoint-exposed", { path = "legacy/**", rules = ["code_quality"] }]
    gate = "important"

    [tool.fastapi-architect.per-path."scripts/**"]
    gate = "critical"

    [tool.fastapi-architect.project]
    authentication = ["app.auth.current_user"]
    public_routes = [{ route = "GET /health", reason = "the load balancer asks" }]

    [tool.fastapi-architect.records]        # or `records = true`
    automatic = true
    decisions = "docs/adr"

Keys may be written with dashes or underscores. A key, rule, category, topic or kind that does not exist is
an error.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from fastapi_architect.analyses import taint_sinks
from fastapi_architect.findings.finding import Selectable
from fastapi_architect.findings.severity import Category, Severity
from fastapi_architect.libraries.taught import SINK_KINDS
from fastapi_architect.review.config_values import ConfigError, Values, kind_of, unknown
from fastapi_architect.source.lazy_pattern import lazy_pattern

__all__ = [
    "Config",
    "ConfigError",
    "Ignore",
    "NamedKinds",
    "PathSettings",
    "ProjectFacts",
    "PublicRoute",
    "RecordSettings",
    "load",
    "parse",
    "selectors",
    "unknown",
    "unknown_name",
    "unknown_route",
]

TABLE = "fastapi-architect"
GATES = (*(severity.value for severity in reversed(Severity)), "none")
DATA_CLASSES = ("secret", "personal", "internal", "public")
PROTECTIONS = (
    "authentication",
    "body-size",
    "compression-limit",
    "cors",
    "https",
    "rate-limit",
    "security-headers",
    "waf",
)
#: What a sanitizer may make harmless; a sink is one of `SINK_KINDS`.
KINDS = frozenset(kind.name for kind in taint_sinks.KINDS)

_FIELD = lazy_pattern(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_ROUTE = lazy_pattern(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|WEBSOCKET|\*) (/\S*)")


class Ignore(msgspec.Struct, frozen=True):
    """Findings to leave out: of one selector (rule, category or topic), below `path` where given."""

    selector: str
    path: str = ""


class PathSettings(msgspec.Struct, frozen=True):
    """Settings for files that match a pattern; the last pattern that matches and says something wins."""

    pattern: str
    ignore: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    gate: str | None = None


class NamedKinds(msgspec.Struct, frozen=True):
    """A function by its dotted name, and the kinds of danger that it makes harmless (or reaches)."""

    name: str
    kinds: tuple[str, ...]


class PublicRoute(msgspec.Struct, frozen=True):
    """A route that is meant to be reachable without signing in, and why."""

    method: str
    path: str
    reason: str


class ProjectFacts(msgspec.Struct, frozen=True):
    """What the code does not say by itself.

    Attributes:
        authentication: dotted names of dependencies that sign a caller in.
        permissions: dotted names of functions that check what a caller may do.
        sanitizers: functions whose result is harmless for the named kinds of sink.
        sources: dotted names of functions that return what a stranger wrote.
        sinks: functions whose first argument is dangerous when it is such a value.
        public_routes: routes that need no authentication, with reasons.
        exposure: "public" or "internal".
        data_classes: "Model.field" -> secret, personal, internal or public.
        gateway: protection -> patterns of request paths that a gateway in front provides it for.
        self_registration_counts_as_none: anybody may become a user, so a user counts as a stranger.
    """

    authentication: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    sanitizers: tuple[NamedKinds, ...] = ()
    sources: tuple[str, ...] = ()
    sinks: tuple[NamedKinds, ...] = ()
    public_routes: tuple[PublicRoute, ...] = ()
    exposure: str = "public"
    data_classes: Mapping[str, str] = msgspec.field(default_factory=dict)
    gateway: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    self_registration_counts_as_none: bool = False

    def names(self) -> tuple[tuple[str, str], ...]:
        """(key, dotted name) of each function that has to exist in the program, for `unknown_name`."""
        groups = {
            "authentication": self.authentication,
            "permissions": self.permissions,
            "sanitizers": tuple(each.name for each in self.sanitizers),
            "sources": self.sources,
            "sinks": tuple(each.name for each in self.sinks),
        }
        return tuple((key, name) for key, group in groups.items() for name in group)


class RecordSettings(msgspec.Struct, frozen=True):
    """Decision records and prompt records of the project.

    Attributes:
        automatic: `add` and `ask` leave a prompt record behind.
        decisions: folder of decision records, relative to the project; empty: the one that is there.
        prompts: folder of prompt records; empty: the one that is there.
    """

    automatic: bool = False
    decisions: str = ""
    prompts: str = ""


class Config(msgspec.Struct, frozen=True):
    """A validated configuration.

    Attributes:
        file: where it was read, None for the defaults.
        select: selectors of rules to run; all where empty.
        ignore: findings to leave out.
        exclude: patterns of files and folders that are not read.
        gate: severity that fails the review, or "none".
        baseline: path of the baseline file, resolved against the folder of `file`.
        per_path: settings for some files, in the order written.
        project: facts that teach the engine.
        records: where decisions and prompts are kept, and whether prompts are by themselves.
        test_command: what runs the project's tests (`run_tests` of `architect mcp`), in the folder of this file; no shell reads it.
        notes: what a reader should know, such as a pyproject.toml that could not be read.
    """

    file: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    exclude: tuple[str, ...] = ()
    gate: str = "important"
    baseline: Path | None = None
    per_path: tuple[PathSettings, ...] = ()
    project: ProjectFacts = msgspec.field(default_factory=ProjectFacts)
    records: RecordSettings = RecordSettings()
    test_command: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load(
    path: Path,
    rules: Iterable[Selectable],
    *,
    file: Path | None = None,
    within: Path | None = None,
) -> Config:
    """Read the configuration for a review of `path`.

    Args:
        path: the file or folder under review; the nearest pyproject.toml upwards that has the table counts,
        up to
            the folder that holds `.git`.
        rules: every rule there is.
        file: the file named by `--config`: a pyproject.toml, or a TOML file that holds the keys at its top.
        within: no file above this folder counts; None: as far as `.git`.

    Raises:
        ConfigError: when a file cannot be read or says something that has no meaning.
    """
    known = tuple(rules)
    if file is not None:
        data = _toml(file)
        tool = data.get("tool", {})
        table = tool.get(TABLE) if isinstance(tool, dict) else None
        if table is None and (file.name == "pyproject.toml" or "tool" in data):
            raise ConfigError(f"{file}: there is no [tool.{TABLE}] table; add one, or name another file")
        return parse(data if table is None else table, known, file=file)
    notes = []
    folder = path.resolve()
    for candidate in (folder, *folder.parents):
        project = candidate / "pyproject.toml"
        if project.is_file():
            try:
                table = _table(project)
            except ConfigError as error:
                if _mentions(project):
                    raise
                notes.append(str(error))
                table = None
            if table is not None:
                return parse(table, known, file=project, notes=tuple(notes))
        if candidate == within or (candidate / ".git").exists():
            break
    return Config(notes=tuple(notes))


def parse(
    table: Any,
    rules: Iterable[Selectable],
    *,
    file: Path | None = None,
    notes: tuple[str, ...] = (),
) -> Config:
    """Validate the table `[tool.fastapi-architect]`.

    Raises:
        ConfigError: naming file, key and next step.
    """
    read = Values(str(file or "configuration"), selectors(rules))
    keys = (
        "select",
        "ignore",
        "exclude",
        "gate",
        "baseline",
        "per_path",
        "project",
        "records",
        "test_command",
    )
    data = read.table("", table, keys)
    baseline = read.text("baseline", data["baseline"]) if "baseline" in data else None
    return Config(
        file=file,
        select=read.selectors("select", data.get("select", [])),
        ignore=_ignores(read, "ignore", data.get("ignore", [])),
        exclude=read.texts("exclude", data.get("exclude", [])),
        gate=read.choice("gate", data["gate"], GATES) if "gate" in data else "important",
        baseline=None if baseline is None else (file.parent if file else Path()) / baseline,
        per_path=_per_path(read, "per-path", data.get("per_path", {})),
        project=_project(read, "project", data.get("project", {})),
        records=_records(read, "records", data.get("records", False)),
        test_command=_command(read, "test_command", data["test_command"]) if "test_command" in data else (),
        notes=notes,
    )


def selectors(rules: Iterable[Selectable]) -> frozenset[str]:
    """Every name that `select` and `ignore` take: rules, topics, categories and "all"."""
    names = {"all", *(category.value for category in Category)}
    for rule in rules:
        names |= {rule.name, rule.topic}
    return frozenset(names)


def unknown_route(config: Config, route: str, program: Iterable[str]) -> ConfigError:
    """The error for a public route that no application has.

    Args:
        config: the configuration that names it.
        route: method and path.
        program: methods and paths of the program's operations.
    """
    import difflib

    near = difflib.get_close_matches(route, sorted(set(program)), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`architect map` lists the routes"
    file = config.file or "configuration"
    return ConfigError(f"{file}: project.public_routes: no application has the route {route!r}; {hint}")


def unknown_name(config: Config, key: str, name: str, program: Iterable[str]) -> ConfigError:
    """The error for a dotted name in `project` that the program does not have.

    Args:
        config: the configuration that names it.
        key: the key of `[tool.fastapi-architect.project]`.
        name: the dotted name.
        program: qualified names of the program's functions and classes.
    """
    file = config.file or "configuration"
    return ConfigError(f"{file}: project.{key}: " + _unknown_in_program(name, program))


def _unknown_in_program(name: str, program: Iterable[str]) -> str:

    import difflib

    names = sorted(program)
    tail = name.rpartition(".")[2]
    same = [each for each in names if each.rpartition(".")[2] == tail]
    near = same or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = (
        f"; did you mean {near[0]!r}?"
        if near
        else "; write the full dotted name, such as 'app.auth.current_user'"
    )
    return f"nothing in the program is called {name!r}{hint}"


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file; check the path given to --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: is not valid TOML ({error})") from error


def _command(read: Values, key: str, value: Any) -> tuple[str, ...]:
    """A program and its arguments; no shell reads them."""
    text = read.text(key, value)
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise read.error(key, f"{text!r} is no command: {error}") from error
    if not words:
        raise read.error(key, "is empty; write a command, such as 'make test', or leave it out")
    return words


def _table(project: Path) -> Any:
    tool = _toml(project).get("tool", {})
    return tool.get(TABLE) if isinstance(tool, dict) else None


def _mentions(project: Path) -> bool:
    try:
        return f"tool.{TABLE}".encode() in project.read_bytes()
    except OSError:
        return False


def _records(read: Values, key: str, value: Any) -> RecordSettings:
    if isinstance(value, bool):
        return RecordSettings(automatic=value)
    if not isinstance(value, dict):
        raise read.error(
            key,
            f'has to be true, false or a table such as {{ decisions = "docs/adr" }}, not {kind_of(value)}',
        )
    table = read.table(key, value, ("automatic", "decisions", "prompts"))
    automatic = table.get("automatic", False)
    if not isinstance(automatic, bool):
        raise read.error(f"{key}.automatic", f"has to be true or false, not {kind_of(automatic)}")
    return RecordSettings(
        automatic,
        _folder(read, f"{key}.decisions", table.get("decisions")),
        _folder(read, f"{key}.prompts", table.get("prompts")),
    )


def _folder(read: Values, key: str, value: Any) -> str:
    """A folder below the project's; empty where none is given."""
    if value is None:
        return ""
    text = read.text(key, value)
    path = PurePosixPath(text.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise read.error(key, f"{text!r} has to be a folder inside of the project, such as 'docs/adr'")
    return path.as_posix()


def _ignores(read: Values, key: str, value: Any) -> tuple[Ignore, ...]:
    found: list[Ignore] = []
    for place, each in read.items(key, value):
        if isinstance(each, str):
            found.append(Ignore(read.selector(place, each)))
            continue
        if not isinstance(each, dict):
            raise read.error(
                place, f"has to be a name or {{ path = ..., rules = [...] }}, not {kind_of(each)}"
            )
        entry = read.table(place, each, ("path", "rules", "reason"))
        if "path" not in entry:
            raise read.error(place, 'lacks `path`, such as path = "legacy/**"')
        path = read.text(f"{place}.path", entry["path"])
        rules = read.selectors(f"{place}.rules", entry["rules"]) if "rules" in entry else ("all",)
        found += [Ignore(rule, path) for rule in rules]
    return tuple(found)


def _per_path(read: Values, key: str, value: Any) -> tuple[PathSettings, ...]:
    if not isinstance(value, dict):
        raise read.error(key, f"has to be a table of patterns, not {kind_of(value)}")
    found = []
    for pattern, settings in value.items():
        place = f'{key}."{pattern}"'
        entry = read.table(place, settings, ("ignore", "select", "gate"))
        found.append(
            PathSettings(
                pattern,
                read.selectors(f"{place}.ignore", entry.get("ignore", [])),
                read.selectors(f"{place}.select", entry.get("select", [])),
                read.choice(f"{place}.gate", entry["gate"], GATES) if "gate" in entry else None,
            )
        )
    return tuple(found)


def _project(read: Values, key: str, value: Any) -> ProjectFacts:
    data = read.table(key, value, ProjectFacts.__struct_fields__)
    registration = data.get("self_registration_counts_as_none", False)
    if not isinstance(registration, bool):
        raise read.error(f"{key}.self_registration_counts_as_none", "has to be true or false")
    exposure = data.get("exposure", "public")
    return ProjectFacts(
        authentication=read.dotted_names(f"{key}.authentication", data.get("authentication", [])),
        permissions=read.dotted_names(f"{key}.permissions", data.get("permissions", [])),
        sanitizers=_named_kinds(read, f"{key}.sanitizers", data.get("sanitizers", []), KINDS),
        sources=read.dotted_names(f"{key}.sources", data.get("sources", [])),
        sinks=_named_kinds(read, f"{key}.sinks", data.get("sinks", []), SINK_KINDS),
        public_routes=_public_routes(read, f"{key}.public_routes", data.get("public_routes", [])),
        exposure=read.choice(f"{key}.exposure", exposure, ("public", "internal")),
        data_classes=_data_classes(read, f"{key}.data_classes", data.get("data_classes", {})),
        gateway=_gateway(read, f"{key}.gateway", data.get("gateway", {})),
        self_registration_counts_as_none=registration,
    )


def _named_kinds(read: Values, key: str, value: Any, known: frozenset[str]) -> tuple[NamedKinds, ...]:
    found = []
    for place, each in read.items(key, value):
        entry = read.table(place, each, ("name", "kind", "kinds"))
        if "name" not in entry or ("kind" in entry) == ("kinds" in entry):
            raise read.error(place, 'has to be { name = "app.clean.html", kinds = ["html"] }')
        listed = entry["kinds"] if "kinds" in entry else [entry["kind"]]
        kinds = read.texts(f"{place}.kinds", listed)
        for kind in kinds:
            if kind not in known:
                raise read.error(f"{place}.kinds", unknown("kind", kind, known))
        if not kinds:
            raise read.error(f"{place}.kinds", f"names no kind; known are {', '.join(sorted(known))}")
        found.append(NamedKinds(read.dotted_name(f"{place}.name", entry["name"]), kinds))
    return tuple(found)


def _public_routes(read: Values, key: str, value: Any) -> tuple[PublicRoute, ...]:
    found = []
    for place, each in read.items(key, value):
        form = '{ route = "GET /health", reason = "why it is public" }'
        if not isinstance(each, dict):
            raise read.error(place, f"has to be {form}, not {kind_of(each)}")
        entry = read.table(place, each, ("route", "reason"))
        if "route" not in entry or "reason" not in entry:
            missing = "route" if "route" not in entry else "reason"
            raise read.error(place, f"lacks `{missing}`; write {form}")
        route = _ROUTE.fullmatch(read.text(f"{place}.route", entry["route"]))
        if route is None:
            raise read.error(
                f"{place}.route", f"{entry['route']!r} has to be a method and a path, 'GET /health'"
            )
        found.append(PublicRoute(route[1], route[2], read.text(f"{place}.reason", entry["reason"])))
    return tuple(found)


def _data_classes(read: Values, key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise read.error(
            key, f'has to be a table such as {{ "User.email" = "personal" }}, not {kind_of(value)}'
        )
    found = {}
    for name, each in _flat(value):
        if not _FIELD.fullmatch(name):
            raise read.error(key, f"{name!r} has to be a model and a field, such as 'User.email'")
        found[name] = read.choice(f"{key}.{name}", each, DATA_CLASSES)
    return found


def _gateway(read: Values, key: str, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise read.error(
            key, f'has to be a table such as {{ rate-limit = ["/api/**"] }}, not {kind_of(value)}'
        )
    found: dict[str, tuple[str, ...]] = {}
    for name, each in value.items():
        protection = name.replace("_", "-")
        if protection not in PROTECTIONS:
            raise read.error(key, unknown("protection", name, PROTECTIONS))
        if isinstance(each, bool):
            patterns: tuple[str, ...] = ("/**",) if each else ()
        else:
            patterns = read.texts(f"{key}.{name}", each)
        for pattern in patterns:
            if not pattern.startswith("/"):
                raise read.error(f"{key}.{name}", f"{pattern!r} has to start with '/', such as '/api/**'")
        found[protection] = patterns
    return found


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Pairs of dotted key and value: TOML reads `User.email = ...` as a table in a table."""
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        dotted = f"{prefix}{name}"
        found += _flat(value, f"{dotted}.") if isinstance(value, dict) else [(dotted, value)]
    return found
