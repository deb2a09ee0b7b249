"""Whose result is harmless, and for which kinds of sink? Names of functions that quote, escape or digest."""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph

_SQL = frozenset({"sql"})
_SQL_NAMES = frozenset({"sql", "sql-identifier"})
_HTML = frozenset({"html"})
_PATH = frozenset({"path", "object-key"})
#: Only `[A-Za-z0-9_.-]` is left: nothing that a shell understands, but it may begin with a dash.
_WORD = _PATH | {"command", "html"}
#: Only lower-case letters, digits and dashes between them are left.
_SLUG = _WORD | {"command-option", "url", "redirect"}

#: Dotted name to the kinds for which the result is clean; None: all.
_SANITIZERS: dict[str, frozenset[str] | None] = {
    "psycopg.sql.Identifier": _SQL_NAMES,
    "psycopg.sql.Literal": _SQL,
    "psycopg2.sql.Identifier": _SQL_NAMES,
    "psycopg2.sql.Literal": _SQL,
    "psycopg2.extensions.quote_ident": _SQL_NAMES,
    "sqlalchemy.sql.quoted_name": _SQL_NAMES,
    "sqlalchemy.quoted_name": _SQL_NAMES,
    "sqlalchemy.TextClause.bindparams": None,
    "sqlalchemy.bindparam": None,
    "shlex.quote": frozenset({"command"}),
    "html.escape": _HTML,
    "markupsafe.escape": _HTML,
    "bleach.clean": _HTML,
    "nh3.clean": _HTML,
    "nh3.clean_text": _HTML,
    "os.path.basename": _PATH,
    "werkzeug.utils.secure_filename": _WORD,
    "werkzeug.secure_filename": _WORD,
    "django.utils.text.get_valid_filename": _WORD,
    "slugify.slugify": _SLUG,
    "python_slugify.slugify": _SLUG,
    "django.utils.text.slugify": _SLUG,
    "pathvalidate.sanitize_filename": _PATH,
    # A value of a table, which the type or the name only chooses.
    "mimetypes.guess_extension": None,
    "mimetypes.guess_all_extensions": None,
    "mimetypes.guess_type": None,
    "mimetypes.guess_file_type": None,
    # What a file holds is not what its name says.
    "builtins.open": None,
    "io.open": None,
    "aiofiles.open": None,
    "pathlib.Path.open": None,
    "pathlib.Path.read_text": None,
    "pathlib.Path.read_bytes": None,
    # What stands in a token was written by whoever signed it.
    "fastapi_users.jwt.decode_jwt": None,
    # Hexadecimal digits; and what reaches a database through its address is no text of a statement.
    "hashlib.HASH.hexdigest": None,
    "hmac.HMAC.hexdigest": None,
    "sqlalchemy.create_engine": None,
    "sqlalchemy.engine.create_engine": None,
    "sqlalchemy.ext.asyncio.create_async_engine": None,
}


def sanitizers(graph: AppGraph) -> dict[str, frozenset[str] | None]:
    """Dotted name of a callable to the kinds for which its result is clean (None: all), the project's own included."""
    found = dict(_SANITIZERS)
    for name, kinds in graph.project.sanitizers.items():
        found[name] = frozenset(kinds) or None
    return found
