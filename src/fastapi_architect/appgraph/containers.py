"""Dockerfiles, compose files, Procfiles, scripts and environment files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from fastapi_architect.appgraph.commands import ServerCommand, find_commands, find_in_arguments
from fastapi_architect.appgraph.database_urls import parse_url
from fastapi_architect.appgraph.project_files import file_name
from fastapi_architect.appgraph.values import classify, is_secret_name
from fastapi_architect.appgraph.yaml_nodes import InvalidYaml, YamlNode, parse_yaml
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import Unreadable

_MAX_NODES = 20_000


class Variable(msgspec.Struct, frozen=True):
    """An environment variable that a file sets. The value itself is not kept.

    Attributes:
        name: the variable.
        looks_like: see `values.classify`.
        is_secret: by its name.
        dialect: of a database URL, else "".
        location: where.
    """

    name: str
    looks_like: str
    is_secret: bool
    dialect: str
    location: Location


def variable(name: str, value: str, location: Location) -> Variable:
    """Classify a variable; the value is forgotten."""
    url = parse_url(value.strip().strip("\"'")) if "://" in value else None
    dialect = url.dialect if url is not None and url.dialect != "unknown" else ""
    return Variable(name, classify(value), is_secret_name(name), dialect, location)


class EnvFile(msgspec.Struct, frozen=True):
    """A `.env` file.

    Attributes:
        path: the file.
        is_example: `.env.example` and the like: not used as it is.
        variables: in order.
    """

    path: str
    is_example: bool
    variables: tuple[Variable, ...]


class Dockerfile(msgspec.Struct, frozen=True):
    """A Dockerfile; what is said is of the last stage, unless it says otherwise.

    Attributes:
        path: the file.
        base_images: of every stage, in order.
        user: the user that the container runs as; None when no USER is given (root).
        user_location: where, or None.
        ports: exposed.
        variables: ENV and ARG of all stages.
        commands: servers and workers started by CMD, ENTRYPOINT and RUN-less scripts.
        start: text of CMD and ENTRYPOINT, joined.
        start_location: where the last of them stands, or None.
        has_healthcheck: HEALTHCHECK is given.
        copies_all: `COPY . .` or `ADD . ...`: location, or None.
    """

    path: str
    base_images: tuple[str, ...]
    user: str | None
    user_location: Location | None
    ports: tuple[str, ...]
    variables: tuple[Variable, ...]
    commands: tuple[ServerCommand, ...]
    start: str
    start_location: Location | None
    has_healthcheck: bool
    copies_all: Location | None


class Service(msgspec.Struct, frozen=True):
    """A service of a compose file.

    Attributes:
        name: the service.
        image: or "".
        builds: it is built from a Dockerfile here.
        commands: servers and workers it starts.
        variables: its environment.
        ports: published, as written.
        replicas: `deploy.replicas` or `scale`; None when not given.
        user: or None.
        location: where.
    """

    name: str
    image: str
    builds: bool
    commands: tuple[ServerCommand, ...]
    variables: tuple[Variable, ...]
    ports: tuple[str, ...]
    replicas: int | None
    user: str | None
    location: Location


class ComposeFile(msgspec.Struct, frozen=True):
    """A compose file."""

    path: str
    services: tuple[Service, ...]


# ── .env ────────────────────────────────────────────────────────────────────────────────────────────────────

_ASSIGNMENT = lazy_pattern(r"\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*=[ \t]*(.*)")
_EXAMPLE = lazy_pattern(r"example|sample|template|dist|default|\.tpl", re.IGNORECASE)


def is_env_file(path: str) -> bool:
    """`.env`, `.env.production`, `prod.env`."""
    name = file_name(path)
    return name == ".env" or name.startswith(".env.") or name.endswith(".env")


def read_env_file(path: str, text: str) -> EnvFile:
    """Read a `.env` file."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ASSIGNMENT.match(line)
        if match:
            found.append(variable(match[1], _without_comment(match[2]), Location(path, number)))
    return EnvFile(path, _EXAMPLE.search(file_name(path)) is not None, tuple(found))


def _without_comment(value: str) -> str:
    return value if value[:1] in "\"'" else re.sub(r"\s+#.*", "", value)


# ── Dockerfile ──────────────────────────────────────────────────────────────────────────────────────────────


