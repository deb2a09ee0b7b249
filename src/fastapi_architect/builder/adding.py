"""From names of components to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from fastapi_architect.builder.catalog import Catalog, ComponentSpec, packages_of
from fastapi_architect.builder.copying import NewFile, copy_component, shared_files
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.grafting import graft
from fastapi_architect.builder.lock import LOCK, LockedComponent, LockedFile, extended, lock_files, locked
from fastapi_architect.builder.manifests import Manifest, find_manifest, with_requirements
from fastapi_architect.builder.plan import MAX_FOLLOW_UPS, Decides, FileEdit, Plan
from fastapi_architect.builder.project import Project, edit_of, served_otherwise
from fastapi_architect.builder.revisions import find_head, revisions_for
from fastapi_architect.builder.site import Site, known_site
from fastapi_architect.builder.upkeep import Upkeep, upkeep
from fastapi_architect.builder.variables import told_variables
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.builder.wiring import Entry, add_to_registry, names_in, registry_text
from fastapi_architect.report.wording import counted


def plan_addition(project: Project, wanted: Wanted, catalog: Catalog) -> Plan:
    """What adding these components would do.

    Raises:
        BuildError: it cannot be done here; the message names the reason and the next step.
    """
    requested = [catalog[name] for name in dict.fromkeys(wanted.names)]
    with_tests = [catalog["testing"]] if wanted.tests else []
    closure = catalog.closure(spec.name for spec in (*requested, *with_tests))
    site = known_site(project, project.lock) if project.lock else graft(project, wanted, requested, closure)
    if all(spec.name in site.lock.serving for spec in requested):
        listed = ", ".join(spec.name for spec in requested)
        verb = "is" if len(requested) == 1 else "are"
        message = f"{listed} {verb} in this project already; `architect components` lists the others"
        raise BuildError(message)
    runtime = {spec.name for spec in catalog.closure(spec.name for spec in requested)}
    new = _New(
        requested,
        copied=[spec for spec in closure if spec.name not in site.lock.names],
        serving=[spec for spec in closure if spec.name in runtime - site.lock.serving],
    )
    return _plan(project, wanted, catalog, site, new)


class _New(msgspec.Struct, frozen=True):
    """Components of a plan.

    Attributes:
        requested: as somebody named them.
        copied: those that are not there.
        serving: those that the service will use and does not yet; others come for the fixtures of tests only.
    """

    requested: Sequence[ComponentSpec]
    copied: Sequence[ComponentSpec]
    serving: Sequence[ComponentSpec]

    @property
    def all(self) -> list[ComponentSpec]:
        """Both, in registry order."""
        both = {spec.name: spec for spec in (*self.copied, *self.serving)}
        return sorted(both.values(), key=lambda spec: spec.order)

    @property
    def for_tests(self) -> list[ComponentSpec]:
        """What is copied for the tests only."""
        return [spec for spec in self.copied if spec not in self.serving]

    def locked(self, site: Site, files: Sequence[NewFile]) -> list[LockedComponent]:
        """How the lock holds them."""
        made = [
            LockedComponent(
                spec.name,
                spec.version,
                locked(file for file in files if file.id.startswith(f"{spec.name}/")),
                for_tests=spec not in self.serving,
            )
            for spec in self.copied
        ]
        known = {each.name: each for each in site.lock.components}
        used = [known[spec.name] for spec in self.serving if spec.name in known]
        return [*made, *(msgspec.structs.replace(each, for_tests=False) for each in used)]


def _plan(project: Project, wanted: Wanted, catalog: Catalog, site: Site, new: _New) -> Plan:
    requested, missing = new.requested, new.copied
    copied = [file for spec in missing for file in copy_component(spec, site.package, site.tests)]
    shared = [
        file for file in shared_files(site.package, site.tests) if not (project.root / file.path).exists()
    ]
    _refuse_half_done(project, site, missing)
    names = {spec.name for spec in requested}
    entries = entries_for(new.serving, site, names, grafted=site.lock.grafted)
    registry_files, registry_edits = _registry(project, site, entries, catalog)
    migrations = _migrations(project, wanted, site, new.serving)
    manifest_edits, by_hand, packages = _requirements(project, site, new)
    env_files, env_edits = told_variables(project, site, new.serving)
    kept_up = Upkeep() if site.lock.grafted else upkeep(project, missing, site.lock.serving, new.serving)
    lock = extended(
        site.lock,
        new.locked(site, copied),
        [LockedFile(file.id, file.path, file.sha256) for file in shared if file.id],
    )
    lock_new, lock_edits = _lock(project, lock_files(lock, [*copied, *shared]))
    also = [spec.name for spec in new.all if spec.name not in names]
    title = f"Add {', '.join(spec.name for spec in requested)}" + (
        f" (with {', '.join(also)})" if also else ""
    )
    required = [setting for spec in new.serving for setting in spec.settings if setting.required]
    return Plan(
        title=title,
        components=tuple(spec.name for spec in new.all),
        context=(*site.context, *_there_already(site, requested)),
        approach=(*_approach(site, missing, entries), *site.approach),
        files=(
            *shared,
            *copied,
            *site.files,
            *registry_files,
            *migrations,
            *kept_up.files,
            *env_files,
            *lock_new,
        ),
        edits=(*site.edits, *registry_edits, *manifest_edits, *kept_up.edits, *env_edits, *lock_edits),
        packages=packages,
        settings=tuple(
            (setting.variable, setting.example, setting.help, setting.required)
            for spec in new.serving
            for setting in spec.settings
        ),
        validation=(*_validation(site, new.all), *site.validation),
        considerations=(*site.considerations, *_considerations(new.serving, requested)),
        manual_steps=(
            *by_hand,
            *(
                f"Set {each.variable} where the service and its tests run, which do not start without: {_sentence(each.help)}"
                for each in required
            ),
            *kept_up.manual_steps,
            *site.manual_steps,
            *(("Run the migrations: alembic upgrade head",) if migrations else ()),
        ),
        follow_ups=tuple(_follow_ups(catalog, site, missing, requested)),
        decides=decisions_of(new.serving),
    )


def decisions_of(specs: Iterable[ComponentSpec]) -> tuple[Decides, ...]:
    """What a project decides by taking these components."""
    by_topic: dict[str, list[str]] = {}
    for spec in specs:
        for topic in spec.topics:
            by_topic.setdefault(topic, []).append(spec.title)
    return tuple(Decides(topic, tuple(titles)) for topic, titles in by_topic.items())


def entries_for(
    specs: Iterable[ComponentSpec], site: Site, requested: Iterable[str], *, grafted: bool
) -> list[Entry]:
    """What goes into the registry's list."""
    asked = set(requested)
    made = []
    for spec in specs:
        if spec.registry is None:
            continue
        expression, names = spec.registry.expression, spec.registry.names
        if grafted and spec.name not in asked and spec.registry.beside:
            expression = spec.registry.beside
            names = names_in(expression)
        made.append(Entry(expression, spec.registry.position, f"{site.package.name}.{spec.name}", names))
    return made


