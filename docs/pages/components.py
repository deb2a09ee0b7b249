"""`docs/reference/components.md`, and a page for each: the component's own README."""

from __future__ import annotations

import re

from fastapi_architect.builder.catalog import COMPONENTS, load_catalog

_COMMANDS = re.compile("^```console$", re.MULTILINE)
#: For `docs/commands.py`: a component's commands are those of a service that holds it.
_NOT_RUN = "<!-- not run: needs a service and its database; the component's own tests call the command -->"
_SIBLING = re.compile(r"\]\(\.\./(\w+)/README\.md(#[\w-]+)?\)")


def pages() -> dict[str, str]:
    """Path below `docs/` to text."""
    specs = sorted(load_catalog(), key=lambda spec: (spec.group, spec.order))
    lines = [
        "# Components",
        "",
        "`architect add NAME` copies one, with all it needs, into a project; `architect new` makes a project of them.",
        "",
    ]
    for spec in specs:
        lines += [f"## [{spec.name}](components/{spec.name}.md)", "", f"{spec.summary} ({spec.group})", ""]
        lines += [f"* {line}" for line in spec.provides]
        facts = {
            "needs": ", ".join(spec.needs),
            "servers": ", ".join(spec.servers),
            "resolves": ", ".join(f"[{rule}](../rules/{rule}.md)" for rule in spec.resolves),
            "tested with": ", ".join(spec.tested),
        }
        lines += ["", *(f"{name.capitalize()}: {text}.  " for name, text in facts.items() if text), ""]
    lines += ["```{toctree}", ":hidden:", "", *(f"components/{spec.name}" for spec in specs), "```", ""]
    made = {"reference/components.md": "\n".join(lines)}
    for spec in specs:
        readme = (COMPONENTS / spec.name / "README.md").read_text(encoding="utf-8")
        linked = _SIBLING.sub(r"](\1.md\2)", readme)
        made[f"reference/components/{spec.name}.md"] = _COMMANDS.sub(rf"{_NOT_RUN}\n\g<0>", linked)
    return made