def is_dockerfile(path: str) -> bool:
    """`Dockerfile`, `api.Dockerfile`, `Dockerfile.prod`, `Containerfile`; not `Dockerfile.dockerignore`."""
    name = file_name(path)
    if name.endswith("ignore"):
        return False
    return re.fullmatch(r"(?:.*\.)?(?:Dockerfile|Containerfile)(?:[-_.].*)?", name, re.IGNORECASE) is not None


def read_dockerfile(path: str, text: str) -> Dockerfile:
    """Read a Dockerfile; unknown instructions are passed over."""
    images: list[str] = []
    variables: list[Variable] = []
    values: dict[str, str] = {}
    ports: list[str] = []
    user: tuple[str, Location] | None = None
    starts: dict[str, tuple[str, Location]] = {}
    copies: Location | None = None
    healthcheck = False
    for instruction, rest, line in _instructions(text):
        where = Location(path, line)
        if instruction == "FROM":
            images.append(re.sub(r"^(?:--\S+\s+)*", "", rest).split()[0] if rest.split() else "")
            user, starts, copies = None, {}, None
        elif instruction == "USER":
            user = (rest.strip(), where)
        elif instruction == "EXPOSE":
            ports += rest.split()
        elif instruction in ("ENV", "ARG"):
            for name, value in _docker_variables(rest):
                values[name] = value
                variables.append(variable(name, value, where))
        elif instruction in ("CMD", "ENTRYPOINT"):
            starts[instruction] = (rest, where)
        elif instruction == "HEALTHCHECK":
            healthcheck = not rest.upper().startswith("NONE")
        elif (
            instruction in ("COPY", "ADD") and re.match(r"(?:--\S+\s+)*\./?\s", rest) and "--from" not in rest
        ):
            copies = where
    joined = [starts[name][0] for name in ("ENTRYPOINT", "CMD") if name in starts]
    last = starts.get("CMD") or starts.get("ENTRYPOINT")
    return Dockerfile(
        path=path,
        base_images=tuple(images),
        user=user[0] if user else None,
        user_location=user[1] if user else None,
        ports=tuple(ports),
        variables=tuple(variables),
        commands=tuple(_docker_commands(joined, last[1], values)) if last is not None else (),
        start=" ".join(joined),
        start_location=last[1] if last else None,
        has_healthcheck=healthcheck,
        copies_all=copies,
    )


def _instructions(text: str) -> Iterator[tuple[str, str, int]]:
    """Instruction, its arguments with continued lines joined, and its line."""
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("#") or (not stripped and not pending):
            continue
        start = start if pending else number
        if stripped.endswith(("\\", "`")):
            pending += stripped[:-1] + " "
            continue
        whole, pending = pending + stripped, ""
        name, _, rest = whole.partition(" ")
        if name.isalpha():
            yield name.upper(), rest.strip(), start


def _docker_variables(rest: str) -> Iterator[tuple[str, str]]:
    pairs = re.findall(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)", rest)
    if pairs:
        for name, value in pairs:
            yield name, value.strip("\"'")
    elif rest.split():
        name, _, value = rest.partition(" ")
        yield name, value.strip()