def positions_of(catalog: Catalog) -> dict[str, int]:
    """Position of each class that a registry may list."""
    return {
        Entry(expression, spec.registry.position, "", ()).kind: spec.registry.position
        for spec in catalog
        if spec.registry
        for expression in (spec.registry.expression, spec.registry.beside)
        if expression
    }


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]


def _there_already(site: Site, requested: Sequence[ComponentSpec]) -> list[str]:
    there = [spec.name for spec in requested if spec.name in site.lock.serving]
    return [f"There already, and left as it is: {', '.join(there)}."] if there else []


def _refuse_half_done(project: Project, site: Site, missing: Sequence[ComponentSpec]) -> None:
    """Refuse where a folder is there that the lock does not know.

    Raises:
        BuildError: naming the folder.
    """
    for spec in missing:
        for place in (site.package, site.tests):
            folder = f"{place.folder}/{spec.name}" if place else ""
            if folder and (project.root / folder).exists() and any((project.root / folder).iterdir()):
                message = (
                    f"{folder} is there, and {LOCK} does not know it: somebody made it, or the lock was lost; "
                    f"move it away (git mv {folder} ...) or restore {LOCK}"
                )
                raise BuildError(message)


def _registry(
    project: Project, site: Site, entries: Sequence[Entry], catalog: Catalog
) -> tuple[list[NewFile], list[FileEdit]]:
    if site.makes_registry:
        text = registry_text(entries, f"{site.package.name}.service", exports_install=True)
        return [NewFile(site.registry, text.encode())], []
    if not entries:
        return [], []
    listed = ", ".join(entry.kind for entry in entries)
    edit = edit_of(
        project.root,
        site.registry,
        lambda text: add_to_registry(text, entries, positions_of(catalog)),
        f"{listed} in the list of components",
    )
    return [], [edit] if edit else []


def _migrations(
    project: Project, wanted: Wanted, site: Site, missing: Sequence[ComponentSpec]
) -> list[NewFile]:
    if not any(spec.migrations for spec in missing):
        return []
    made, _ = revisions_for(missing, find_head(project.graph, wanted.migrations), site.package, wanted.now)
    return made


def _requirements(
    project: Project, site: Site, new: _New
) -> tuple[list[FileEdit], list[str], tuple[str, ...]]:
    """Edits of manifests, steps by hand, and the requirements themselves."""
    edits: dict[str, FileEdit] = {}
    steps: list[str] = []
    served = [spec for spec in new.serving if spec.group != "testing"]
    fixtures = [*new.for_tests, *(spec for spec in new.serving if spec.group == "testing")]
    own = served_otherwise(project) if site.lock.grafted else ()
    needed = packages_of(served, without=own)
    tools = packages_of([*new.copied, *fixtures], development=True) + packages_of(fixtures, without=own)
    tools = tuple(text for text in dict.fromkeys(tools) if text not in needed) if site.tests else ()
    for wanted, development in ((needed, False), (tools, True)):
        if not wanted:
            continue
        manifest = find_manifest(project.texts, site.near, development=development)
        if manifest is None:
            steps.append(
                f"Add to your{' development' if development else ''} requirements: {', '.join(wanted)}"
            )
            continue
        _edit_manifest(project, manifest, wanted, edits)
    edited = [edit for edit in edits.values() if edit.after != edit.before]
    if edited:
        steps.insert(0, _install_command(project.texts, edited[0].path))
    return edited, steps, (*needed, *tools)


