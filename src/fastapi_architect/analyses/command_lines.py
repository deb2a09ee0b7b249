"""Which parts of a command decide what runs? The text of a shell, the program itself, and what it may take for an option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from fastapi_architect.analyses.assigned_once import assigned_once
from fastapi_architect.concepts.process import CommandExecution
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Programs that run others or write files for an option: `git --upload-pack=...`, `tar --checkpoint-action=...`.
_TAKING_OPTIONS = frozenset(
    {
        "awk",
        "curl",
        "docker",
        "env",
        "ffmpeg",
        "find",
        "git",
        "hg",
        "nmap",
        "pg_dump",
        "pip",
        "psql",
        "rsync",
        "scp",
        "sed",
        "sendmail",
        "sftp",
        "ssh",
        "svn",
        "tar",
        "wget",
        "wkhtmltopdf",
        "xargs",
        "zip",
    }
)
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "cmd", "cmd.exe", "powershell", "pwsh"})
_INTERPRETERS = frozenset({"python", "python3", "node", "perl", "ruby", "php"})
_CODE_OPTIONS = frozenset({"-c", "-lc", "-ec", "-xc", "/c", "/C", "-Command", "-e", "-r"})
_MAX_ELEMENTS = 60
#: What makes text of a path.
_AS_TEXT = frozenset({"str", "fspath"})


class CommandPart(msgspec.Struct, frozen=True):
    """A part of a command.

    Attributes:
        role: shell (text that a shell reads), program (what is started), code (text for an interpreter) or option (an
            argument that the program may take for one).
        value: the expression.
        program: name of the program, "" when it is not written down.
    """

    role: str
    value: ir.Expr
    program: str = ""


def command_parts(started: CommandExecution) -> Iterator[CommandPart]:
    """Parts in which a text that somebody else wrote is dangerous."""
    command: Any = started.command
    if command is None:
        return
    scope = started.scope
    words = _words(started, scope)
    if words is not None:
        yield from _of_words(words)
    elif started.shell or started.remote:
        yield CommandPart("shell", command)
    elif (split := _split_text(command, scope)) is not None:
        program = _first_word(split, scope)
        if program in _SHELLS | _TAKING_OPTIONS or not program:
            yield CommandPart("option" if program else "program", split, program)


def file_arguments(started: CommandExecution, is_path: Callable[[ir.Expr], bool]) -> Iterator[ir.Expr]:
    """Paths among what a program is given: its folder, and what is a path before it becomes text.

    Args:
        started: the program.
        is_path: tells what is a path by its type.
    """
    command: Any = started.command
    listed = assigned_once(command, started.scope) if command is not None else None
    for expr in (listed, *started.args):
        yield from (
            inner for node in walk(expr) if (inner := _put_in_text(node)) is not None and is_path(inner)
        )
    for keyword in started.node.keywords:
        if keyword.arg == "cwd":
            yield keyword.value


def _put_in_text(node: Any) -> ir.Expr | None:
    """`path` of `str(path)`, of `f"{path}"`, and of a plain argument."""
    kind = node.__class__
    if kind is ir.FormattedValue:
        return node.value  # type: ignore[no-any-return]
    if kind is ir.Call and last_name(node.func) in _AS_TEXT and len(node.args) == 1:
        return node.args[0]  # type: ignore[no-any-return]
    return node if kind is ir.Name else None


def _words(started: CommandExecution, scope: Scope) -> list[Any] | None:
    """The arguments one by one, as far as they are written down; None for one text."""
    command: Any = started.command
    if started.name.endswith("create_subprocess_exec"):
        words: list[Any] = []
        for each in started.args[:_MAX_ELEMENTS]:
            if each.__class__ is ir.Starred:
                listed = assigned_once(each.value, scope)
                words += listed.elts if listed.__class__ is ir.Sequence else [None]
            else:
                words.append(each)
        return words
    listed = assigned_once(command, scope)
    if listed.__class__ is ir.BinOp and listed.op == "+":
        listed = assigned_once(listed.left, scope)
    return list(listed.elts[:_MAX_ELEMENTS]) if listed.__class__ is ir.Sequence else None


def _of_words(words: list[Any]) -> Iterator[CommandPart]:
    if not words or words[0] is None:
        return
    program = _name_of(words[0])
    if not program:
        if words[0].__class__ is not ir.Starred:
            yield CommandPart("program", words[0])
        return
    before = ""
    for word in words[1:]:
        text = word.value if word.__class__ is ir.Constant else None
        if text == "--":
            return
        if word is not None and not isinstance(text, str):
            if before in _CODE_OPTIONS and program in _SHELLS | _INTERPRETERS:
                yield CommandPart("shell" if program in _SHELLS else "code", word, program)
            elif program in _TAKING_OPTIONS and not _has_fixed_beginning(word) and not before.startswith("-"):
                yield CommandPart("option", word, program)
        before = text if isinstance(text, str) else ""


def _name_of(word: Any) -> str:
    """`/usr/bin/git` is git; "" for a program that is not written down."""
    if word.__class__ is ir.Constant and isinstance(word.value, str):
        return PurePosixPath(word.value).name
    return ""


def _has_fixed_beginning(word: Any) -> bool:
    """What is written in front of a value keeps it from being taken for an option."""
    if word.__class__ is ir.JoinedStr:
        return bool(word.values) and word.values[0].__class__ is ir.Constant
    if word.__class__ is ir.BinOp:
        return word.op == "/" or _has_fixed_beginning(word.left) or word.left.__class__ is ir.Constant
    if word.__class__ is ir.Call and last_name(word.func) in ("str", "fspath") and word.args:
        return _has_fixed_beginning(word.args[0])
    return word.__class__ is ir.Call and last_name(word.func) in ("join", "joinpath", "abspath", "realpath")


def _split_text(command: Any, scope: Scope) -> Any:
    """`text` in `shlex.split(text)` or `text.split()`; None for any other command."""
    call = assigned_once(command, scope)
    if call.__class__ is not ir.Call or last_name(call.func) != "split":
        return None
    func: Any = call.func
    if func.__class__ is not ir.Attribute:
        return None
    if call.args and last_name(func.value) == "shlex":
        return call.args[0]
    return func.value if not call.args else None


def _first_word(text: Any, scope: Scope) -> str:
    text = assigned_once(text, scope)
    while text.__class__ is ir.BinOp and text.op in ("+", "%"):
        text = text.left
    if text.__class__ is ir.JoinedStr and text.values:
        text = text.values[0]
    if text.__class__ is ir.Constant and isinstance(text.value, str) and text.value.split():
        return PurePosixPath(text.value.split()[0]).name
    return ""
