"""From names of components to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastapi_architect.builder import plan_sentences
from fastapi_architect.builder.catalog import Catalog, ComponentSpec
from fastapi_architect.builder.copying import NewFile, copy_component, shared_files
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.grafting import graft
from fastapi_architect.builder.lock import LOCK, LockedFile, extended, lock_files
from fastapi_architect.builder.needed_packages import needed_packages
from fastapi_architect.builder.new_components import NewComponents
from fastapi_architect.builder.plan import Decides, FileEdit, Plan
from fastapi_architect.builder.project import Project, edit_of
from fastapi_architect.builder.registry_entries import entries_of, positions_of
from fastapi_architect.builder.revisions import find_head, revisions_for
from fastapi_architect.builder.site import Site, known_site
from fastapi_architect.builder.upkeep import Upkeep, upkeep
from fastapi_architect.builder.variables import told_variables
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.builder.wiring import Entry, add_to_registry, registry_text


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
    new = NewComponents(
        requested,
        copied=[spec for spec in closure if spec.name not in site.lock.names],
        serving=[spec for spec in closure if spec.name in runtime - site.lock.serving],
    )
    return _plan(project, wanted, catalog, site, new)


def _plan(project: Project, wanted: Wanted, catalog: Catalog, site: Site, new: NewComponents) -> Plan:
    requested, missing = new.requested, new.copied
    copied = [file for spec in missing for file in copy_component(spec, site.package, site.tests)]
    shared = [
        file for file in shared_files(site.package, site.tests) if not (project.root / file.path).exists()
    ]
    _refuse_half_done(project, site, missing)
    names = {spec.name for spec in requested}
    beside = {spec.name for spec in new.serving} - names if site.lock.grafted else ()
    entries = entries_of(new.serving, site.package.name, beside=beside)
    registry_files, registry_edits = _registry(project, site, entries, catalog)
    migrations = _migrations(project, wanted, site, new.serving)
    manifest_edits, by_hand, packages = needed_packages(project, site, new)
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
    return Plan(
        title=title,
        components=tuple(spec.name for spec in new.all),
        context=(*site.context, *plan_sentences.there_already(site, requested)),
        approach=(*plan_sentences.approach(site, missing, entries), *site.approach),
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
        validation=(*plan_sentences.validation(site, new.all), *site.validation),
        considerations=(*site.considerations, *plan_sentences.considerations(new.serving, requested)),
        manual_steps=(
            *by_hand,
            *plan_sentences.settings_to_set(new.serving),
            *kept_up.manual_steps,
            *site.manual_steps,
            *(("Run the migrations: alembic upgrade head",) if migrations else ()),
        ),
        follow_ups=tuple(plan_sentences.follow_ups(catalog, site, missing, requested)),
        decides=decisions_of(new.serving),
    )


def decisions_of(specs: Iterable[ComponentSpec]) -> tuple[Decides, ...]:
    """What a project decides by taking these components."""
    by_topic: dict[str, list[str]] = {}
    for spec in specs:
        for topic in spec.topics:
            by_topic.setdefault(topic, []).append(spec.title)
    return tuple(Decides(topic, tuple(titles)) for topic, titles in by_topic.items())


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
