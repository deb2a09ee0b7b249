"""A secret has a default that everybody can guess, and the application starts with it.

`changeme` is there to be changed, but nothing fails when nobody does. A setting without a default, or a validator that
refuses the placeholder, makes the first start fail instead of every later one be insecure.

Known limits: credentials of databases, brokers and mail servers are tentative: such a default often serves local work
only. So are keys that are only sent to somebody else, who refuses a placeholder, such as one that stands beside the
address of a service (`mqtt_host`, `mqtt_password`). Keys that stand in every browser (PostHog, Sentry) are no secrets.
Defaults of keys that sign something are reported by `hardcoded-signing-secret`. A setting that no code reads opens
nothing and is left out; where the settings are dumped as a whole it is tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.secrets import (
    is_compared,
    is_compared_in,
    is_read,
    is_read_as_a_whole,
    is_refused,
    secret_uses,
)
from fastapi_architect.appgraph.settings import EnvironmentVariable, Setting, SettingsClass
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Location,
    Proof,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    steps,
)

rule = Rule(
    __name__,
    "A secret has a default that everybody can guess",
    severity=Severity.IMPORTANT,
    cwe=1188,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://docs.pydantic.dev/latest/concepts/pydantic_settings/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
    ),
    requires=("pydantic-settings",),
)

#: Credentials of services that a development machine runs itself, with just these passwords.
_LOCAL_SERVICE = lazy_pattern(
    r"postgres|database|(?:^|_)db(?:_|$)|mysql|maria|mongo|redis|rabbit|amqp|broker|mqtt|kafka|(?:^|_)nats(?:_|$)|minio|(?:^|_)s3(?:_|$)|mail|smtp|elastic|neo4j|clickhouse|test",
    re.IGNORECASE,
)
#: Keys that stand in every browser: of analytics, of reports of errors, and what is called public.
_PUBLISHED = lazy_pattern(
    r"posthog|sentry|(?:^|_)dsn(?:_|$)|mixpanel|amplitude|rudderstack|bugsnag|public_?key|publishable|site_?key",
    re.IGNORECASE,
)
#: What a settings class has beside the password of a service that it connects to.
_ADDRESS_PARTS = frozenset(
    {"host", "hostname", "server", "url", "uri", "endpoint", "address", "dsn", "port", "vhost", "database"}
)
_LAST_WORD = lazy_pattern(r"(password|passwd|pass|pwd|secret|token|api_?key|key)$", re.IGNORECASE)
#: Settings of the application as a whole, whose `host` and `port` are its own.
_OF_THE_APPLICATION = lazy_pattern(
    r"(?:app|application|global|base|server|core|main|api|service)?_?(?:settings|config|configuration)",
    re.IGNORECASE,
)
#: Secrets that the application checks or signs with itself.
_OWN = lazy_pattern(
    r"secret_?key|jwt|sign|session|cookie|csrf|salt|pepper|encrypt|fernet|superuser|admin|internal|master|partner",
    re.IGNORECASE,
)


@rule.check(per=AppGraph)
def default_that_is_known(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    uses = secret_uses(graph)
    signing = {
        use.origin.location.path + f":{use.origin.location.line}" for use in uses if len(use.origin.value) > 1
    }
    empty = {
        (u.origin.location.path, u.origin.location.line): u.purpose
        for u in uses
        if not u.origin.value and u.decides_access
    }
    for settings in graph.settings.classes:
        for setting in settings.settings:
            if (
                setting.field.owner is not settings.cls
                or settings.cls.module.kind == "test"
                or str(setting.location) in signing
            ):
                continue
            purpose = empty.get((setting.location.path, setting.location.line), "")
            if (
                _PUBLISHED.search(setting.name)
                or not _is_weak(setting, purpose)
                or setting.refused_by
                or is_refused(graph, setting.name)
            ):
                continue
            if purpose or is_read(graph, setting.name) or is_read_as_a_whole(graph, settings.cls):
                yield _of_setting(graph, settings, setting, purpose)
    for variable in graph.settings.variables:
        if variable.in_script:
            continue  # a developer's try-out: the application never runs it
        if _PUBLISHED.search(variable.name or ""):
            continue
        if variable.name and variable.is_secret and variable.looks_like == "placeholder":
            module = graph.program.modules.get(variable.location.path)
            if module is not None and module.kind != "test" and str(variable.location) not in signing:
                yield _of_variable(graph, variable)


def _is_weak(setting: Setting, purpose: str) -> bool:
    if not setting.is_secret or not isinstance(setting.value, str):
        return False
    return setting.looks_like == "placeholder" or (setting.value == "" and purpose != "")


def _of_setting(graph: AppGraph, settings: SettingsClass, setting: Setting, purpose: str) -> Finding:
    name, owner = setting.name, settings.name
    kind = "is empty by default" if setting.value == "" else "has a placeholder as its default"
    uses = f" and {purpose}" if purpose else ""
    return rule.at(
        setting,
        f"`{owner}.{name}` {kind}{uses}, and the application starts with it.",
        "Drop the default, so that the application does not start without a real value:\n"
        f"```python\nclass {owner}(BaseSettings):\n    {name}: SecretStr\n```",
        reasoning=f"No validator of {owner} and no check at start refuses the default.",
        exploit=f"Try the values that everybody tries: `{name}` is one of them wherever nobody set it.",
        confidence=_confidence_of_setting(graph, settings, name, purpose),
        trace=steps((setting, f"{name} has a default that is no secret")),
        fix=_fix(setting),
        context=Context(access="none", data="secret", writes=True),
        symbol=setting.field.owner.full_name,
    )


def _confidence_of_setting(graph: AppGraph, settings: SettingsClass, name: str, purpose: str) -> Confidence:
    if purpose:
        return Confidence.FIRM
    if _is_sent(settings, name) or _LOCAL_SERVICE.search(settings.name):
        return Confidence.TENTATIVE
    return _confidence(graph, name) if is_read(graph, name) else Confidence.TENTATIVE


def _is_sent(settings: SettingsClass, name: str) -> bool:
    """It stands beside the address of a service: `mqtt_host`, `mqtt_password`; `host`, `password` of `BrokerSettings`."""
    before = _LAST_WORD.sub("", name)
    if not before and _OF_THE_APPLICATION.fullmatch(settings.name):
        return False
    return before != name and any(f"{before}{part}" in settings.by_name for part in _ADDRESS_PARTS)


def _confidence_of_variable(graph: AppGraph, variable: EnvironmentVariable) -> Confidence:
    name, held_in = variable.name or variable.variable, variable.variable
    if variable.function is None:
        return _confidence(graph, name, held_in)
    # The local name of a function, such as `key`, is that of many others elsewhere.
    return _confidence(graph, name, compared=is_compared_in(variable.function, held_in))


def _confidence(graph: AppGraph, name: str, held_in: str = "", *, compared: bool = False) -> Confidence:
    """Firm for what the application checks itself; a placeholder that is sent to somebody else is refused there."""
    if _LOCAL_SERVICE.search(name):
        return Confidence.TENTATIVE
    own = (
        _OWN.search(name) is not None
        or compared
        or is_compared(graph, name)
        or (held_in != "" and is_compared(graph, held_in))
    )
    return Confidence.FIRM if own else Confidence.TENTATIVE


def _fix(setting: Setting) -> Fix | None:
    """Take ` = "..."` away; only where it is a plain annotated field."""
    field = setting.field
    if field.annotation is None or field.default.__class__ is not ir.Constant:
        return None
    bindings = field.owner.facts.bindings.get(field.name, ())
    if len(bindings) != 1 or bindings[0].value is not field.default:
        return None
    begin, end = field.owner.location(field.annotation), field.owner.location(field.default)
    if begin.end_line != end.line:
        return None
    gap = Location(begin.path, begin.end_line, begin.end_column, end.end_line, end.end_column)
    return Fix(f"Require {setting.name}", (Edit(gap, ""),))


def _of_variable(graph: AppGraph, variable: EnvironmentVariable) -> Finding:
    name = variable.name or variable.variable
    target = variable.variable or name.lower()
    return rule.at(
        variable,
        f"`{name}` falls back to a placeholder when the environment does not set it, and the application starts with it.",
        f'Read it without a fallback:\n```python\n{target} = os.environ["{name}"]\n```',
        reasoning="Nothing fails when the variable is missing, so the placeholder is what is used.",
        exploit=f"Try the values that everybody tries: `{name}` is one of them wherever nobody set it.",
        confidence=_confidence_of_variable(graph, variable),
        trace=steps((variable, f"{name} has a fallback that is no secret")),
        context=Context(access="none", data="secret", writes=True),
        symbol=name,
    )


rule.bad = """
    import secrets
    from typing import Annotated

    from fastapi import FastAPI, Header, HTTPException
    from pydantic_settings import BaseSettings

    class Settings(BaseSettings):
        admin_api_key: str = "changeme"  # finding: placeholder-or-weak-secret-default

    settings = Settings()
    app = FastAPI()

    @app.delete("/users/{name}")
    def delete_user(name: str, x_api_key: Annotated[str, Header()]) -> str:
        if not secrets.compare_digest(x_api_key.encode(), settings.admin_api_key.encode()):
            raise HTTPException(401)
        return f"deleted {name}"
"""

rule.good = """
    import secrets
    from typing import Annotated

    from fastapi import FastAPI, Header, HTTPException
    from pydantic_settings import BaseSettings

    class Settings(BaseSettings):
        admin_api_key: str

    settings = Settings()
    app = FastAPI()

    @app.delete("/users/{name}")
    def delete_user(name: str, x_api_key: Annotated[str, Header()]) -> str:
        if not secrets.compare_digest(x_api_key.encode(), settings.admin_api_key.encode()):
            raise HTTPException(401)
        return f"deleted {name}"
"""


@rule.exploit
def the_placeholder_is_the_key(proof: Proof) -> None:
    """On a deployment that sets no key, `changeme` deletes users; one that must have a key does not start without it."""
    import pydantic

    try:
        app = proof.app
    except pydantic.ValidationError:
        app = None
    assert app is not None, "the application started without a key"
    answer = proof.client.delete("/users/alice", headers={"X-Api-Key": "changeme"})
    assert answer.json() == "deleted alice"