def _edit_manifest(
    project: Project, manifest: Manifest, wanted: tuple[str, ...], edits: dict[str, FileEdit]
) -> None:
    """Put requirements into a manifest, on top of what was put there before."""
    earlier = edits.get(manifest.path)

    def change(text: str) -> str:
        if earlier is not None:
            text = earlier.after.decode().removeprefix("\ufeff").replace("\r\n", "\n")
        return with_requirements(msgspec.structs.replace(manifest, text=text), wanted)

    edit = edit_of(project.root, manifest.path, change, "")
    if edit is not None:
        changed = ", ".join(each for each in wanted if with_requirements(manifest, [each]) != manifest.text)
        parts = [*([earlier.what] if earlier else []), f"for development {changed}" if earlier else changed]
        what = "; ".join(parts if changed else parts[:1])
        edits[manifest.path] = msgspec.structs.replace(edit, what=what)


def _install_command(texts: Mapping[str, str], manifest: str) -> str:
    folder = manifest.rpartition("/")[0]
    inside = f" (in {folder})" if folder else ""
    locks = {path.rpartition("/")[2] for path in texts if path.rpartition("/")[0] in (folder, "")}
    if "uv.lock" in locks:
        return f"Install what is new{inside}: uv sync"
    if "poetry.lock" in locks:
        return f"Install what is new{inside}: poetry lock && poetry install"
    if "pdm.lock" in locks:
        return f"Install what is new{inside}: pdm install"
    if manifest.endswith(".toml"):
        return f"Install what is new{inside}: pip install -e ."
    return f"Install what is new: pip install -r {manifest}"


def _lock(project: Project, files: Sequence[NewFile]) -> tuple[list[NewFile], list[FileEdit]]:
    """The lock is edited where there is one; a base copy that is there already is the same."""
    new, edits = [], []
    for file in files:
        target = project.root / file.path
        if not target.exists():
            new.append(file)
        elif file.path == LOCK:
            edits.append(FileEdit(file.path, target.read_bytes(), file.data, "what was copied"))
        elif target.read_bytes() != file.data:
            message = f"{file.path} was edited, and its name is the digest of its content; restore it: git checkout -- {file.path}"
            raise BuildError(message)
    return new, edits


# ── the plan's sentences ─────────────────────────────────────────────────────────────────────────────────────────


def _approach(site: Site, missing: Sequence[ComponentSpec], entries: Sequence[Entry]) -> list[str]:
    made = []
    if missing:
        made.append(
            f"Copy {counted(len(missing), 'component')} to {site.package.folder}/"
            + (f" and their tests to {site.tests.folder}/" if site.tests else "")
            + ". They are yours from then on."
        )
    if entries:
        listed = ", ".join(entry.expression for entry in entries)
        made.append(
            f"Put {listed} into the list in {site.registry}, in the order in which middleware has to stand."
        )
    return made


def _validation(site: Site, missing: Sequence[ComponentSpec]) -> list[str]:
    made = []
    if site.tests:
        made.append(f"python -m pytest {' '.join(f'{site.tests.folder}/{spec.name}' for spec in missing)}")
    made.append("architect review: runs by itself afterwards, and says what is resolved")
    return made


def _considerations(missing: Sequence[ComponentSpec], requested: Sequence[ComponentSpec]) -> list[str]:
    made = []
    servers = sorted({server for spec in missing for server in spec.servers})
    names = {"postgresql": "PostgreSQL", "redis": "Redis", "worker": "a Celery worker"}
    if servers:
        made.append(f"Needs beside it: {', '.join(names[server] for server in servers)}.")
    tables = [table for spec in missing for each in spec.migrations for table in each.tables]
    if tables:
        made.append(f"Brings tables: {', '.join(tables)}.")
    made += [f"{spec.title}: {'; '.join(spec.provides)}." for spec in requested if spec.provides]
    return made


def _follow_ups(
    catalog: Catalog, site: Site, missing: Sequence[ComponentSpec], requested: Sequence[ComponentSpec]
) -> list[str]:
    made = [
        spec.next_step.format(folder=f"{site.package.folder}/{spec.name}")
        or f"Read {site.package.folder}/{spec.name}/README.md: its threat model and what it does not do."
        for spec in requested
        if spec in missing
    ][:MAX_FOLLOW_UPS]
    there = site.lock.names | {spec.name for spec in missing}
    near = [
        spec
        for spec in catalog
        if spec.name not in there and spec.registry and any(need.name in spec.needs for need in requested)
    ]
    made += [f"architect add {spec.name}: {spec.summary}" for spec in near[:2]]
    return made[:MAX_FOLLOW_UPS]
