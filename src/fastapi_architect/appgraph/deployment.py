"""How the application is run: packages, environment, containers, processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath

import msgspec

from fastapi_architect.appgraph.commands import ServerCommand, find_commands
from fastapi_architect.appgraph.containers import (
    ComposeFile,
    Dockerfile,
    EnvFile,
    Variable,
    is_compose,
    is_dockerfile,
    is_env_file,
    read_compose,
    read_dockerfile,
    read_env_file,
    read_script,
    script_kind,
)
from fastapi_architect.appgraph.declarations import origin
from fastapi_architect.appgraph.project_files import ProjectFiles, file_name
from fastapi_architect.appgraph.requirements import EffectiveVersion, Packages, find_packages
from fastapi_architect.appgraph.workloads import Workload, is_manifest, read_workloads
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope, all_functions
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import Unreadable


class Deployment(msgspec.Struct, frozen=True, dict=True):
    """All of it.

    Attributes:
        packages: requirements and locked versions.
        env_files: `.env` files.
        dockerfiles: in order of paths.
        compose_files: likewise.
        commands: every server and worker that any file starts, in order of files.
        unreadable: files that could not be read, and why.
        workloads: of Kubernetes manifests, in order of paths.
    """

    packages: Packages
    env_files: tuple[EnvFile, ...] = ()
    dockerfiles: tuple[Dockerfile, ...] = ()
    compose_files: tuple[ComposeFile, ...] = ()
    commands: tuple[ServerCommand, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    workloads: tuple[Workload, ...] = ()

    def version_of(self, package: str) -> EffectiveVersion | None:
        """The effective version of a package (see `Packages.version_of`)."""
        return self.packages.version_of(package)

    def major_of(self, package: str, default: int) -> int:
        """Major version of a package, `default` when nothing says it; `<2` alone says 1."""
        found = self.version_of(package)
        if found is not None:
            return found.version.major
        highest = self.packages.highest_major(package)
        return default if highest is None else min(highest, default or highest)

    @cached_property
    def servers(self) -> tuple[ServerCommand, ...]:
        """Commands that start an HTTP server."""
        return tuple(command for command in self.commands if command.is_server)

    @cached_property
    def workers(self) -> tuple[ServerCommand, ...]:
        """Commands that start a task worker."""
        return tuple(command for command in self.commands if not command.is_server)

    @cached_property
    def most_server_processes(self) -> int | None:
        """The largest number of server processes that any file declares, replicas counted; None when none
        says.
        """
        found = [
            command.workers for command in self.servers if command.workers is not None and not command.reloads
        ]
        for compose in self.compose_files:
            for service in compose.services:
                starts = [c.workers or 1 for c in service.commands if c.is_server]
                if starts and service.replicas:
                    found.append(max(starts) * service.replicas)
        for workload in self.workloads:
            starts = [c.workers or 1 for c in workload.commands if c.is_server and not c.reloads]
            if starts:
                found.append(max(starts) * workload.replicas)
        return max(found, default=None)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Every environment variable that a file sets, example files left out."""
        found = [v for each in self.env_files if not each.is_example for v in each.variables]
        found += [v for each in self.dockerfiles for v in each.variables]
        found += [v for each in self.compose_files for service in each.services for v in service.variables]
        return tuple(found)


def find_deployment(files: ProjectFiles, program: Program | None = None) -> Deployment:
    """Read everything about running the application.

    Args:
        files: texts of the files around the code.
        program: for `uvicorn.run(...)` and `gunicorn.conf.py`; None leaves them out.
    """
    texts = files.texts
    packages, unreadable = find_packages(texts)
    broken = [*files.unreadable, *unreadable]
    composed: list[ComposeFile] = []
    for path in sorted(texts):
        if is_compose(path):
            found = read_compose(path, texts[path])
            if isinstance(found, Unreadable):
                broken.append(found)
            else:
                composed.append(found)
    dockerfiles = tuple(read_dockerfile(path, texts[path]) for path in sorted(texts) if is_dockerfile(path))
    commands = [command for each in dockerfiles for command in each.commands]
    commands += [command for each in composed for service in each.services for command in service.commands]
    workloads = tuple(
        w
        for path in sorted(texts)
        if is_manifest(path, texts[path])
        for w in read_workloads(path, texts[path])
    )
    commands += [command for each in workloads for command in each.commands]
    for path in sorted(texts):
        kind = script_kind(path)
        if kind:
            commands += read_script(path, texts[path], kind)
        elif file_name(path) == "pyproject.toml":
            commands += _project_scripts(path, texts[path])
    if program is not None:
        commands += _commands_in_code(program)
    return Deployment(
        packages,
        tuple(read_env_file(path, texts[path]) for path in sorted(texts) if is_env_file(path)),
        dockerfiles,
        tuple(composed),
        tuple(sorted(commands, key=lambda command: command.location)),
        tuple(sorted(broken)),
        workloads,
    )


_TASK_TABLES = (("poe", "tasks"), ("taskipy", "tasks"), ("pdm", "scripts"), ("hatch", "scripts"))


def _project_scripts(path: str, text: str) -> Iterator[ServerCommand]:
    """Task runners' command lines in `pyproject.toml`."""
    import tomllib

    if "uvicorn" not in text and "gunicorn" not in text and "fastapi " not in text and "celery" not in text:
        return
    try:
        tool = tomllib.loads(text).get("tool")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return  # `find_packages` has said that it is broken
    for name, table in _TASK_TABLES:
        tasks = (
            tool.get(name, {}).get(table, {})
            if isinstance(tool, dict) and isinstance(tool.get(name), dict)
            else {}
        )
        for task in tasks.values() if isinstance(tasks, dict) else ():
            line = task.get("cmd") or task.get("shell") if isinstance(task, dict) else task
            if isinstance(line, str):
                yield from find_commands(line, Location(path, _line_of(line, text)), "pyproject")


def _line_of(part: str, text: str) -> int:
    at = text.find(part.splitlines()[0]) if part else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


# ── in code ─────────────────────────────────────────────────────────────────────────────────────────────────


def _commands_in_code(program: Program) -> Iterator[ServerCommand]:
    for module in program.mentioning("uvicorn"):
        scopes: list[Scope] = [module, *(f for f in all_functions(module) if "run" in f.node.called)]
        for scope in scopes if module.kind != "test" else ():
            for site in scope.facts.calls_named("run"):
                if origin(program, site.node.func, scope).package == "uvicorn":
                    yield _uvicorn_run(program, site)
    for path, module in program.modules.items():
        if re.fullmatch(r"gunicorn.*\.py", PurePosixPath(path).name):
            options = {}
            for name, bindings in module.facts.bindings.items():
                if bindings[-1].kind == "assign" and not name.startswith("_"):
                    value = program.constants.value(bindings[-1].value, module)
                    options[name.replace("_", "-")] = "unknown" if value is UNKNOWN else str(value)
            yield ServerCommand(
                "gunicorn", "", options.get("wsgi-app", ""), options, {}, "python", module.location()
            )


def _uvicorn_run(program: Program, site: Site) -> ServerCommand:
    options: dict[str, str] = {}
    for each in site.node.keywords:
        value = program.constants.value(each.value, site.scope)
        # A switch that is off is not given; what is no constant (a setting) may be on.
        if each.arg is not None and value is not False and value is not None:
            options[each.arg.replace("_", "-")] = (
                "unknown" if value is UNKNOWN else "" if value is True else str(value)
            )
    target = program.constants.string(argument(site.node, 0, "app"), site.scope) or ""
    return ServerCommand("python", "", target, options, {}, "python", site.scope.location(site.node))
