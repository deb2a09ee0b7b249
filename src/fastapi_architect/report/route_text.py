"""One operation as text: what happens from the request to the answer, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi_architect.report.route import Shown
from fastapi_architect.report.wording import counted
from fastapi_architect.source.tree import printable

_EFFECTS = {
    "writes": "writes",
    "commits": "commits",
    "enqueues": "sends",
    "background_tasks": "afterwards",
    "outbound": "calls out",
    "redis": "redis",
    "files": "files",
}
#: Lines of one body, or of the answer; JSON has all of them.
_MOST_FIELDS = 40
_INDEX = {
    "leading": "index",
    "part": "at a later place of an index",
    "none": "no index",
    "unknown": "index not known",
}


def render(shown: Shown) -> str:
    """All documents, one below the other; nothing in a reviewed name steers the terminal or makes a line of its own."""
    lines: list[str] = []
    for each in shown.routes:
        lines += [*_page(each), ""]
    lines += [f"Note: {note}" for note in shown.notes]
    return "\n".join(printable(line).replace("\n", "\\n") for line in lines).rstrip("\n") + "\n"


def _page(route: dict[str, Any]) -> Iterator[str]:
    yield f"{route['route']}  {route['handler']}  {_at(route)}"
    yield f"  in {route['application']}" + (
        "  (registered under a condition)" if route["conditional"] else ""
    )
    yield from _section("Access", _access(route))
    yield from _section("Middleware, outermost first", map(_middleware, route["middleware"]))
    yield from _section(
        "Dependencies, numbered as they run",
        (line for each in route["dependencies"] for line in _dependency(each, 0)),
    )
    yield from _section("Parameters", (line for each in route["parameters"] for line in _parameter(each)))
    yield from _section(
        _queries_title(route), _queries(route) if route["queries"] or route["searches"] else []
    )
    yield from _section("Effects", _effects(route["effects"]))
    yield from _section("Holds up the event loop", map(_blocked, route["blocking"]))
    yield from _section("Answer", _response(route["response"]))
    yield from _section(
        "When something is down",
        (
            f"database: {route['when_database_is_down']}",
            f"redis: {route['when_redis_is_down']}",
        ),
    )
    if "findings" in route:
        found = route["findings"]
        yield from _section(
            f"Findings ({len(found)})", map(_finding, found) if found else ["none touches this route"]
        )
    yield from _section("Not known", route["notes"])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """A heading with its lines; nothing where there is nothing to say."""
    listed = list(lines)
    if listed:
        yield ""
        yield title
        yield from (f"  {line}" for line in listed)


def _at(place: dict[str, Any]) -> str:
    return f"{place['file']}:{place['line']}"


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _access(route: dict[str, Any]) -> Iterator[str]:
    reason = f": {route['public_reason']}" if route["public_reason"] else ""
    yield route["access"] + ("" if route["guards"] else " (nothing guards it)") + reason
    seen = set()
    for guard in route["guards"]:
        line = f"{guard['level']}: {_last(guard['name'])}: {guard['why']}"
        if line not in seen:
            seen.add(line)
            yield f"  {line}"


def _middleware(each: dict[str, Any]) -> str:
    line = f"{_last(each['name'])}  {_at(each)}"
    if each["guards"]:
        passes = "; lets this path pass" if each["this_path"] == "passes" else ""
        line += f"  guards ({each['guards']}): {each['why']}{passes}"
    return line + ("  (under a condition)" if each["conditional"] else "")


def _dependency(each: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    number = f"{each['order']:>2}. "
    parts = [f"{indent}{number}{_last(each['name'])}"]
    if each["parameter"]:
        parts.append(f"as {each['parameter']}")
    if each["reused"]:
        yield " ".join([*parts, f"(the value of {each['order']} again)"])
    else:
        gives = (
            f"{'yields' if each['yields'] else 'gives'} {each['gives']}"
            if each["gives"] not in ("", "None")
            else ""
        )
        facts = [
            gives or ("yields" if each["yields"] else ""),
            _session(each["session"]),
            f"reads {', '.join(each['reads'])}" if each["reads"] else "",
            f"guards ({each['guards']}): {each['why']}" if each["guards"] else "",
            f"scopes {', '.join(each['scopes'])}" if each["scopes"] else "",
            "in the thread pool" if each["runs"] == "thread pool" else "",
            "not cached" if not each["use_cache"] else "",
            "" if each["resolved"] else "could not be followed",
        ]
        place = each["defined"] or each["declared"]
        yield "; ".join([f"{' '.join(parts)}  {_at(place)}", *filter(None, facts)])
    for below in each["dependencies"]:
        yield from _dependency(below, depth + 1)


def _session(session: dict[str, bool] | None) -> str:
    if session is None:
        return ""
    does = [name.replace("_", " ") for name, value in session.items() if value]
    return f"a session ({', '.join(does)})" if does else "a session (never closed here)"


def _parameter(each: dict[str, Any]) -> Iterator[str]:
    default = f" = {each['default']}" if each["default"] else ""
    need = "required" if each["required"] else f"optional{default}"
    kind = each["kind"] if each["alias"] == each["name"] else f"{each['kind']} {each['alias']}"
    yield f"{each['name']}: {each['type'] or 'untyped'}  {kind}, {need}{_limits(each['constraints'])}"
    if each["extra"] and each["extra"] != "ignore":
        yield f"  unknown fields: {each['extra']}"
    yield from _some(each["fields"])


def _some(fields: list[dict[str, Any]]) -> Iterator[str]:
    """The first fields, and how many lines more there are."""
    lines = list(_fields(fields))
    yield from (f"  {line}" for line in lines[:_MOST_FIELDS])
    if len(lines) > _MOST_FIELDS:
        yield f"  ... and {counted(len(lines) - _MOST_FIELDS, 'field')} more: --format json"


def _fields(fields: list[dict[str, Any]]) -> Iterator[str]:
    for each in fields:
        need = "required" if each["required"] else "optional"
        inner = _limits(each["element_constraints"])
        checks = f", checked by {', '.join(each['validators'])}" if each["validators"] else ""
        elements = f"; each{inner}" if inner else ""
        yield f"{each['name']}: {each['type'] or 'untyped'}  {need}{_limits(each['constraints'])}{elements}{checks}"
        yield from (f"  {line}" for line in _fields(each["fields"]))


def _limits(constraints: dict[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in constraints.items())


def _queries_title(route: dict[str, Any]) -> str:
    count = route["query_count"]
    rows = f", up to {count['at_most']} with {count['n'].replace('`', '')}" if count["n"] else ""
    limit = "" if count["complete"] else ", and perhaps more"
    return f"Queries: at most {count['text']}{rows}{limit}" if route["queries"] else "Queries: none"


def _queries(route: dict[str, Any]) -> Iterator[str]:
    for each in route["queries"]:
        tables = f" {', '.join(each['tables'])}" if each["tables"] else ""
        line = f"{each['kind']}{tables}  {_at(each)} in {_last(each['function'])}"
        if each["once_for_each"]:
            line += f"; ONCE FOR EACH {each['once_for_each']}" + ("" if each["sure"] else " (at most)")
        elif each["loops"]:
            line += f"; inside {counted(each['loops'], 'loop')}"
        if each["index"] in ("none", "part"):
            line += "; NO INDEX leads to its rows"
        yield line
        yield from (f"  {_search(search)}" for search in each["searches"])
    yield from (f"{_search(search)}  {_at(search)}" for search in route["searches"])


def _search(each: dict[str, Any]) -> str:
    verb = {"order": "sorts by", "join": "joins on"}.get(each["operator"], "searches by")
    operator = "" if each["operator"] in ("order", "join", "truth") else f" {each['operator']}"
    return f"{verb} {each['table']}.{each['column']}{operator}: {_INDEX[each['index']]}"


def _effects(effects: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for name, label in _EFFECTS.items():
        for each in effects[name]:
            loops = f"; inside {counted(each['loops'], 'loop')}" if each["loops"] else ""
            yield f"{label}: {each['call']}  {_at(each)} in {_last(each['function'])}{loops}"


def _blocked(each: dict[str, Any]) -> str:
    through = f"; reached from {', '.join(map(_at, each['through']))}" if each["through"] else ""
    instead = f"; instead: {each['instead']}" if each["instead"] else ""
    return f"{each['call']} ({each['kind']})  {_at(each)} in {_last(each['function'])}{through}{instead}"


def _response(response: dict[str, Any]) -> Iterator[str]:
    status = f", status {response['status']}" if response["status"] else ""
    yield (response["model"] if response["declared"] else "no response model") + status
    yield from _some(response["fields"])


def _finding(each: dict[str, Any]) -> str:
    return f"{each['severity'].upper()} {each['rule']}  {_at(each)}: {each['issue']}"
