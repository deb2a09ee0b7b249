"""What was installed, so that it can be updated and taken out again exactly."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

import msgspec

from fastapi_architect.persona.clients.errors import ClientError
from fastapi_architect.persona.clients.target import Scope

_VERSION = 1


class Installed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of ours, or our part of one.

    Attributes:
        path: relative to the scope's root.
        kind: what `target` calls it.
        clients: whose it is; a file goes when nobody needs it.
        text: what was put in; of a file or a block, which are long, its digest.
        keys: of a member or table.
        value: of a member or table as JSON, for files that clients write anew; of a block what was put in front of it.
        created: the file was not there.
    """

    path: str
    kind: Literal["file", "json", "toml", "block"]
    clients: tuple[str, ...]
    text: str
    keys: tuple[str, ...] = ()
    value: str = ""
    created: bool = False


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is installed in a scope, and the folders that were made for it, outer ones first."""

    version: int = _VERSION
    installed: tuple[Installed, ...] = ()
    folders: tuple[str, ...] = ()

    def of(self, path: str, kind: str) -> Installed | None:
        """What is known of a target."""
        return next((each for each in self.installed if (each.path, each.kind) == (path, kind)), None)


def lock_path(scope: Scope) -> str:
    """The lock's file: with the project, or with the user's settings."""
    return ".architect/agents.json" if scope.name == "project" else ".config/fastapi-architect/agents.json"


def read_lock(scope: Scope) -> Lock:
    """The lock; an empty one where there is none.

    Raises:
        ClientError: it cannot be read.
    """
    file = scope.root / lock_path(scope)
    try:
        lock = msgspec.json.decode(file.read_bytes(), type=Lock)
    except FileNotFoundError:
        return Lock()
    except (OSError, msgspec.DecodeError) as error:
        message = f"{lock_path(scope)} cannot be read: {error}; restore it, or delete it and install again"
        raise ClientError(message) from error
    if lock.version != _VERSION:
        message = f"{lock_path(scope)} is of version {lock.version}, which this one cannot read; upgrade fastapi-architect"
        raise ClientError(message)
    for path in (*(each.path for each in lock.installed), *lock.folders):
        if Path(path).is_absolute() or ".." in Path(path).parts:
            message = (
                f"{lock_path(scope)} names {path!r}, which lies outside; delete the lock and install again"
            )
            raise ClientError(message)
    return lock


def written(lock: Lock) -> bytes:
    """The lock's file."""
    return (json.dumps(msgspec.to_builtins(lock), indent=2, ensure_ascii=False) + "\n").encode()


def digest(text: str) -> str:
    """What is kept of a whole file; line ends do not count, since git changes them."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()
