"""Which routes does a request mean?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi_architect.persona.hands import Document
from fastapi_architect.persona.understanding import Understood

#: Words for what is done to the methods that do it.
_METHODS = (
    (r"list\w*|all|search\w*|brows\w+|overview|fetch\w*|read\w*|show\w*|return\w*|get\w*|load\w*", ("GET",)),
    (r"creat\w*|add\w*|post\w*|plac\w+|submit\w*|insert\w*|upload\w*", ("POST",)),
    (r"updat\w*|edit\w*|chang\w+|patch\w*", ("PATCH", "PUT")),
    (r"delet\w*|remov\w*|cancel\w*", ("DELETE",)),
)
_LISTS = re.compile(r"(?<![a-z])(?:list\w*|all|search\w*|brows\w+|overview)(?![a-z])", re.IGNORECASE)
#: Parts of a path that say nothing about what it is for.
_EVERYWHERE = frozenset({"api", "v1", "v2", "v3", "rest", "public", "internal"})
_IN_PATH, _IN_NAME, _IN_TABLE = 4, 2, 1


def locate(understood: Understood, operations: Sequence[Document]) -> tuple[Document, ...]:
    """Operations that a request names by their path, or else by its words; those that fit best, none where nothing fits."""
    if understood.path:
        written = [o for o in operations if _is_path(understood.path, o["path"])]
        exact = [o for o in written if not understood.method or understood.method in o["methods"]]
        return tuple(exact or written)
    scored = [(_score(understood, o), o) for o in operations]
    best = max((score for score, _ in scored), default=0)
    if best < _IN_TABLE:
        return ()
    return tuple(o for score, o in scored if score == best)


def _is_path(written: str, path: str) -> bool:
    """The same path, or the end of it: people leave `/api/v1` away, and call a parameter as they like."""
    own, wanted = (re.sub(r"\{[^}]*\}", "{}", each).rstrip("/").lower() for each in (path, written))
    return own == wanted or (own.endswith(wanted) and own[: -len(wanted)].count("/") <= 3)


def _score(understood: Understood, operation: Document) -> int:
    words = {_stem(word) for word in understood.words}
    in_path = {_stem(part) for part in re.split(r"[/_\-{}.]+", operation["path"].lower()) if part}
    in_name = {_stem(part) for part in operation["handler"].rpartition(".")[2].lower().split("_") if part}
    in_tables = {_stem(part) for table in operation["tables"] for part in table.lower().split("_")}
    score = (
        _IN_PATH * len(words & in_path)
        + _IN_NAME * len(words & in_name - in_path)
        + _IN_TABLE * len(words & in_tables - in_path - in_name)
    )
    if not score:
        return 0
    said = understood.request
    wanted = [
        m
        for pattern, methods in _METHODS
        if re.search(rf"(?<![a-z])(?:{pattern})(?![a-z])", said, re.IGNORECASE)
        for m in methods
    ]
    score = score * 4 + (2 if not wanted and "GET" in operation["methods"] else 0)
    score += 2 if set(wanted) & set(operation["methods"]) else 0
    if _LISTS.search(said):
        score += 1 if not operation["path"].rstrip("/").endswith("}") else 0
    extra = (
        in_path
        - words
        - _EVERYWHERE
        - {_stem(each) for each in re.findall(r"{(\w+)}", operation["path"].lower())}
    )
    return score - min(len(extra), _IN_PATH)


def _stem(word: str) -> str:
    """A word without its plural: orders, order; categories, category."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
