"""Tables for things that are named: models with keys, times and relationships, in one file that is whole."""

from __future__ import annotations

import re

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.build import decision_sentence
from fastapi_architect.persona.replies.model_code import Entity, module_code
from fastapi_architect.persona.replies.wording import code, commands, counted, line, table
from fastapi_architect.persona.understanding import Understood
from fastapi_architect.program.definitions import Class

_AFTER = re.compile(
    r"\b(?:models?|tables?|entit(?:y|ies)|schemas?|relationships?)\b(?:\s+(?:with relationships))?\s*(?:for|of|:|called|named|"
    r"between)\s+(?P<list>.+)",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?P<list>(?:[\w-]+(?:\s+[\w-]+)?\s*,\s*)*[\w-]+(?:\s+[\w-]+)?\s*,?\s*and\s+[\w-]+(?:\s+[\w-]+)?)\s+(?:models?|tables?|entities)\b",
    re.IGNORECASE,
)
_END = re.compile(
    r"\b(?:with|including|where|in|using|that|so|which|and (?:their|the) relationships?|relationships?)\b.*|[.;:!?(].*",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:,|\band\b|&|/|\bor\b)\s*", re.IGNORECASE)
_NOISE = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "our",
        "some",
        "new",
        "database",
        "db",
        "sqlalchemy",
        "sqlmodel",
        "models",
        "model",
        "tables",
        "table",
        "their",
        "its",
        "create",
        "design",
        "add",
        "write",
        "me",
        "us",
        "please",
    ]
)
_MAX = 8
_PYTHON_TYPES = {
    **dict.fromkeys(("integer", "biginteger", "smallinteger"), "int"), **dict.fromkeys(("string", "text", "unicode"), "str"),
}  # fmt: skip


def answer(hands: Hands, understood: Understood) -> Answer:
    """The models as code, a migration command, and what has to be decided."""
    entities = entities_in(understood.request)
    if not entities:
        return _which(hands, understood)
    known = _tables(hands)
    existing = [each for each in entities if each.table in known]
    made = [each for each in entities if each.table not in known]
    base = base_of(hands)
    path = _path(hands)
    owner = entities[0]
    rows = (
        (f"`{e.class_name}`", f"`{e.table}`", f"`{owner.class_name}`" if e is not owner else "none")
        for e in entities
    )
    parts = (
        [code(module_code(path, entities, existing, base, _key(hands, owner.table)))]
        if made
        else ["All of these tables are there already."]
    )
    parts.append(table(("Model", "Table", "Belongs to"), rows))
    if not hands.is_empty:
        parts.append(
            commands(
                'alembic revision --autogenerate -m "add ' + " and ".join(e.table for e in made)[:60] + '"',
                "alembic upgrade head",
            )
        )
    return Answer(
        context=f"Asked for {counted(len(entities), 'model')}: {', '.join(f'`{e.class_name}`' for e in entities)}. "
        + (f"The project has the tables {line(', '.join(sorted(known)), 160)}. " if known else "The project has no tables. ")
        + (f"There already, and left as they are: {', '.join(f'`{e.table}`' for e in existing)}." if existing else ""),
        approach=f"Each row has a random identifier and times with a zone; what belongs to a `{owner.class_name}` has a foreign key "
                 f"with an index and is deleted "
        "with it. Relationships load nothing by themselves (`lazy=\"raise\"`), so that no statement hides in an attribute: each query "
        "says what it loads.",
        implementation="\n\n".join(parts),
        validation="Done when the migration runs up and down on an empty database, and the review finds no drift between models and "
                   "migrations.\n\n"
        + commands("alembic upgrade head", "alembic downgrade -1", "architect review --select database"),
        considerations="Schema change: the tables are new; columns of existing ones stay. A status is a short text with a check "
                       "rather than a database enum, "
        "which is hard to change later. "
        + decision_sentence("database design", "Tables for " + ", ".join(each.table for each in entities)),
        follow_ups=(
            f"Which further columns do they need, and which of them are unique for a `{owner.class_name}`?",
            f"What happens to the rows when a `{owner.class_name}` is deleted: deleted too, or kept without an owner?",
        ),
    )  # fmt: skip


def entities_in(request: str) -> list[Entity]:
    """Things that a request names, in its order; none where it names none."""
    found = _AFTER.search(request) or _BEFORE.search(request)
    if found is None:
        return []
    listed = _END.sub("", found["list"])
    names = []
    for part in _SPLIT.split(listed):
        words = [w for w in re.findall(r"[A-Za-z][A-Za-z0-9]*", part) if w.lower() not in _NOISE]
        if words and len(words) <= 3:
            names.append(words)
    made = {entity.table: entity for entity in map(Entity.named, names)}
    return list(made.values())[:_MAX]


def _which(hands: Hands, understood: Understood) -> Answer:
    tables = sorted(_tables(hands))
    return Answer(
        context=f"Asked: “{line(understood.request, 200)}”. The words name no tables."
        + (f" There are: {line(', '.join(tables), 200)}." if tables else ""),
        approach="Nothing is guessed: a table that nobody asked for is hard to get rid of.",
        implementation="Ask with the names, and they are written as models with relationships and a migration:\n\n"
        + commands('architect ask "create models for users, orders and order items"'),
        validation=commands("architect review --select database"),
        considerations="Existing tables stay as they are until you ask for a change.",
        follow_ups=("Which things shall be stored, and which of them owns the others?",),
    )


def _tables(hands: Hands) -> set[str]:
    """Names of the tables that the project's models have."""
    if hands.is_empty:
        return set()
    return {
        each.table.name for each in hands.project.graph.models if each.table is not None and each.table.name
    }


def _key(hands: Hands, table_name: str) -> str:
    """Python type of the key of a table that is there; a random identifier for a new one."""
    for model in () if hands.is_empty else hands.project.graph.models:
        keys = [column for column in model.columns if column.primary_key]
        if (
            model.table is not None
            and model.table.name == table_name
            and len(keys) == 1
            and keys[0].type is not None
        ):
            return _PYTHON_TYPES.get(keys[0].type.name.lower(), "UUID")
    return "UUID"


def base_of(hands: Hands) -> tuple[str, str]:
    """(module, name) of the project's declarative base; empty where it has none, or several."""
    if hands.is_empty:
        return ("", "")
    graph = hands.project.graph
    found = {
        (each.cls.module.name, each.cls.name)
        for model in graph.models
        for each in graph.program.inference.hierarchy.order(model.cls)
        if isinstance(each.cls, Class) and each.cls is not model.cls and each.cls.name.endswith("Base")
    }
    return next(iter(found)) if len(found) == 1 else ("", "")


def folder_of(hands: Hands) -> str:
    """Where models of the project lie, else its routes; `app` where there is neither. Copied components are no place for it."""
    if hands.is_empty:
        return "app"
    lock = hands.project.lock
    if lock is not None and not lock.grafted:
        return lock.package.folder.rpartition("/")[
            0
        ]  # one folder a domain stands there, beside the components
    files = [
        *sorted(model.cls.module.path for model in hands.project.graph.models),
        *sorted(o["file"] for o in hands.operations),
    ]
    copied = f"{lock.package.folder}/" if lock is not None else None
    folders = [file.rpartition("/")[0] for file in files if copied is None or not file.startswith(copied)]
    return folders[0] if folders else "app"


def _path(hands: Hands) -> str:
    """A new file beside the models that are there."""
    folder = folder_of(hands)
    return f"{folder}/new_models.py" if folder else "new_models.py"
