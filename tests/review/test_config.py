"""A configuration says what it means, or is refused with the file, the key and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.findings.samples import a_rule

from fastapi_architect.findings.severity import Category, Severity
from fastapi_architect.review.config import (
    Config,
    ConfigError,
    Ignore,
    NamedKinds,
    PathSettings,
    ProjectFacts,
    PublicRoute,
    RecordSettings,
    load,
    parse,
    unknown_name,
)

RULES = (
    a_rule("sql-injection-raw-statement", topic="injection"),
    a_rule("api-docs-exposed", topic="exposure", severity=Severity.MINOR),
    a_rule("query-inside-loop", Category.DATABASE, topic="orm"),
)

WHOLE = """
[tool.fastapi-architect]
select = ["security", "query-inside-loop"]
ignore = [
    "api-docs-exposed",
    { path = "legacy/**", rules = ["injection", "async-patterns"] },
    { path = "scripts" },
]
exclude = ["generated/**"]
gate = "critical"
baseline = "architect-baseline.json"

[tool.fastapi-architect.per-path."legacy/**"]
gate = "none"
ignore = ["code_quality"]

[tool.fastapi-architect.project]
authentication = ["app.auth.current_user"]
permissions = ["app.auth.require"]
sanitizers = [{ name = "app.clean.html", kinds = ["html", "template"] }]
sources = ["app.queue.receive"]
sinks = [{ name = "app.shell.run", kind = "command" }]
public-routes = [{ route = "GET /health", reason = "the load balancer asks" }]
exposure = "internal"
self_registration_counts_as_none = true

[tool.fastapi-architect.project.data_classes]
"User.email" = "personal"
Card.number = "secret"

