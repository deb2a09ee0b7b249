"""Settings in the file that people copy to `.env`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi_architect.builder.catalog import ComponentSpec, Setting
from fastapi_architect.source.lazy_pattern import lazy_pattern

FILE = ".env.example"
_VARIABLE = lazy_pattern(r"^\s*(?:#\s*)?(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=", re.MULTILINE)
_GENERATE = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


def with_settings(text: str, specs: Iterable[ComponentSpec]) -> str:
    """Return the file with the settings of these components that it does not name yet, below a line for each component.

    What a service needs stands as a line; what has a default stands as a comment.
    """
    known = set(_VARIABLE.findall(text))
    blocks = []
    for spec in specs:
        missing = [setting for setting in spec.settings if setting.variable not in known]
        if missing:
            known |= {setting.variable for setting in missing}
            blocks.append("\n".join([f"# {spec.title}", *(_lines(setting) for setting in missing)]) + "\n")
    if not blocks:
        return text
    head = text if not text or text.endswith("\n") else f"{text}\n"
    return head + ("\n" if head else "") + "\n".join(blocks)


def _lines(setting: Setting) -> str:
    mark = "" if setting.required else "# "
    generated = f" Generate it: {_GENERATE}" if setting.secret else ""
    return f"# {setting.help}{generated}\n{mark}{setting.variable}={setting.example}"
