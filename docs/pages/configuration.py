"""`docs/reference/configuration.md`: every key of `[tool.fastapi-architect]`, from the structs that hold them."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Mapping

import msgspec

from fastapi_architect.libraries.taught import SINK_KINDS
from fastapi_architect.review import config
from fastapi_architect.review.config import Config, ProjectFacts, RecordSettings
from fastapi_architect.rules.catalog import all_rules

#: Fields that say where a configuration came from, and are no keys; tables of their own stand below.
_NOT_KEYS = frozenset({"file", "notes", "per_path", "project", "records"})
#: Tables below the first one, and what they are for.
_TABLES: dict[str, tuple[type[msgspec.Struct], str]] = {
    "project": (ProjectFacts, "What the code does not say by itself."),
    "records": (
        RecordSettings,
        "Where decision and prompt records are kept; `records = true` stands for `automatic = true`.",
    ),
}
#: What one writes, for each key. A key without an example, or an example without a key, stops the generator.
_WRITTEN = {
    "select": '["security", "query-inside-loop"]',
    "ignore": '["security-headers-absent", { path = "legacy/**", rules = ["code_quality"], reason = "replaced in May" }]',
    "exclude": '["generated/**"]',
    "gate": '"critical"',
    "baseline": '"known.json"',
    "test_command": '"make test"',
    "project.authentication": '["app.auth.current_user"]',
    "project.permissions": '["app.auth.require_role"]',
    "project.sanitizers": '[{ name = "app.text.clean_html", kinds = ["html"] }]',
    "project.sources": '["app.inbox.read_message"]',
    "project.sinks": '[{ name = "app.reports.run_sql", kinds = ["sql"] }]',
    "project.public_routes": '[{ route = "GET /health", reason = "the load balancer asks" }]',
    "project.exposure": '"internal"',
    "project.data_classes": '{ "User.birthday" = "personal" }',
    "project.gateway": '{ rate-limit = ["/api/**"], https = true }',
    "project.self_registration_counts_as_none": "true",
    "records.automatic": "true",
    "records.decisions": '"docs/adr"',
    "records.prompts": '"docs/prompts"',
}


def pages() -> dict[str, str]:
    """Path below `docs/` to text.

    Raises:
        ValueError: a key of the code has no example above, or the other way round.
        ConfigError: an example is not what the code accepts.
    """
    top = _attributes(Config, _NOT_KEYS)
    tables = {name: _attributes(struct, frozenset()) for name, (struct, _) in _TABLES.items()}
    keys = {*top, *(f"{name}.{key}" for name, table in tables.items() for key in table)}
    if keys != set(_WRITTEN):
        raise ValueError(f"docs/pages/configuration.py: {sorted(keys ^ set(_WRITTEN))}")
    example = _example(top, tables)
    written = tomllib.loads(example)["tool"][config.TABLE]
    config.parse(written, [rule.info for rule in all_rules().values()])
    lines = [
        "# Configuration",
        "",
        "In `pyproject.toml`, or in a file of its own that holds the keys at its top, given by `--config`. The nearest",
        "`pyproject.toml` upwards that has the table counts, up to the folder that holds `.git`. Dashes and underscores are the same.",
        "A key, rule, route, function or kind that does not exist is an error (exit code 2) that names the nearest one there is, so that",
        "a typing mistake never silences anything.",
        "",
        "```toml",
        example.rstrip(),
        "```",
        "",
        f"## `[tool.{config.TABLE}]`",
        "",
        *_table(Config, top),
        "",
        "An entry of `ignore` is a name, or a table with `path` and, where given, `rules` (all of them otherwise) and a `reason`.",
        "",
        f'## `[tool.{config.TABLE}.per-path."PATTERN"]`',
        "",
        "Settings for the files that a pattern matches: `select`, `ignore` and `gate`. The last pattern that matches and says",
        "something wins.",
        "",
    ]
    for name, (struct, purpose) in _TABLES.items():
        lines += [f"## `[tool.{config.TABLE}.{name}]`", "", purpose, "", *_table(struct, tables[name]), ""]
    lines += [
        "## Values",
        "",
        "| where | values |",
        "|---|---|",
        f"| `gate` | {_ticked(config.GATES)} |",
        "| `select`, `ignore` | names of rules, topics and categories (`architect rules` lists them), `all` |",
        f"| `project.sanitizers`, `kinds` | {_ticked(sorted(config.KINDS))} |",
        f"| `project.sinks`, `kinds` | {_ticked(sorted(SINK_KINDS))} |",
        "| `project.exposure` | `public`, `internal` |",
        f"| `project.data_classes` | {_ticked(config.DATA_CLASSES)} |",
        f"| `project.gateway` | protections: {_ticked(config.PROTECTIONS)}; patterns of request paths, or `true` for all |",
        "",
    ]
    return {"reference/configuration.md": "\n".join(lines)}


def _example(top: Iterable[str], tables: Mapping[str, Iterable[str]]) -> str:
    lines = [f"[tool.{config.TABLE}]", *(f"{key} = {_WRITTEN[key]}" for key in top)]
    lines += ["", f'[tool.{config.TABLE}.per-path."scripts/**"]', 'gate = "critical"']
    for name, keys in tables.items():
        lines += [
            "",
            f"[tool.{config.TABLE}.{name}]",
            *(f"{key} = {_WRITTEN[f'{name}.{key}']}" for key in keys),
        ]
    return "\n".join([*lines, ""])


def _attributes(struct: type[msgspec.Struct], left_out: frozenset[str]) -> dict[str, str]:
    """Field to the sentence in the struct's docstring."""
    text = inspect.getdoc(struct) or ""
    listed = text.partition("Attributes:\n")[2]
    found = {
        name: " ".join(said.split())
        for name, said in re.findall(r"^    (\w+): (.*(?:\n     .*)*)", listed, re.MULTILINE)
    }
    missing = set(struct.__struct_fields__) - set(found) - left_out
    if missing:
        raise ValueError(f"{struct.__name__} does not describe {sorted(missing)}")
    return {name: found[name] for name in struct.__struct_fields__ if name not in left_out}


def _table(struct: type[msgspec.Struct], attributes: dict[str, str]) -> list[str]:
    defaults = msgspec.structs.asdict(struct())
    lines = ["| key | default | what it says |", "|---|---|---|"]
    for name, said in attributes.items():
        lines.append(f"| `{name}` | {_default(defaults[name])} | {said} |")
    return lines


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) and value else "none"


def _ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
