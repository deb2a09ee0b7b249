"""Installing and uninstalling: what each target needs, compared with what is there and with what was installed before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from fastapi_architect.persona.clients import (
    claude,
    codex,
    cursor,
    generic,
    json_with_comments,
    marked_block,
    toml_table,
    vscode,
)
from fastapi_architect.persona.clients.changes import Changes, Tree
from fastapi_architect.persona.clients.lock import Installed, Lock, digest, lock_path, read_lock, written
from fastapi_architect.persona.clients.target import (
    JsonMember,
    Launch,
    MarkdownBlock,
    OwnFile,
    Scope,
    Target,
    TomlTable,
)

#: By the name that `--for` takes: what people call it, and its targets.
CLIENTS: Mapping[str, tuple[str, Callable[[Scope, Launch], Iterator[Target]]]] = MappingProxyType(
    {
        "claude": (claude.TITLE, claude.targets),
        "cursor": (cursor.TITLE, cursor.targets),
        "vscode": (vscode.TITLE, vscode.targets),
        "codex": (codex.TITLE, codex.targets),
        "generic": (generic.TITLE, generic.targets),
    }
)
#: What tells that a client is used in a project, or by a user.
_SIGNS = {
    "claude": (".claude", ".mcp.json", "CLAUDE.md", ".claude.json"),
    "cursor": (".cursor", ".cursorrules"),
    "vscode": (".vscode", ".copilot"),
    "codex": (".codex",),
}
_EDITED = "was edited, and stays as it is; to have the new one, delete it and run again"
_FOREIGN = "is there and not of this tool, and stays as it is; move it away and run again, or merge the two"


def clients_in_use(scope: Scope) -> tuple[str, ...]:
    """Clients that have left something in the scope; an AGENTS.md alone is for any agent."""
    found = tuple(
        name for name, signs in _SIGNS.items() if any((scope.root / each).exists() for each in signs)
    )
    if not found and scope.name == "project" and (scope.root / "AGENTS.md").exists():
        return ("generic",)
    return found


def installed_clients(scope: Scope) -> frozenset[str]:
    """Clients that something is installed for.

    Raises:
        ClientError: the lock cannot be read.
    """
    return frozenset(name for each in read_lock(scope).installed for name in each.clients)


def plan_install(scope: Scope, clients: Sequence[str], launch: Launch) -> Changes:
    """What installing for these clients would change.

    Raises:
        ClientError: a file of theirs is malformed or lies outside; the message names the place and the next step.
    """
    lock, tree = read_lock(scope), Tree(scope)
    known: dict[tuple[str, str], Installed] = {(each.path, each.kind): each for each in lock.installed}
    for client in clients:
        for target in CLIENTS[client][1](scope, launch):
            kind = str(target.__struct_config__.tag)
            before = known.get((target.path, kind))
            made = _PUT[type(target)](tree, target, before)
            if made is not None:
                owners = dict.fromkeys((*(before.clients if before else ()), client))
                known[target.path, kind] = msgspec.structs.replace(made, clients=tuple(owners))
    return _with_lock(scope, tree, lock, tuple(known.values()))


def plan_uninstall(scope: Scope, clients: Sequence[str]) -> Changes:
    """What uninstalling for these clients would change: exactly what was installed goes.

    Raises:
        ClientError: as `plan_install`.
    """
    lock, tree = read_lock(scope), Tree(scope)
    left = []
    for each in lock.installed:
        owners = tuple(name for name in each.clients if name not in clients)
        if owners:
            left.append(msgspec.structs.replace(each, clients=owners))
        else:
            _TAKE[each.kind](tree, each)
    return _with_lock(scope, tree, lock, tuple(left))


def _with_lock(scope: Scope, tree: Tree, lock: Lock, installed: tuple[Installed, ...]) -> Changes:
    path = lock_path(scope)
    ordered = tuple(sorted(installed, key=lambda each: (each.path, each.kind)))
    if ordered and tree.read(path) is None:
        tree.write(path, "")  # its folder is one that we make
    folders = tuple(dict.fromkeys((*lock.folders, *tree.new_folders())))
    kept = tuple(f for f in folders if any(each.path.startswith(f"{f}/") for each in ordered) or
                 (ordered and path.startswith(f"{f}/")))  # fmt: skip
    if ordered:
        tree.write(path, written(Lock(installed=ordered, folders=kept)).decode())
    elif tree.read(path) is not None:
        tree.delete(path)
    return tree.changes(tuple(reversed([each for each in folders if each not in kept])))


# ── putting in ───────────────────────────────────────────────────────────────────────────────────────────────────


def _put_file(tree: Tree, target: OwnFile, before: Installed | None) -> Installed | None:
    there = tree.read(target.path)
    if there is not None and digest(there) != digest(target.text):
        if before is None or digest(there) != before.text:
            tree.keep(target.path, _EDITED if before else _FOREIGN, there, target.text)
            return before
        tree.write(target.path, target.text)
    elif there is None:
        tree.write(target.path, target.text)
    return Installed(path=target.path, kind="file", clients=(), text=digest(target.text), created=True)


def _put_block(tree: Tree, target: MarkdownBlock, before: Installed | None) -> Installed | None:
    made = marked_block.block(target.text)
    there = tree.read(target.path)
    place = marked_block.find(there or "", target.path)
    if there is None or place is None:
        text, chunk = marked_block.appended(there or "", made)
        tree.write(target.path, text)
        gap = chunk[: len(chunk) - len(chunk.lstrip("\r\n"))]
        return _block(target.path, made, gap, created=there is None)
    current = there[place[0] : place[1]]
    if digest(current) == digest(made):
        return before or _block(target.path, made, "", created=False)
    if before is None or digest(current) != before.text:
        tree.keep(target.path, f"{_EDITED} (the marked block)", current, made)
        return before
    newline = "\r\n" if "\r\n" in current else "\n"
    tree.write(target.path, there[: place[0]] + made.replace("\n", newline) + there[place[1] :])
    return msgspec.structs.replace(before, text=digest(made))


def _block(path: str, made: str, gap: str, *, created: bool) -> Installed:
    return Installed(path=path, kind="block", clients=(), text=digest(made), value=gap, created=created)


def _put_member(tree: Tree, target: JsonMember, before: Installed | None) -> Installed | None:
    there = tree.read(target.path)
    text = there or ""
    current = _member(text, target.keys, target.path)
    if current == target.value:
        return before or _configured(target, "json", "", created=False)
    if current is not None:
        if before is None or current != json.loads(before.value):
            tree.keep(target.path, _entry_kept(target, before), _shown(current), _shown(target.value))
            return before
        text = json_with_comments.without_member(text, target.keys, before.text, target.path)
    text, chunk = json_with_comments.with_member(text, target.keys, target.value, target.path)
    tree.write(target.path, text)
    return _configured(target, "json", chunk, created=before.created if before and there else there is None)


def _put_table(tree: Tree, target: TomlTable, before: Installed | None) -> Installed | None:
    there = tree.read(target.path)
    text = there or ""
    current = toml_table.table_at(toml_table.parse(text, target.path), target.keys)
    if current == target.value:
        return before or _configured(target, "toml", "", created=False)
    if current is not None:
        put_in = "" if before is None else before.text
        shorter = toml_table.without_table(text, target.keys, put_in, target.path)
        if shorter is None:
            tree.keep(target.path, _entry_kept(target, before), _shown(current), _shown(target.value))
            return before
        text = shorter
    text, chunk = toml_table.with_table(text, target.keys, target.value, target.path)
    tree.write(target.path, text)
    return _configured(target, "toml", chunk, created=before.created if before and there else there is None)


def _configured(target: JsonMember | TomlTable, kind: str, chunk: str, *, created: bool) -> Installed:
    return msgspec.convert(
        {
            "path": target.path,
            "kind": kind,
            "clients": (),
            "text": chunk,
            "keys": target.keys,
            "value": json.dumps(target.value),
            "created": created,
        },
        Installed,
    )


def _entry_kept(target: JsonMember | TomlTable, before: Installed | None) -> str:
    return f"{_EDITED if before else _FOREIGN} ({'.'.join(target.keys)})"


def _member(text: str, keys: tuple[str, ...], path: str) -> object:
    if not text.strip("\ufeff \t\r\n"):
        return None
    return json_with_comments.value_at(json_with_comments.parse(text, path), keys)


def _shown(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# ── taking out ───────────────────────────────────────────────────────────────────────────────────────────────────


def _take_file(tree: Tree, each: Installed) -> None:
    there = tree.read(each.path)
    if there is None:
        return
    if digest(there) == each.text:
        tree.delete(each.path)
    else:
        tree.keep(each.path, "was edited, and stays; delete it if you do not want it", there, "")


def _take_block(tree: Tree, each: Installed) -> None:
    there = tree.read(each.path)
    place = marked_block.find(there or "", each.path)
    if there is None or place is None:
        return
    start, end = place
    current = there[start:end]
    if digest(current) != each.text:
        tree.keep(
            each.path, "was edited, and stays; delete the marked block if you do not want it", current, ""
        )
        return
    if each.value and there[:start].endswith(each.value):
        start -= len(each.value)
    _leave(tree, each, there[:start] + there[end:])


def _take_member(tree: Tree, each: Installed) -> None:
    there = tree.read(each.path)
    current = None if there is None else _member(there, each.keys, each.path)
    if there is None or current is None or not each.text:
        return
    if current != json.loads(each.value):
        tree.keep(
            each.path, f"was edited, and stays; remove {'.'.join(each.keys)} by hand", _shown(current), ""
        )
        return
    text = json_with_comments.without_member(there, each.keys, each.text, each.path)
    # What is left of a file that came with us; a comment in it would be somebody's.
    empty = "".join(text.split()) in ("{}", f'{{"{each.keys[0]}":{{}}}}')
    _leave(tree, each, "" if empty and each.created else text)


def _take_table(tree: Tree, each: Installed) -> None:
    there = tree.read(each.path)
    if there is None or not each.text:
        return
    current = toml_table.table_at(toml_table.parse(there, each.path), each.keys)
    if current is None:
        return
    text = toml_table.without_table(there, each.keys, each.text, each.path)
    if text is None:
        tree.keep(
            each.path, f"was edited, and stays; remove {'.'.join(each.keys)} by hand", _shown(current), ""
        )
        return
    _leave(tree, each, text)


def _leave(tree: Tree, each: Installed, text: str) -> None:
    """A file that came with us goes with us, unless somebody put something else into it."""
    if each.created and not text.strip("\ufeff \t\r\n"):
        tree.delete(each.path)
    else:
        tree.write(each.path, text)


_PUT: Mapping[type, Callable[..., Installed | None]] = MappingProxyType(
    {OwnFile: _put_file, MarkdownBlock: _put_block, JsonMember: _put_member, TomlTable: _put_table}
)
_TAKE: Mapping[str, Callable[[Tree, Installed], None]] = MappingProxyType(
    {"file": _take_file, "block": _take_block, "json": _take_member, "toml": _take_table}
)
