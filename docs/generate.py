"""Write what comes from code: `docs/rules/`, `docs/reference/`, `agents/`, `plugin/`; `--check` fails on drift."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from docs.pages import agent_server, command_line, components, configuration, libraries, report, rules
from fastapi_architect.persona.clients.plugin import committed_files

ROOT = Path(__file__).parent
#: Folders that hold nothing but generated pages, so that a page nobody writes any more is found.
GENERATED = ("rules", "rules/groups", "reference", "reference/components")
WRITTEN_BY_HAND = frozenset({ROOT / "reference" / "index.md", ROOT / "reference" / "exit-codes.md"})


def pages() -> dict[Path, str]:
    """Path to text of every generated page, agent definition and file of the plugin."""
    made = {
        ROOT / name: text
        for each in (agent_server, command_line, components, configuration, libraries, report, rules)
        for name, text in each.pages().items()
    }
    return made | {ROOT.parent / name: text for name, text in committed_files().items()}


def main() -> int:
    """Write or check."""
    os.environ["COLUMNS"] = "100"  # argparse wraps by the terminal's width
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a page differs")
    given = parser.parse_args()
    made = pages()
    present = {path for folder in GENERATED for path in ROOT.glob(f"{folder}/*.md")} - WRITTEN_BY_HAND
    present |= {
        path for name in ("agents", "plugin") for path in (ROOT.parent / name).rglob("*") if path.is_file()
    }
    stale = sorted(present - set(made))
    differing = [
        path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if given.check:
        for path in (*stale, *differing):
            print(f"{path.relative_to(ROOT.parent)} differs from the code; run `make docs`", file=sys.stderr)
        return 1 if stale or differing else 0
    for path in stale:
        path.unlink()
    for path in differing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    print(f"{len(made)} files, {len(differing)} written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
