"""Which values are written into JavaScript or into a `<script>` or `<style>` element, as they are?

Read from f-strings alone: what they are is seen by their own syntax (names of a browser's objects, the element that stands
open, a call that says JavaScript), and what a value is by where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.dataflow.access_path import access_path, written
from fastapi_architect.dataflow.derived_values import computed_from
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: What only JavaScript of a browser says.
_BROWSER = lazy_pattern(
    r"\b(document|window|history|location|localStorage|sessionStorage)\s*(\?\.|\.|\[)\s*\w+|\baddEventListener\("
)
_OPENED = lazy_pattern(r"<script\b[^>]*>(?!.*</script)", 18)  # IGNORECASE | DOTALL
_STYLE = lazy_pattern(r"<style\b[^>]*>\s*$", 2)
#: One of these stands in what `_BROWSER` finds: patterns are compiled only where it does.
_BROWSER_WORDS = ("document", "window", "history", "location", "Storage", "addEventListener")
#: Calls that run a script in a browser that the service itself drives.
_DRIVEN = lazy_pattern(
    r"evaluate|execute_(async_)?script|init_script|wait_for|eval_on|^locator$|query_selector"
)
#: Names of values that the program makes.
_MADE = lazy_pattern(
    r"(^|_)(u?u?id|key|lang(uage)?|locale|theme|colou?r|mode|version|behaviou?r|nonce|selector|class|tag|type|kind|event|base|"
    r"prefix|host|port|method|static|settings?|config|options|swagger\w*|openapi\w*|schema_url|parameters|init_oauth|debug|"
    r"token|csrf\w*|xsrf\w*|hash|digest|signature)$"
)
#: Calls after which a text can be written into a script.
_ESCAPING = lazy_pattern(r"dumps|escape|quote|sanit|clean|bleach|replace|encode|repr|tojson")
_QUOTES = ('"', "'", "`")
_UNSAFE_JSON = frozenset({"dumps"})


class ScriptText(msgspec.Struct, frozen=True, eq=False):
    """A value in a script.

    Attributes:
        site: the f-string.
        function: whose body it stands in.
        value: the expression that is written into it.
        name: the value in the reader's terms.
        kind: quoted (between the script's quotes), style (what a `<style>` element holds), json (JSON in a `<script>` element).
    """

    site: Site
    function: Function
    value: ir.Expr
    name: str
    kind: str


@question
def script_texts(graph: AppGraph) -> tuple[ScriptText, ...]:
    """The first value of each f-string, in order of places."""
    found: list[ScriptText] = []
    for function in graph.program.functions:
        module = function.module
        if module.parsed.may_hold_script and module.kind == "source":
            for site in function.facts.sites(ir.JoinedStr):
                found += islice(_values(site, function, graph), 1)
    return tuple(found)


def _values(site: Site, function: Function, graph: AppGraph) -> Iterator[ScriptText]:
    parts = site.node.values
    texts = [str(part.value) if part.__class__ is ir.Constant else "" for part in parts]
    opens = any("<s" in text or "<S" in text for text in texts)
    for position, before in enumerate(texts[:-1]):
        if not before or parts[position + 1].__class__ is not ir.FormattedValue:
            continue
        hole, after = parts[position + 1], texts[position + 2] if position + 2 < len(texts) else ""
        if after and before[-1] in _QUOTES and after[0] == before[-1]:
            kind = "quoted" if _is_script("".join(texts), site, function) else ""
        else:
            kind = _in_element(hole.value, position, texts) if opens and hole.format_spec is None else ""
        value = hole.value if kind != "json" else _plain_json(hole.value, function)
        if kind and value is not None and (kind == "json" or _is_given(value, function, graph)):
            yield ScriptText(site, function, value, _shown(value) or "it", kind)


def _in_element(value: ir.Expr, position: int, texts: list[str]) -> str:
    """What a hole of a page may be, behind a text; "" outside of scripts and style sheets."""
    after = texts[position + 2] if position + 2 < len(texts) else ""
    if _STYLE.search(texts[position]) and after.lstrip().lower().startswith("</style"):
        return "style"
    if value.__class__ in (ir.Call, ir.Name) and _OPENED.search("".join(texts[: position + 1])):
        return "json"
    return ""


# ── what the text is ─────────────────────────────────────────────────────────────────────────────────────────


def _is_script(text: str, site: Site, function: Function) -> bool:
    """JavaScript for somebody's browser."""
    is_browsers = any(word in text for word in _BROWSER_WORDS) and bool(_BROWSER.search(text))
    takers = [last_name(call.node.func) for call in function.facts.calls if _takes(call.node, site.node)]
    if not is_browsers and not any(map(_says_javascript, takers)):
        return False
    return not any(_DRIVEN.search(name) for name in takers)


def _says_javascript(name: str) -> bool:
    name = name.lower()
    return "javascript" in name or "js" in name.split("_")


def _takes(call: ir.Call, text: ir.JoinedStr) -> bool:
    return any(each is text for each in (*call.args, *(keyword.value for keyword in call.keywords)))


# ── what the value is ────────────────────────────────────────────────────────────────────────────────────────


def _is_given(value: Any, function: Function, graph: AppGraph) -> bool:
    """A text that somebody else decides: a parameter, or an attribute that is no constant."""
    if not _may_be_text(value, function, graph) or _MADE.search(_shown(value).rpartition(".")[2].lower()):
        return False
    if value.__class__ is ir.Attribute:
        return (
            value.value.__class__ is ir.Name
            and value.attr.upper() != value.attr
            and not value.attr.startswith("_")
        )
    if value.__class__ is not ir.Name or function.parameter(value.id) is None:
        return False
    others = [b.value for b in function.facts.bindings.get(value.id, ()) if b.kind != "parameter"]
    calls = [node for other in others for node in walk(other) if node.__class__ is ir.Call]
    return not any(_ESCAPING.search(last_name(node.func)) for node in calls) and not _is_always_written(
        value.id, function, graph
    )


def _may_be_text(value: Any, function: Function, graph: AppGraph) -> bool:
    found = options(graph.program.inference.type_of(value, function))
    return any(isinstance(option, Instance) and option.name == "builtins.str" for option in found)


def _is_always_written(name: str, function: Function, graph: AppGraph) -> bool:
    """Every known caller writes the text down."""
    names = [parameter.name for parameter in function.parameters[function.is_method :]]
    position = names.index(name) if name in names else None
    given = [argument(site.node, position, name) for site in graph.program.calls.callers(function)]
    return bool(given) and all(value is None or value.__class__ is ir.Constant for value in given)


def _plain_json(value: Any, function: Function) -> ir.Expr | None:
    """What `json.dumps` is given, where its result is used as it is."""
    if value.__class__ is ir.Name:
        binding = computed_from(value.id, function)
        value = binding.value if binding is not None else None
    if value.__class__ is not ir.Call or last_name(value.func) not in _UNSAFE_JSON or not value.args:
        return None
    data = value.args[0]
    names = [str(getattr(node, "id", "") or getattr(node, "attr", "")) for node in walk(data)]
    if not any(names) or any(_MADE.search(name.lower()) or name.isupper() for name in names if name):
        return None
    return data


def _shown(value: Any) -> str:
    while value.__class__ is ir.Call and value.args:
        value = value.args[0]
    path = access_path(value)
    return written(path) if path is not None else ""
