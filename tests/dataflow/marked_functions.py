"""Functions whose sinks say, in a comment, what is still dangerous about the value that reaches them.

Every parameter of a function whose name does not begin with `_` is a source; a call of `opened(x)`, `fetched(x)`, `sent(x)`
or `shown(x)` is a sink. The comment `# left: up, root` names the aspects that no check has ruled out, `# left: nothing` none.
"""

from __future__ import annotations

import re
from textwrap import dedent

from tests.appgraph.sample import program_of

from fastapi_architect.dataflow.guards_hosts import HOST_ASPECTS
from fastapi_architect.dataflow.guards_paths import PATH_ASPECTS
from fastapi_architect.dataflow.interprocedural import TaintSolver
from fastapi_architect.dataflow.taint import Sink, SinkKind, Source, TaintQuery
from fastapi_architect.syntax import span

KINDS = (
    SinkKind("path", "/\\", PATH_ASPECTS),
    SinkKind("url", "/:@?#.\\", HOST_ASPECTS),
    SinkKind("redirect", "/\\:", HOST_ASPECTS),
    SinkKind("html", "<>\"'&"),
)
_SINKS = {"opened": "path", "fetched": "url", "sent": "redirect", "shown": "html"}
_MARK = re.compile(r"# left: (.*)")
_HEAD = """
import ipaddress, os, re, socket
from pathlib import Path
from urllib.parse import urlparse, quote, unquote, urlencode, urljoin

from fastapi import HTTPException
from werkzeug.utils import secure_filename

BASE = Path("/srv/files")
ROOT = "/srv/files"
ALLOWED = {"example.com", "example.org"}

def opened(path): ...
def fetched(url): ...
def sent(url): ...
def shown(html): ...
"""


def expected(text: str) -> dict[int, set[str]]:
    """Line to the aspects that its comment names."""
    found = {}
    for number, line in enumerate((_HEAD + dedent(text)).split("\n"), 1):
        match = _MARK.search(line)
        if match:
            found[number] = set() if match[1] == "nothing" else set(re.split(r",\s*", match[1].strip()))
    return found


def left(text: str) -> dict[int, set[str]]:
    """Line of every sink to what is left there."""
    program = program_of(_HEAD + dedent(text))
    functions = [f for f in program.functions if f.name not in _SINKS]
    sinks = [
        Sink(_SINKS[site.node.func.id], function, site.node, site.node.args[0])
        for function in functions
        for site in function.facts.calls
        if getattr(site.node.func, "id", "") in _SINKS
    ]
    sources = [Source(f, p.name) for f in functions if not f.name.startswith("_") for p in f.parameters]
    sanitizers = {
        "os.path.basename": frozenset({"path"}),
        "werkzeug.utils.secure_filename": frozenset({"path"}),
        "html.escape": frozenset({"html"}),
    }
    query = TaintQuery(KINDS, tuple(sinks), tuple(sources), sanitizers=sanitizers)
    found = {span.line_of(sink.node.span): set[str]() for sink in sinks}
    for path in TaintSolver(program, query).solve():
        found[span.line_of(path.sink.node.span)] |= path.aspects or {path.sink.kind}
    return found
