"""Promises about code: it parses, names its file, imports what it uses, and leaves nothing out.

What is shown for a file that is there is an excerpt: names that the file binds anywhere are known in it. What is shown for
a new file is the whole of it.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import re
import symtable
import textwrap
import tokenize
import tomllib
from collections.abc import Callable, Iterator

import yaml

from fastapi_architect.persona.answer import CodeBlock
from fastapi_architect.persona.judged import Judged, Wrong
from fastapi_architect.source.lazy_pattern import lazy_pattern

PYTHON = ("python", "py", "python3")
#: Languages whose blocks are a file or a part of one, by the sign that begins their comments; JSON has none.
_FILES = {
    **dict.fromkeys(PYTHON, "#"),
    "toml": "#",
    "yaml": "#",
    "yml": "#",
    "sql": "--",
    "ini": "#",
    "dockerfile": "#",
}

_LEFT_OUT = lazy_pattern(
    r"\bTODO\b|\bFIXME\b|\bXXX\b|\.\.\.|…|\b(?:your|the rest of(?: the| your)?|existing|remaining|other|previous|rest of the) "
    r"(?:\w+ )?(?:code|logic|implementation|fields|imports|routes|handlers?|functions?|methods?)(?: goes?)?(?: here| unchanged| stays?)?\b"
    r"|\b(?:goes|add|insert|implement) (?:it |this |your \w+ )?here\b|\bpseudo-?code\b|\bplaceholder\b",
    re.IGNORECASE,
)
_FIELD_MAKERS = {"Field", "Query", "Path", "Body", "Header", "Cookie", "Form", "File", "Depends", "Security"}
_ABSTRACT = {"overload", "abstractmethod"}
#: What every module has.
_GIVEN = frozenset(dir(builtins)) | {
    "__file__",
    "__name__",
    "__doc__",
    "__package__",
    "__spec__",
    "__path__",
    "reveal_type",
}
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def code_has_a_language(judged: Judged) -> Iterator[Wrong]:
    """Every block names its language."""
    for block in judged.blocks:
        if not block.language:
            yield Wrong(
                "code",
                f"a block without a language begins with {_first(block)}",
                "write it after the fence: ```python",
            )


def code_names_its_file(judged: Judged) -> Iterator[Wrong]:
    """Code says in a comment on top where it belongs."""
    for block in judged.blocks:
        if block.language in _FILES and not block.path:
            sign = _FILES[block.language]
            yield Wrong(
                "code",
                f"a block of {block.language} does not say where it belongs: {_first(block)}",
                f"begin it with a comment such as `{sign} app/main.py`",
            )
        elif block.path and (block.path.startswith("/") or ".." in block.path.split("/")):
            yield Wrong(
                "code", f"{block.path} lies outside the project", "name a path relative to the project"
            )


def code_parses(judged: Judged) -> Iterator[Wrong]:
    """Python, TOML, JSON and YAML parse."""
    for block in judged.blocks:
        parse = _PARSERS.get(block.language)
        problem = parse(block.code) if parse is not None else ""
        if problem:
            yield Wrong("code", f"{_named(block)} does not parse: {problem}", "mend it")


def code_is_complete(judged: Judged) -> Iterator[Wrong]:
    """No placeholder stands for code."""
    for block in judged.blocks:
        if block.language in PYTHON:
            for what in left_out(block.code):
                yield Wrong(
                    "code",
                    f"{_named(block)} leaves something out: {what}",
                    "write the code that belongs there",
                )


def names_are_imported(judged: Judged) -> Iterator[Wrong]:
    """Every name that Python code uses is bound in it, or in the file of which it is a part."""
    for block in judged.blocks:
        if block.language not in PYTHON:
            continue
        there = judged.file(block.path) if block.path else None
        missing = undefined(block.code, there)
        if missing:
            hint = "import or define them" if len(missing) > 1 else "import or define it"
            yield Wrong("code", f"{_named(block)} uses {', '.join(missing)}, which nothing binds", hint)


def patches_fit(judged: Judged) -> Iterator[Wrong]:
    """A patch changes files as they are."""
    for block in judged.blocks:
        if block.language in ("diff", "patch"):
            yield from _patch(judged, block)


# ── Python ───────────────────────────────────────────────────────────────────────────────────────────────────────


def left_out(code: str) -> list[str]:
    """Placeholders in Python code, each as it stands there."""
    found = [comment for comment in _comments(code) if _LEFT_OUT.search(comment)]
    try:
        tree = ast.parse(code)
    except _UNPARSABLE:
        return found
    allowed = _where_nothing_belongs(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and _is_ellipsis(node.value) and id(node) not in allowed:
            found.append("`...` stands for a body")
        elif isinstance(node, ast.Call) and _called(node) not in _FIELD_MAKERS:
            if any(map(_is_ellipsis, node.args)):
                found.append(f"`...` stands for the arguments of {_called(node) or 'a call'}")
        elif isinstance(node, ast.Raise) and node.exc is not None and id(node) not in allowed:
            name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(name, ast.Name) and name.id == "NotImplementedError":
                found.append("raise NotImplementedError")
    return found


def undefined(code: str, there: str | None) -> list[str]:
    """Names that nothing binds, sorted.

    Args:
        code: a whole module, or a part of one.
        there: the file of which it is a part, None where it is a new one.
    """
    known = _GIVEN | (_bound(there) if there is not None else frozenset())
    try:
        table = symtable.symtable(code, "answer", "exec")
    except _UNPARSABLE:
        if there is None:
            return []  # `return` outside of a function: `code_parses` says so
        try:
            table = symtable.symtable("async def part():\n" + textwrap.indent(code, "    "), "answer", "exec")
        except _UNPARSABLE:
            return []
    top = {
        s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    if re.search(r"^\s*from\s+\S+\s+import\s+\*", code, re.MULTILINE):
        return []
    used = {
        symbol.get_name()
        for scope in _scopes(table)
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or (scope is table and not symbol.is_assigned()))
    }
    return sorted(used - top - known)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _bound(text: str) -> frozenset[str]:
    """Every name that a file binds anywhere, and those that it reads: the excerpt may come from any of its scopes."""
    try:
        tree = ast.parse(text)
    except _UNPARSABLE:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return frozenset(found)


def _where_nothing_belongs(tree: ast.Module) -> set[int]:
    """Statements of protocols, overloads and abstract methods: there `...` is the code."""
    allowed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {_last(base) for base in node.bases}
            empty = all(isinstance(each, ast.Expr) for each in node.body)
            if "Protocol" in bases or (empty and node.bases):
                allowed |= {id(each) for each in ast.walk(node)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_abstract(node):
            allowed |= {id(each) for each in ast.walk(node)}
    return allowed


def _is_abstract(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return bool({_last(each) for each in node.decorator_list} & _ABSTRACT)


def _is_ellipsis(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _called(node: ast.Call) -> str:
    return _last(node.func)


def _last(node: ast.expr) -> str:
    node = (
        node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else node
    )
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _comments(code: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, *_UNPARSABLE):
        return [line.strip() for line in code.split("\n") if line.lstrip().startswith("#")]
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


# ── other languages ──────────────────────────────────────────────────────────────────────────────────────────────


def _python(code: str) -> str:
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except _UNPARSABLE as error:
        return str(error) or type(error).__name__
    return ""


def _toml(code: str) -> str:
    try:
        tomllib.loads(code)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return str(error)
    return ""


def _json(code: str) -> str:
    try:
        json.loads(code)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


def _yaml(code: str) -> str:
    # Composed, not constructed: tags of tools such as GitLab's `!reference` mean nothing here, and aliases stay small.
    try:
        for _ in yaml.compose_all(code, Loader=yaml.SafeLoader):
            pass
    except (yaml.YAMLError, RecursionError) as error:
        return " ".join(str(error).split())
    return ""


_PARSERS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(PYTHON, _python), "toml": _toml, "json": _json, "yaml": _yaml, "yml": _yaml,
}  # fmt: skip


def _patch(judged: Judged, block: CodeBlock) -> Iterator[Wrong]:
    """What is wrong with a unified diff: files that are not there, lines that do not stand there."""
    text: str | None = None
    old: list[str] = []
    path = ""

    def lost() -> Iterator[Wrong]:
        if old and text is not None and "\n".join(old) not in text:
            yield Wrong(
                "code",
                f"the patch of {path} does not fit the file: {old[0].strip()!r}",
                "make it from the file as it is",
            )

    for line in block.code.split("\n"):
        if line.startswith("--- "):
            yield from lost()
            old = []
            path = re.sub(r"^a/", "", line[4:].split("\t")[0].strip())
            text = judged.file(path) if path != "/dev/null" else None
            if path != "/dev/null" and text is None:
                yield Wrong(
                    "code",
                    f"the patch changes {path}, which is not there",
                    "make it from files that are there",
                )
        elif line.startswith(("@@", "+++ ")):
            yield from lost()
            old = []
        elif line.startswith(("-", " ")) and path:
            old.append(line[1:])
    yield from lost()


def _named(block: CodeBlock) -> str:
    return f"the code for {block.path}" if block.path else f"the block that begins with {_first(block)}"


def _first(block: CodeBlock) -> str:
    line = block.code.strip().split("\n", 1)[0]
    return repr(line if len(line) <= 60 else line[:57] + "...")
