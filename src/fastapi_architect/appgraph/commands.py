"""Command lines that start servers and workers, wherever they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fastapi_architect.source.location import Location

_PROGRAMS = frozenset(
    {
        "uvicorn",
        "gunicorn",
        "hypercorn",
        "fastapi",
        "granian",
        "daphne",
        "celery",
        "arq",
        "dramatiq",
        "taskiq",
        "rq",
    }
)
_MAX_LINE = 20_000
_MAX_DEPTH = 3

#: Short option to long name, by program.
_SHORT = {
    "gunicorn": {
        "w": "workers", "b": "bind", "k": "worker-class", "t": "timeout", "c": "config", "D": "daemon",
    },
    "hypercorn": {"w": "workers", "b": "bind", "k": "worker-class", "c": "config"},
    "celery": {
        "A": "app", "c": "concurrency", "P": "pool", "Q": "queues", "l": "loglevel", "B": "beat",
        "E": "events", "n": "hostname",
        "O": "optimization",
    },
    "dramatiq": {"p": "processes", "t": "threads"},
}  # fmt: skip
_FLAGS = frozenset({
    "reload", "proxy-headers", "no-proxy-headers", "access-log", "no-access-log", "use-colors", "no-use-colors",
    "factory",
    "server-header", "no-server-header", "date-header", "no-date-header", "preload", "preload-app",
    "daemon",
    "beat", "events",
    "no-reload", "without-gossip", "without-mingle", "without-heartbeat", "purge",
    "reuse-port", "capture-output",
})  # fmt: skip


class ServerCommand(msgspec.Struct, frozen=True):
    """One start of a server or worker.

    Attributes:
        program: uvicorn, gunicorn, hypercorn, fastapi, granian, daphne, celery, arq, dramatiq, taskiq, rq or
            python (`uvicorn.run(...)` in code).
        subcommand: `run` or `dev` of fastapi, `worker` or `beat` of celery; "" otherwise.
        target: `app.main:app`, "" when not given.
        options: long name without dashes in front to value; "" for a switch.
        environment: variables set in front of the command or in the same image or service: name to value.
        source: dockerfile, compose, manifest, procfile, script, makefile, pyproject or python.
        location: where.
    """

    program: str
    subcommand: str
    target: str
    options: dict[str, str]
    environment: dict[str, str]
    source: str
    location: Location

    @property
    def is_server(self) -> bool:
        """It answers HTTP."""
        return self.program in ("uvicorn", "gunicorn", "hypercorn", "fastapi", "granian", "daphne", "python")

    @property
    def workers(self) -> int | None:
        """Worker processes (threads of control for celery); 1 when not given, None when it is not a
        number.
        """
        said = (
            self.options.get("workers")
            or self.options.get("concurrency")
            or self.environment.get("WEB_CONCURRENCY")
        )
        if said is None:
            return 1 if self.is_server else None
        return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else None

    @property
    def reloads(self) -> bool:
        """It watches files and restarts: for development only."""
        return "reload" in self.options or (self.program == "fastapi" and self.subcommand == "dev")

    @property
    def forwarded_allow_ips(self) -> str | None:
        """Proxies whose `X-Forwarded-For` is believed, None when not said."""
        return self.options.get("forwarded-allow-ips") or self.environment.get("FORWARDED_ALLOW_IPS")


def find_commands(
    line: str, location: Location, source: str, environment: dict[str, str] | None = None
) -> tuple[ServerCommand, ...]:
    """Commands in a shell line, also behind `&&`, `exec`, `poetry run`, `sh -c "..."` and variable
    assignments.
    """
    return tuple(_in_line(line[:_MAX_LINE], location, source, environment or {}, 0))


def find_in_arguments(
    arguments: Sequence[str], location: Location, source: str, environment: dict[str, str] | None = None
) -> tuple[ServerCommand, ...]:
    """The same for a command that is given as a list of arguments."""
    return tuple(_in_words(list(arguments), location, source, environment or {}, 0))


def _in_line(
    line: str, location: Location, source: str, environment: dict[str, str], depth: int
) -> Iterator[ServerCommand]:
    if not any(program in line for program in _PROGRAMS):
        return
    for part in (
        re.split(r"&&|\|\||[;|\n]|(?<!&)&(?!&)", line) if depth or "-c" not in line else _top_level(line)
    ):
        yield from _in_words(_words(part), location, source, environment, depth)


def _top_level(line: str) -> Iterable[str]:
    """Parts between operators that stand in no quotes."""
    parts, start, quote, index = [], 0, "", 0
    while index < len(line):
        char = line[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in ";|&\n":
            parts.append(line[start:index])
            start = index + 1
        index += 1
    parts.append(line[start:])
    return parts


def _words(text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()


def _in_words(
    words: list[str], location: Location, source: str, environment: dict[str, str], depth: int
) -> Iterator[ServerCommand]:
    assigned = dict(environment)
    for index, word in enumerate(words):
        name = word.rpartition("/")[2]
        if name in ("sh", "bash", "ash", "dash") and depth < _MAX_DEPTH:
            inner = next((w for w in words[index + 1 :] if not w.startswith("-")), "")
            if any(w.startswith("-") and w.endswith("c") for w in words[index + 1 : index + 3]):
                yield from _in_line(inner, location, source, assigned, depth + 1)
            return
        variable = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", word, re.DOTALL)
        if variable:
            assigned[variable[1]] = variable[2]
        elif name in _PROGRAMS:
            found = _command(name, words[index + 1 :], location, source, assigned)
            if found is not None:
                yield found
            return


def _command(
    program: str, words: list[str], location: Location, source: str, environment: dict[str, str]
) -> ServerCommand | None:
    options: dict[str, str] = {}
    positional: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        index += 1
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        name, value, used = _option(program, word, following)
        options[name] = value
        index += used
    if program in ("pip", "uv") or not (positional or options):
        return None
    subcommand = ""
    if program in ("fastapi", "celery", "rq", "taskiq") and positional:
        subcommand = next(
            (p for p in positional if p in ("run", "dev", "worker", "beat", "flower", "multi", "scheduler")),
            "",
        )
        if not subcommand:
            return None
        positional.remove(subcommand)
    target = positional[0] if positional else options.get("app", "")
    if program in ("uvicorn", "gunicorn", "hypercorn") and not target and not options:
        return None
    return ServerCommand(program, subcommand, target, options, environment, source, location)


def _option(program: str, word: str, following: str) -> tuple[str, str, int]:
    """Name, value and how many further words it took."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        name = name.replace("_", "-")
        if equals:
            return name, value, 0
    else:
        short = word[1:2]
        name = _SHORT.get(program, {}).get(short, word[1:])
        if len(word) > 2 and short in _SHORT.get(program, {}):
            return name, word[2:].lstrip("="), 0
    if (
        name in _FLAGS
        or not following
        or (following.startswith("-") and not re.fullmatch(r"-\d+", following))
    ):
        return name, "", 0
    return name, following, 1
