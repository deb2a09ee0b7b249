"""The map of a backend for different readers: table, JSON, Mermaid, HTML."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi_architect.analyses.matrix import row
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.source.tree import printable

_NOTHING = "No FastAPI application was found here. Pass the folder of your application."


def render(graph: AppGraph, form: str) -> str:
    """The map as `table`, `json`, `mermaid` or `html`."""
    return {"table": _table, "json": _json, "mermaid": _mermaid, "html": _html}[form](graph)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def document(graph: AppGraph) -> dict[str, Any]:
    """The map as plain values."""
    return {
        "applications": [_application(graph, application) for application in graph.mapped],
        "unresolved": [
            {"what": u.what, "file": u.location.path, "line": u.location.line, "reason": u.reason}
            for u in graph.unresolved
        ],
    }


def _json(graph: AppGraph) -> str:
    return json.dumps(document(graph), indent=2, ensure_ascii=False) + "\n"


def _application(graph: AppGraph, application: Application) -> dict[str, Any]:
    return {
        "name": application.name,
        "root": application.root,
        "file": application.location.path,
        "line": application.location.line,
        "mounted_at": application.mount_path if application.mounted else None,
        "middleware": [m.name for m in application.middleware],
        "mounts": [{"path": m.path, "kind": m.kind} for m in application.mounts],
        "operations": [_operation(graph, application, o) for o in application.operations],
    }


def _operation(graph: AppGraph, application: Application, operation: PathOperation) -> dict[str, Any]:
    inputs = [
        {"name": p.alias, "kind": p.kind, "required": p.required}
        for p in operation.all_parameters()
        if p.is_input
    ]
    names = dict.fromkeys(_called_name(d) for d in operation.all_dependencies())
    return {
        **row(graph, application, operation),
        "methods": list(operation.methods),
        "parameters": inputs,
        "dependencies": list(names),
    }


def _called_name(dependency: Dependency) -> str:
    return dependency.name


# ── table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(graph: AppGraph) -> str:
    lines: list[str] = []
    for application in graph.mapped:
        rows = [row(graph, application, o) for o in application.operations]
        lines += [
            f"{application.module_path}: {application.name}, {len(rows)} operation{'' if len(rows) == 1 else 's'}",
            "",
        ]
        lines += _columns(rows) if rows else ["  no operation was found"]
        lines.append("")
    if not graph.mapped:
        lines += [_NOTHING, ""]
    if graph.unresolved:
        lines.append("Not resolved:")
        lines += [f"  {u.location}: {u.what}: {u.reason}" for u in graph.unresolved]
    # Reviewed names may hold what moves a terminal's cursor.
    return "\n".join(printable(line) for line in lines).rstrip() + "\n"


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    heads = (
        "route",
        "access",
        "guards",
        "inputs",
        "tables",
        "queries",
        "outbound",
        "database down",
        "redis down",
    )
    cells = [
        (
            r["route"],
            r["access"],
            _short(r["guards"]),
            ", ".join(r["inputs"]),
            ", ".join(r["tables"]),
            str(r["queries"]),
            ", ".join(r["outbound"]),
            r["when_database_is_down"],
            r["when_redis_is_down"],
        )
        for r in rows
    ]
    widths = [min(max(len(c[i]) for c in (heads, *cells)), 48) for i in range(len(heads))]
    lines = ["  ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)).rstrip()]
    lines.append("  ".join("-" * w for w in widths))
    lines += [
        "  ".join(_cut(c, w).ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    ]
    return lines


def _short(names: list[str]) -> str:
    return ", ".join(name.rpartition(".")[2] for name in names)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


# ── Mermaid ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _mermaid(graph: AppGraph) -> str:
    """A flow chart: routes to guards to tables and hosts."""
    lines = ["flowchart LR"]
    nodes: dict[str, str] = {}

    def node(text: str, shape: str) -> str:
        if text not in nodes:
            nodes[text] = f"n{len(nodes)}"
            opening, closing = {
                "route": ('["', '"]'),
                "guard": ('{{"', '"}}'),
                "table": ('[("', '")]'),
                "host": ('(["', '"])'),
            }[shape]
            lines.append(f"    {nodes[text]}{opening}{_label(text)}{closing}")
        return nodes[text]

    for application in graph.mapped:
        for operation in application.operations:
            r = row(graph, application, operation)
            last = node(r["route"], "route")
            for guard in r["guards"]:
                following = node(guard.rpartition(".")[2], "guard")
                lines.append(f"    {last} --> {following}")
                last = following
            lines += [f"    {last} --> {node(table, 'table')}" for table in r["tables"]]
            lines += [f"    {last} --> {node(host, 'host')}" for host in r["outbound"]]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _label(text: str) -> str:
    return (
        printable(text).replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    )


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#1f2937;background:#fff}table{border-collapse:collapse;width:100%}"
    "h2 code{font-size:inherit}td:nth-child(7){overflow-wrap:anywhere;min-width:8rem}"
    "th,td{border-bottom:1px solid #e5e7eb;padding:.4rem .6rem;text-align:left;vertical-align:top}"
    "th{position:sticky;top:0;background:#f9fafb}"
    ".none,.optional{color:#b91c1c;font-weight:600}.user{color:#047857}.scoped,.admin{color:#1d4ed8}code{font-size:13px}"
    "@media(prefers-color-scheme:dark){body{background:#111827;color:#e5e7eb}th{background:#1f2937}th,td{border-color:#374151}}"
)


def _markup(text: str) -> str:
    return escape(printable(text))


def _html(graph: AppGraph) -> str:
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<title>Map</title><style>{_STYLE}</style></head><body><h1>Routes and their guards</h1>",
    ]
    heads = (
        "Route",
        "Access",
        "Guards",
        "Inputs",
        "Tables",
        "Queries",
        "Outbound",
        "Database down",
        "Redis down",
    )
    if not graph.mapped:
        parts.append(f"<p>{_NOTHING}</p>")
    for application in graph.mapped:
        parts.append(
            f"<h2><code>{_markup(application.module_path)}: {_markup(application.name)}</code></h2><table><thead><tr>"
        )
        parts += [f"<th>{head}</th>" for head in heads]
        parts.append("</tr></thead><tbody>")
        parts += [_html_row(row(graph, application, operation)) for operation in application.operations]
        parts.append("</tbody></table>")
    if graph.unresolved:
        parts.append("<h2>Not resolved</h2><ul>")
        parts += [
            f"<li><code>{_markup(str(u.location))}</code>: {_markup(u.what)}: {_markup(u.reason)}</li>"
            for u in graph.unresolved
        ]
        parts.append("</ul>")
    parts.append("</body></html>\n")
    return "".join(parts)


def _html_row(r: dict[str, Any]) -> str:
    cells = (
        f"<code>{_markup(r['route'])}</code>",
        f"<span class='{r['access']}'>{r['access']}</span>",
        _markup(_short(r["guards"])),
        _markup(", ".join(r["inputs"])),
        _markup(", ".join(r["tables"])),
        str(r["queries"]),
        _markup(", ".join(r["outbound"])),
        _markup(r["when_database_is_down"]),
        _markup(r["when_redis_is_down"]),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