def _docker_commands(parts: list[str], where: Location, values: dict[str, str]) -> Iterator[ServerCommand]:
    import json

    words: list[str] = []
    for part in parts:
        if part.startswith("["):
            try:
                listed = json.loads(part)
            except (ValueError, RecursionError):
                listed = re.findall(r"\"([^\"]*)\"", part)
            words += [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []
        else:
            yield from find_commands(part, where, "dockerfile", values)
    yield from find_in_arguments(words, where, "dockerfile", values)


# ── compose ─────────────────────────────────────────────────────────────────────────────────────────────────


def is_compose(path: str) -> bool:
    """`docker-compose.yml`, `compose.prod.yaml`."""
    return re.fullmatch(r"(?:.*[-_.])?compose.*\.ya?ml", file_name(path), re.IGNORECASE) is not None


def read_compose(path: str, text: str) -> ComposeFile | Unreadable:
    """Read a compose file. Aliases are followed, never copied: a file of nested aliases costs nothing."""
    try:
        root = parse_yaml(text)
    except InvalidYaml as error:
        return Unreadable(path, f"not valid YAML: {error}")
    reader = _Yaml(path)
    services = reader.mapping(reader.mapping(root).get("services"))
    return ComposeFile(path, tuple(reader.service(name, node) for name, node in services.items()))


class _Yaml:
    """Reads nodes of YAML, with a bound on how many."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.left = _MAX_NODES

    def mapping(self, node: YamlNode | None, depth: int = 0) -> dict[str, YamlNode]:
        """Keys to nodes; `<<` merged, own keys winning. Empty for anything but a mapping."""
        if node is None:
            return {}
        merged: dict[str, YamlNode] = {}
        own: dict[str, YamlNode] = {}
        for key, item in node.pairs:
            self.left -= 1
            if self.left < 0:
                break
            if key.text == "<<" and depth < 5:
                for each in item.items or [item]:
                    merged |= self.mapping(each, depth + 1)
            else:
                own[key.text] = item
        return merged | own

    def sequence(self, node: YamlNode | None) -> list[YamlNode]:
        """Elements; empty for anything but a sequence."""
        if node is None:
            return []
        self.left -= len(node.items)
        return node.items if self.left >= 0 else []

    def scalar(self, node: YamlNode | None) -> str | None:
        """Text of a scalar, None for anything else."""
        return node.text if node is not None and node.kind == "scalar" else None

    def location(self, node: YamlNode | None) -> Location:
        """Where a node stands."""
        return Location(self.path, node.line if node is not None else 1)

    def service(self, name: str, node: YamlNode | None) -> Service:
        keys = self.mapping(node)
        environment = dict(self.environment(keys.get("environment")))
        values = {name: value for name, (value, _) in environment.items()}
        deploy = self.mapping(keys.get("deploy"))
        replicas = self.scalar(deploy.get("replicas")) or self.scalar(keys.get("scale")) or ""
        return Service(
            name=name,
            image=self.scalar(keys.get("image")) or "",
            builds="build" in keys,
            commands=tuple(self.commands(keys, values)),
            variables=tuple(variable(n, v, where) for n, (v, where) in environment.items()),
            ports=tuple(p for each in self.sequence(keys.get("ports")) if (p := self.port(each))),
            replicas=int(replicas)
            if replicas.isascii() and replicas.isdigit() and len(replicas) < 7
            else None,
            user=self.scalar(keys.get("user")),
            location=self.location(node),
        )

    def port(self, node: YamlNode | None) -> str:
        keys = self.mapping(node)
        if keys:
            published, target = (
                self.scalar(keys.get("published")) or "",
                self.scalar(keys.get("target")) or "",
            )
            return f"{published}:{target}"
        return self.scalar(node) or ""

    def environment(self, node: YamlNode | None) -> Iterator[tuple[str, tuple[str, Location]]]:
        for name, value in self.mapping(node).items():
            yield name, (self.scalar(value) or "", self.location(value))
        for each in self.sequence(node):
            name, _, text = (self.scalar(each) or "").partition("=")
            if name:
                yield name, (text, self.location(each))

    def commands(self, keys: Mapping[str, YamlNode], values: dict[str, str]) -> Iterator[ServerCommand]:
        for key in ("entrypoint", "command"):
            node = keys.get(key)
            line = self.scalar(node)
            if line:
                yield from find_commands(line, self.location(node), "compose", values)
            words = [w for each in self.sequence(node) if (w := self.scalar(each)) is not None]
            if words:
                yield from find_in_arguments(words, self.location(node), "compose", values)


# ── Procfile, scripts, Makefile ─────────────────────────────────────────────────────────────────────────────


def script_kind(path: str) -> str:
    """procfile, makefile, script, or "" for another file."""
    name = file_name(path)
    if name.startswith("Procfile"):
        return "procfile"
    if name == "Makefile" or name.endswith(".mk") or name == "justfile":
        return "makefile"
    return "script" if name.endswith(".sh") else ""


def read_script(path: str, text: str, kind: str) -> Iterator[ServerCommand]:
    """Commands in a Procfile, shell script or Makefile."""
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if pending else number
        stripped = line.strip()
        if stripped.endswith("\\"):
            pending += stripped[:-1] + " "
            continue
        whole, pending = pending + stripped, ""
        if whole.startswith("#"):
            continue
        if kind == "procfile":
            whole = whole.partition(":")[2]
        elif kind == "makefile":
            whole = whole.lstrip("@-+")
        if re.match(
            r"(?:pip|pip3|uv|poetry|apt|apt-get|apk|echo)\s+(?:pip\s+)?(?:install|add|sync|\"|')", whole
        ):
            continue
        yield from find_commands(whole, Location(path, start), kind)
