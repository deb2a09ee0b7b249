"""`AppGraph`: the questions that analyses and rules may ask about a backend."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from packaging.version import Version

from fastapi_architect.appgraph.applications import Application, ApplicationReader
from fastapi_architect.appgraph.background import Background, Task, find_background
from fastapi_architect.appgraph.database import Database, find_database
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.deployment import Deployment, find_deployment
from fastapi_architect.appgraph.dialects import find_dialects, main_dialect
from fastapi_architect.appgraph.migrations import MigrationHistory, Revision, find_migrations
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.project_facts import ProjectFacts
from fastapi_architect.appgraph.project_files import ProjectFiles, read_project_files
from fastapi_architect.appgraph.pydantic_versions import pydantic_major
from fastapi_architect.appgraph.question import Answers
from fastapi_architect.appgraph.router_objects import RouterObject
from fastapi_architect.appgraph.routers import Unresolved
from fastapi_architect.appgraph.schemas import Schema, find_schemas
from fastapi_architect.appgraph.security import Access, AccessReader
from fastapi_architect.appgraph.settings import Settings, find_settings
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.library import Libraries
from fastapi_architect.libraries.recognition import Recognised
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.source.tree import SourceTree

ConceptT = TypeVar("ConceptT", bound=Concept)

_MAX_ENTRY_DEPTH = 25


class AppGraph:
    """A backend as a graph. Everything is built on first use and kept.

    Attributes:
        program: modules, types, calls.
        tree: the files that are not Python (manifests, deployment).
        project: what the configuration says.
    """

    def __init__(
        self, program: Program, libraries: Libraries, tree: SourceTree, project: ProjectFacts | None = None
    ) -> None:
        self.program = program
        self.tree = tree
        self.project = project or ProjectFacts()
        #: By question: what analyses were asked about this graph.
        self.answers = Answers(lambda asked: asked.work(self))
        self._recognised = Recognised(program, libraries)
        self._reader = ApplicationReader(program)
        self._access = AccessReader(program, self.project)
        self._entries: dict[int, tuple[PathOperation, ...]] = {}
        program.calls.implicit.append(self._injected)

    # ── concepts ─────────────────────────────────────────────────────────────────────────────────────────────────

    def facts(self, concept: type[ConceptT]) -> tuple[ConceptT, ...]:
        """Every occurrence of a concept, in order of files and places."""
        return self._recognised.all(concept)

    def within(self, concept: type[ConceptT], scope: Scope) -> list[ConceptT]:
        """Occurrences directly in one body."""
        return self._recognised.within(concept, scope)

    def scopes_with(self, concept: type[Concept]) -> Iterable[int]:
        """Identities of the bodies in which a concept occurs."""
        return self._recognised.by_scope(concept).keys()

    # ── applications ─────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Every application outside tests, in order of files."""
        return self._reader.applications()

    @cached_property
    def operations(self) -> tuple[PathOperation, ...]:
        """Operations of all applications, and of what belongs to none that is known."""
        return tuple(o for application in self.mapped for o in application.operations)

    @cached_property
    def mapped(self) -> tuple[Application, ...]:
        """All that has operations: the applications, and what is registered on none of them."""
        strays = [self.strays] if self.strays is not None else []
        return (*self.applications, *self.plain_applications, *strays)

    @cached_property
    def plain_applications(self) -> tuple[Application, ...]:
        """Every `Starlette()` outside tests: no validation, dependencies or documentation. Not among `applications`."""
        _ = self.applications
        return self._reader.plain_applications()

    @cached_property
    def strays(self) -> Application | None:
        """What is registered on no application of the tree, as one of which nothing else is known.

        Not one of `applications`: routers of a tree that has none, and parameters that stand for an application.
        """
        _ = self.plain_applications
        return self._reader.strays()

    @cached_property
    def unresolved(self) -> tuple[Unresolved, ...]:
        """Registrations and includes that could not be followed, anywhere."""
        own = [u for application in self.applications for u in application.unresolved]
        found = {(str(u.location), u.what): u for u in (*own, *self._reader.unresolved())}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def routers(self) -> tuple[RouterObject, ...]:
        """Every router that is created."""
        _ = self.applications
        return tuple(self._reader.routers())

    def is_included(self, router: RouterObject) -> bool:
        """Some application reaches the router."""
        _ = self.mapped
        return id(router.creation) in self._reader.included_creations()

    @cached_property
    def _application_of(self) -> dict[int, Application]:
        return {id(o): application for application in self.mapped for o in application.operations}

    def application_of(self, operation: PathOperation) -> Application:
        """The application that an operation belongs to."""
        return self._application_of[id(operation)]

    # ── access ───────────────────────────────────────────────────────────────────────────────────────────────────

    def access(self, operation: PathOperation) -> Access:
        """How strongly an operation is guarded, and by what."""
        return self._access.of_operation(operation, self.application_of(operation))

    @property
    def guards(self) -> AccessReader:
        """The classifier itself, for questions about single dependencies and middleware."""
        return self._access

    # ── who runs what ────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _operations_by_function(self) -> dict[int, list[PathOperation]]:
        """Handlers and dependencies to the operations that run them."""
        index: dict[int, list[PathOperation]] = {}
        for operation in self.operations:
            for function in operation.functions:
                index.setdefault(id(function), []).append(operation)
        return index

    def operations_running(self, function: Function) -> tuple[PathOperation, ...]:
        """Operations that have `function` as their handler or among their dependencies."""
        return tuple(self._operations_by_function.get(id(function), ()))

    def entries(self, function: Function) -> tuple[PathOperation, ...]:
        """Operations from which `function` is reached, through any number of calls; in order of registration."""
        key = id(function)
        if key not in self._entries:
            found: dict[int, PathOperation] = {}
            seen = {key}
            frontier = [function]
            for _ in range(_MAX_ENTRY_DEPTH):
                following: list[Function] = []
                for current in frontier:
                    for operation in self._operations_by_function.get(id(current), ()):
                        found[id(operation)] = operation
                    for caller in self._calling(current):
                        if id(caller) not in seen:
                            seen.add(id(caller))
                            following.append(caller)
                frontier = following
                if not frontier:
                    break
            self._entries[key] = tuple(sorted(found.values(), key=lambda o: self._place[id(o)]))
        return self._entries[key]

    @cached_property
    def _place(self) -> dict[int, int]:
        """An operation's place in the order of registration."""
        return {id(operation): place for place, operation in enumerate(self.operations)}

    def _calling(self, function: Function) -> Iterable[Function]:
        for site in self.program.calls.callers(function):
            if isinstance(site.scope, Function):
                yield site.scope
        parent = function.parent
        if isinstance(parent, Function):
            yield parent  # an inner function is made, and as a rule run, by the one around it

    def _injected(self, function: Function) -> Iterable[Function]:
        """Edges that no call shows: an operation's handler runs its dependencies."""
        for operation in self._operations_by_function.get(id(function), ()):
            if operation.handler is function:
                yield from (f for f in operation.functions if f is not function)

    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def database(self) -> Database:
        """Models, tables, engines, session factories and providers."""
        return find_database(self.program)

    @property
    def models(self) -> tuple[Model, ...]:
        """Classes mapped to tables."""
        return self.database.models

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """Pydantic models and what else FastAPI validates with."""
        return find_schemas(self.program, self.pydantic_major)

    @cached_property
    def migrations(self) -> tuple[MigrationHistory, ...]:
        """Alembic histories."""
        return find_migrations(self.program, self.files.texts)

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """Revisions of every history, parents first."""
        return tuple(revision for history in self.migrations for revision in history.revisions)

    @cached_property
    def background(self) -> Background:
        """Celery applications, tasks, and who sends them."""
        return find_background(self.program)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Functions that workers run."""
        return self.background.tasks

    # ── surroundings ─────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def files(self) -> ProjectFiles:
        """Texts of manifests, locks, settings and deployment files."""
        return read_project_files(self.tree)

    @cached_property
    def deployment(self) -> Deployment:
        """Packages, environment files, containers and the commands that start servers and workers."""
        return find_deployment(self.files, self.program)

    @cached_property
    def pydantic_major(self) -> int:
        """1 or 2: whose rules the models follow."""
        return pydantic_major(self.program, self.deployment)

    @cached_property
    def settings(self) -> Settings:
        """What is read from the environment."""
        return find_settings(self.program, self.pydantic_major)

    @cached_property
    def dialect(self) -> str:
        """Database that the project runs on: postgresql, mysql, sqlite, mssql, oracle; "unknown" when nothing says."""
        found = find_dialects(self.database, self.settings, self.deployment, self.migrations, self.program)
        return main_dialect(found)

    def version(self, package: str) -> Version | None:
        """Effective version of a package: of the lock file, else the pin, else the oldest that is allowed."""
        found = self.deployment.version_of(package)
        return found.version if found is not None else None

    def dependencies_named(self, function: Function) -> list[tuple[PathOperation, Dependency]]:
        """Every use of a function as a dependency."""
        return [
            (operation, dependency)
            for operation in self._operations_by_function.get(id(function), ())
            for dependency in operation.all_dependencies()
            if dependency.function is function
        ]