[tool.fastapi-architect.project.gateway]
rate-limit = ["/api/**"]
https = true
waf = false
"""


def written(folder, text, name="pyproject.toml"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_every_key_is_read(tmp_path):
    file = written(tmp_path, WHOLE)
    assert load(tmp_path, RULES) == Config(
        file=file,
        select=("security", "query-inside-loop"),
        ignore=(
            Ignore("api-docs-exposed"),
            Ignore("injection", "legacy/**"),
            Ignore("async_patterns", "legacy/**"),
            Ignore("all", "scripts"),
        ),
        exclude=("generated/**",),
        gate="critical",
        baseline=tmp_path / "architect-baseline.json",
        per_path=(PathSettings("legacy/**", ignore=("code_quality",), gate="none"),),
        project=ProjectFacts(
            authentication=("app.auth.current_user",),
            permissions=("app.auth.require",),
            sanitizers=(NamedKinds("app.clean.html", ("html", "template")),),
            sources=("app.queue.receive",),
            sinks=(NamedKinds("app.shell.run", ("command",)),),
            public_routes=(PublicRoute("GET", "/health", "the load balancer asks"),),
            exposure="internal",
            data_classes={"User.email": "personal", "Card.number": "secret"},
            gateway={"rate-limit": ("/api/**",), "https": ("/**",), "waf": ()},
            self_registration_counts_as_none=True,
        ),
    )


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("records = true", RecordSettings(automatic=True)),
        ("records = false", RecordSettings()),
        ('records = { decisions = "docs/adr" }', RecordSettings(decisions="docs/adr")),
        (
            'records = { automatic = true, prompts = "./history" }',
            RecordSettings(automatic=True, prompts="history"),
        ),
    ],
)
def test_records_are_a_switch_or_a_table(tmp_path, said, settings):
    (tmp_path / "pyproject.toml").write_text(f"[tool.fastapi-architect]\n{said}\n")
    assert load(tmp_path, RULES).records == settings


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ('records = "yes"', "records: has to be true, false or a table"),
        ('records = { automatic = "yes" }', "records.automatic: has to be true or false"),
        ('records = { decision = "docs" }', "did you mean 'decisions'?"),
        ('records = { decisions = "../docs" }', "inside of the project"),
        ('records = { prompts = "/tmp" }', "inside of the project"),
        ('records = { prompts = "C:/x" }', "inside of the project"),
        ('records = { prompts = "." }', "inside of the project"),
        ('records = { prompts = "" }', "a text in quotes"),
    ],
)
def test_records_that_mean_nothing_are_refused(tmp_path, said, named):
    (tmp_path / "pyproject.toml").write_text(f"[tool.fastapi-architect]\n{said}\n")
    with pytest.raises(ConfigError, match=named.replace("?", "[?]")):
        load(tmp_path, RULES)


def test_without_a_configuration_the_defaults_count(tmp_path):
    (tmp_path / ".git").mkdir()
    assert load(tmp_path, RULES) == Config()
    assert (Config().gate, Config().project.exposure) == ("important", "public")


def test_the_nearest_table_upwards_counts_and_a_file_without_it_is_passed_by(tmp_path):
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "backend" / "app"
    inner.mkdir(parents=True)
    written(tmp_path, "[tool.fastapi-architect]\ngate = 'minor'\n")
    written(tmp_path / "backend", "[project]\nname = 'x'\n")
    module = written(inner, "", "main.py")
    assert load(inner, RULES).gate == "minor"
    assert load(module, RULES).gate == "minor"
    written(inner, "[tool.fastapi-architect]\ngate = 'info'\n")
    assert load(inner, RULES).gate == "info"


def test_nothing_above_the_repository_counts(tmp_path):
    inner = tmp_path / "repository"
    (inner / ".git").mkdir(parents=True)
    written(tmp_path, "[tool.fastapi-architect]\ngate = 'minor'\n")
    assert load(inner, RULES).gate == "important"


def test_a_named_file_holds_the_table_or_the_keys_themselves(tmp_path):
    assert load(tmp_path, RULES, file=written(tmp_path, "gate = 'minor'\n", "a.toml")).gate == "minor"
    text = "[tool.fastapi-architect]\ngate = 'info'\n"
    assert load(tmp_path, RULES, file=written(tmp_path, text, "b.toml")).gate == "info"


def test_a_named_pyproject_without_the_table_is_an_error(tmp_path):
    file = written(tmp_path, "[project]\nname = 'x'\n")
    with pytest.raises(ConfigError, match=r"there is no \[tool\.fastapi-architect\] table"):
        load(tmp_path, RULES, file=file)


def test_a_missing_named_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no such file; check the path given to --config"):
        load(tmp_path, RULES, file=tmp_path / "nowhere.toml")


def test_a_broken_pyproject_of_others_is_a_note_and_a_broken_own_one_an_error(tmp_path):
    (tmp_path / ".git").mkdir()
    written(tmp_path, "[project\n")
    [note] = load(tmp_path, RULES).notes
    assert "is not valid TOML" in note
    written(tmp_path, "[tool.fastapi-architect]\ngate = \n")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(tmp_path, RULES)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"selct": []}, "there is no key 'selct'; did you mean 'select'?"),
        ({"per-pth": {}}, "there is no key 'per-pth'; did you mean 'per-path'?"),
        ({"per-path": {}, "per_path": {}}, "'per_path' is given twice, with a dash and with an underscore"),
        ({"select": "security"}, "select: has to be a list in brackets, not a text"),
        ({"select": [3]}, "select[0]: has to be a text in quotes, not a number"),
        (
            {"select": ["orm", "query-in-loop"]},
            "[1]: there is no rule, category or topic 'query-in-loop'; did you mean 'query-inside-loop'?",
        ),
        (
            {"ignore": [True]},
            "ignore[0]: has to be a name or { path = ..., rules = [...] }, not true or false",
        ),
        ({"ignore": [{"rules": ["orm"]}]}, 'ignore[0]: lacks `path`, such as path = "legacy/**"'),
        (
            {"ignore": [{"path": "x", "rule": ["orm"]}]},
            "ignore[0]: there is no key 'rule'; did you mean 'rules'?",
        ),
        ({"gate": "high"}, "gate: 'high' is not one of critical, important, minor, info, none"),
        ({"exclude": [""]}, "exclude[0]: has to be a text in quotes, not an empty text"),
        ({"baseline": []}, "baseline: has to be a text in quotes, not a list"),
        ({"per-path": []}, "per-path: has to be a table of patterns, not a list"),
        (
            {"per-path": {"a/**": {"gates": "none"}}},
            "per-path.\"a/**\": there is no key 'gates'; did you mean 'gate'?",
        ),
        (
            {"project": {"authentification": []}},
            "project: there is no key 'authentification'; did you mean 'authentication'?",
        ),
        (
            {"project": {"authentication": ["current_user"]}},
            "authentication[0]: 'current_user' has to be a full dotted name, such as 'app.auth.current_user'",
        ),
        (
            {"project": {"sanitizers": ["app.clean"]}},
            "project.sanitizers[0]: has to be a table, not a text",
        ),
        (
            {"project": {"sanitizers": [{"name": "app.clean"}]}},
            'project.sanitizers[0]: has to be { name = "app.clean.html", kinds = ["html"] }',
        ),
        (
            {"project": {"sinks": [{"name": "app.run", "kind": "comand"}]}},
            "project.sinks[0].kinds: there is no kind 'comand'; did you mean 'command'?",
        ),
        (
            {"project": {"public_routes": [{"route": "GET /health"}]}},
            'public_routes[0]: lacks `reason`; write { route = "GET /health", reason = "why it is public" }',
        ),
        (
            {"project": {"public_routes": [{"route": "/health", "reason": "x"}]}},
            "project.public_routes[0].route: '/health' has to be a method and a path, 'GET /health'",
        ),
        ({"project": {"exposure": "secret"}}, "project.exposure: 'secret' is not one of public, internal"),
        (
            {"project": {"data_classes": {"User": {"email": "private"}}}},
            "project.data_classes.User.email: 'private' is not one of secret, personal, internal, public",
        ),
        (
            {"project": {"data_classes": {"email": "personal"}}},
            "project.data_classes: 'email' has to be a model and a field, such as 'User.email'",
        ),
        (
            {"project": {"gateway": {"rate-limits": True}}},
            "project.gateway: there is no protection 'rate-limits'; did you mean 'rate-limit'?",
        ),
        (
            {"project": {"gateway": {"waf": ["api/**"]}}},
            "project.gateway.waf: 'api/**' has to start with '/', such as '/api/**'",
        ),
        ({"project": {"self_registration_counts_as_none": 1}}, "has to be true or false"),
        ([], "[tool.fastapi-architect]: has to be a table, not a list"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_place_and_the_next_step(table, message):
    with pytest.raises(ConfigError) as raised:
        parse(table, RULES, file=Path("pyproject.toml"))
    text = str(raised.value)
    assert text.startswith("pyproject.toml: ")
    assert text.endswith(message)
    assert "\n" not in text


def test_a_dotted_name_that_the_program_lacks_is_refused_with_the_nearest():
    config = Config(
        file=Path("pyproject.toml"), project=ProjectFacts(authentication=("app.deps.current_user",))
    )
    assert config.project.names() == (("authentication", "app.deps.current_user"),)
    error = unknown_name(
        config, "authentication", "app.deps.current_user", ["app.auth.current_user", "app.main"]
    )
    assert str(error) == (
        "pyproject.toml: project.authentication: nothing in the program is called 'app.deps.current_user'; "
        "did you mean 'app.auth.current_user'?"
    )
