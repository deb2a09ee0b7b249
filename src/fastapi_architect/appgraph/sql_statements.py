"""SQL text, parsed just enough to know which table a statement locks, changes or fills.

Not a grammar: each kind of statement is recognised by its beginning. What is not recognised is `other`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Longer texts are data dumps; only their beginning is read.
MAX_TEXT = 200_000
_MAX_STATEMENTS = 2_000

_TOKEN = lazy_pattern(
    r"--[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/)?|'(?:[^']|'')*'?|\"[^\"]*\"?|\$(?:[A-Za-z_]\w*)?\$|;|[^-/'\"$;]+|[-/$]"
)
_NAME = r"(?P<{0}>(?:\"[^\"]+\"|[\w%:{{}}]+)(?:\.(?:\"[^\"]+\"|[\w%:{{}}]+))?)"


class SqlStatement(msgspec.Struct, frozen=True):
    """One statement.

    Attributes:
        kind: create_index, drop_index, create_table, drop_table, rename_table, add_column, drop_column,
            rename_column, set_not_null, drop_not_null, set_default, drop_default, set_type, add_foreign_key,
            add_check, add_unique, add_primary_key, drop_constraint, validate_constraint, alter_type,
            create_type, drop_type, update, insert, delete, truncate, select, set, create_extension, reindex,
            vacuum or other.
        table: name without quotes, "" when none.
        columns: columns concerned.
        name: of the index, constraint, or the new name of a rename; "" when none.
        target: table that a foreign key refers to, or index that a constraint takes over; "" otherwise.
        concurrently: `CONCURRENTLY` is given.
        not_valid: `NOT VALID` is given.
        unique: a unique index.
        has_where: it has a WHERE clause.
        not_null: an added column is NOT NULL.
        has_default: an added column has a DEFAULT.
        from_select: an INSERT that copies rows of a query.
        type_text: type of an added or changed column, with what follows it.
        text: the statement.
    """

    kind: str
    table: str = ""
    columns: tuple[str, ...] = ()
    name: str = ""
    target: str = ""
    concurrently: bool = False
    not_valid: bool = False
    unique: bool = False
    has_where: bool = False
    not_null: bool = False
    has_default: bool = False
    from_select: bool = False
    type_text: str = ""
    text: str = ""


def parse_sql(text: str) -> tuple[SqlStatement, ...]:
    """The statements in a text; an ALTER TABLE with several actions gives one each."""
    found: list[SqlStatement] = []
    for statement in split_statements(text[:MAX_TEXT]):
        found += _parse(statement)
        if len(found) >= _MAX_STATEMENTS:
            break
    return tuple(found)


def names_in_sql(text: str, table: str, column: str = "") -> bool:
    """A text reads or writes a table, or that column of it.

    Args:
        text: one or more statements.
        table: without its schema.
        column: "" for any.
    """
    return any(_names(statement, table.lower(), column) for statement in split_statements(text[:MAX_TEXT]))


def _names(statement: str, table: str, column: str) -> bool:
    tables: set[str] = set()
    aliases = {table}
    for match in _PLACE_OF_TABLE.finditer(statement):
        name = match["name"].strip('"').lower()
        tables.add(name)
        if name == table and match["alias"]:
            aliases.add(match["alias"].strip('"').lower())
    if table not in tables or not column:
        return table in tables
    # `m.created` belongs to the table that `m` stands for; a bare name beside other tables may be theirs.
    owners = re.findall(rf'(?:(\w+|"[^"]+")\.)?"?\b{re.escape(column)}\b', statement, re.IGNORECASE)
    return any(owner.strip('"').lower() in aliases if owner else len(tables) == 1 for owner in owners)


#: Where a statement names a table; an alias that follows is no key word.
_PLACE_OF_TABLE = lazy_pattern(
    r'\b(?:from|join|update|into|table|only)\s+(?:(?:\w+|"[^"]+")\.)?(?P<name>"[^"]+"|\w+)'
    r"(?:\s+(?:as\s+)?(?!(?:where|set|on|join|inner|left|right|full|cross|group|order|limit|values|using|returning)\b)"
    r'(?P<alias>"[^"]+"|\w+))?',
    re.IGNORECASE,
)


def split_statements(text: str) -> Iterator[str]:
    """Statements without comments, whitespace folded; strings, quoted names and dollar quotes are
    respected.
    """
    current: list[str] = []
    dollar = ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if dollar:
            current.append(token)
            if token == dollar:
                dollar = ""
            continue
        if token.startswith(("--", "/*")):
            current.append(" ")
        elif token == ";":
            yield from _folded(current)
            current = []
        else:
            if len(token) > 1 and token.startswith("$"):
                dollar = token
            current.append(token)
    yield from _folded(current)


def _folded(parts: list[str]) -> Iterator[str]:
    text = " ".join("".join(parts).split())
    if text:
        yield text


def _compile(pattern: str) -> re.Pattern[str]:
    for group in ("table", "name", "target", "column"):
        pattern = pattern.replace(f"<{group}>", _NAME.format(group))
    return lazy_pattern(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


_CREATE_INDEX = _compile(
    r"create (?P<unique>unique )?index (?P<concurrently>concurrently )?(?:if not exists )?(?:<name> )?"
    r"on (?:only )?<table>"
)
_DROP_INDEX = _compile(r"drop index (?P<concurrently>concurrently )?(?:if exists )?<name>")
_CREATE_TABLE = _compile(r"create (?:temp |temporary |unlogged )?table (?:if not exists )?<table>")
_DROP_TABLE = _compile(r"drop table (?:if exists )?<table>")
_ALTER_TABLE = _compile(r"alter table (?:if exists )?(?:only )?<table> (?P<rest>.*)")
_UPDATE = _compile(r"(?:with .*?\) )?update (?:only )?<table>")
_INSERT = _compile(r"insert (?:or \w+ )?into <table>")
_DELETE = _compile(r"delete from (?:only )?<table>")
_TRUNCATE = _compile(r"truncate (?:table )?<table>")
_REINDEX = _compile(r"reindex (?:table|index|database|schema) (?P<concurrently>concurrently )?<table>")
_SIMPLE = (
    ("create_type", _compile(r"create (?:type|domain) <name>")),
    ("alter_type", _compile(r"alter type <name>")),
    ("drop_type", _compile(r"drop (?:type|domain) (?:if exists )?<name>")),
    ("create_extension", _compile(r"create extension (?:if not exists )?<name>")),
    ("select", lazy_pattern(r"select\b|with\b", re.IGNORECASE)),
    ("set", lazy_pattern(r"set\b|reset\b", re.IGNORECASE)),
    ("vacuum", lazy_pattern(r"vacuum\b|analyze\b", re.IGNORECASE)),
)
_ACTIONS = (
    (
        "add_foreign_key",
        _compile(r"add (?:constraint <name> )?foreign key ?\((?P<columns>[^)]*)\) ?references <target>"),
    ),
    ("add_check", _compile(r"add (?:constraint <name> )?check ?\(")),
    (
        "add_unique",
        _compile(
            r"add (?:constraint <name> )?unique(?: nulls not distinct)? ?"
            r"(?:\((?P<columns>[^)]*)\)|using index <target>)"
        ),
    ),
    ("add_primary_key", _compile(r"add (?:constraint <name> )?primary key")),
    ("add_constraint", _compile(r"add constraint <name>")),
    ("validate_constraint", _compile(r"validate constraint <name>")),
    ("drop_constraint", _compile(r"drop constraint (?:if exists )?<name>")),
    ("set_not_null", _compile(r"alter (?:column )?<column> set not null")),
    ("drop_not_null", _compile(r"alter (?:column )?<column> drop not null")),
    ("set_default", _compile(r"alter (?:column )?<column> set default")),
    ("drop_default", _compile(r"alter (?:column )?<column> drop default")),
    (
        "set_type",
        _compile(
            r"(?:alter (?:column )?|modify (?:column )?)<column> (?:set data )?(?:type )?(?P<type>[^,]*)"
        ),
    ),
    ("rename_column", _compile(r"rename (?:column )?<column> to <name>")),
    ("rename_table", _compile(r"rename to <name>")),
    ("drop_column", _compile(r"drop (?:column )?(?:if exists )?<column>")),
    ("add_column", _compile(r"add (?:column )?(?:if not exists )?<column> (?P<type>.*)")),
)


def _parse(text: str) -> list[SqlStatement]:
    found = _CREATE_INDEX.match(text)
    if found:
        return [_create_index(found, text)]
    found = _DROP_INDEX.match(text)
    if found:
        return [
            SqlStatement(
                "drop_index", name=_bare(found["name"]), concurrently=bool(found["concurrently"]), text=text
            )
        ]
    found = _ALTER_TABLE.match(text)
    if found:
        return [_action(_bare(found["table"]), action, text) for action in _split_actions(found["rest"])]
    for kind, pattern in (
        ("create_table", _CREATE_TABLE),
        ("drop_table", _DROP_TABLE),
        ("update", _UPDATE),
        ("insert", _INSERT),
        ("delete", _DELETE),
        ("truncate", _TRUNCATE),
        ("reindex", _REINDEX),
    ):
        found = pattern.match(text)
        if found:
            return [_data_statement(kind, found, text)]
    for kind, pattern in _SIMPLE:
        found = pattern.match(text)
        if found:
            return [SqlStatement(kind, name=_bare(found.groupdict().get("name")), text=text)]
    return [SqlStatement("other", text=text)]


def _data_statement(kind: str, found: re.Match[str], text: str) -> SqlStatement:
    rest = text[found.end() :]
    return SqlStatement(
        kind,
        table=_bare(found["table"]),
        has_where=re.search(r"\bwhere\b", rest, re.IGNORECASE) is not None,
        from_select=kind == "insert" and re.search(r"\bselect\b", rest, re.IGNORECASE) is not None,
        concurrently=bool(found.groupdict().get("concurrently")),
        columns=_assigned_columns(rest) if kind == "update" else (),
        text=text,
    )


def _assigned_columns(rest: str) -> tuple[str, ...]:
    clause = re.split(r"\bwhere\b|\bfrom\b", rest, maxsplit=1, flags=re.IGNORECASE)[0]
    return tuple(dict.fromkeys(re.findall(r"(?:\bset|,)\s*\"?(\w+)\"?\s*=", clause, re.IGNORECASE)))


def _create_index(found: re.Match[str], text: str) -> SqlStatement:
    rest = text[found.end() :]
    start = rest.find("(")
    inside = _inside(rest[start:]) if start >= 0 else ""
    return SqlStatement(
        "create_index",
        table=_bare(found["table"]),
        columns=tuple(_index_column(part) for part in _split_commas(inside)),
        name=_bare(found["name"]),
        concurrently=bool(found["concurrently"]),
        unique=bool(found["unique"]),
        has_where=re.search(r"\)\s*where\b", rest, re.IGNORECASE) is not None,
        text=text,
    )


def _index_column(part: str) -> str:
    word = part.strip()
    if "(" in word:
        return word.replace(" ", "").lower()
    return _bare(word.split()[0]) if word else "?"


def _action(table: str, action: str, text: str) -> SqlStatement:
    for kind, pattern in _ACTIONS:
        found = pattern.match(action)
        if not found:
            continue
        groups = found.groupdict()
        column = groups.get("column")
        columns = (
            (_bare(column),)
            if column
            else tuple(_bare(c.strip()) for c in (groups.get("columns") or "").split(",") if c.strip())
        )
        return SqlStatement(
            kind,
            table=table,
            columns=columns,
            name=_bare(groups.get("name")),
            target=_bare(groups.get("target")),
            not_valid=re.search(r"\bnot valid\b", action, re.IGNORECASE) is not None,
            not_null=kind == "add_column" and re.search(r"\bnot null\b", action, re.IGNORECASE) is not None,
            has_default=kind == "add_column" and re.search(r"\bdefault\b", action, re.IGNORECASE) is not None,
            type_text=(groups.get("type") or "").strip(),
            text=text,
        )
    return SqlStatement("other", table=table, text=text)


def _split_actions(text: str) -> list[str]:
    return [part.strip() for part in _split_commas(text)]


def _split_commas(text: str) -> list[str]:
    """Parts between commas that stand in no parentheses and no string."""
    parts: list[str] = []
    depth = start = 0
    quote = ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _inside(text: str) -> str:
    """What stands between the first parenthesis, with which `text` begins, and its partner."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[1:index]
    return text[1:]


def _bare(name: str | None) -> str:
    return (name or "").replace('"', "").replace("`", "")
