"""A password or key of another service is written in the code or in a file beside it.

Everybody with the repository, an image or a backup of either can use it, and it cannot be changed without a release.

Known limits: an address needs a host outside of the machine, a key the format of a known provider, a setting a value that
looks random; what a comment calls good for development only is tentative, and so is what a script falls back to;
placeholders, examples and hosts of a compose file are left out. Keys that sign tokens are reported by `hardcoded-signing-secret`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.credentials_in_text import (
    WrittenCredential,
    credentials_in,
    credentials_in_python,
    is_remote,
)
from fastapi_architect.analyses.secrets import secret_uses
from fastapi_architect.analyses.served_modules import is_script
from fastapi_architect.analyses.source_text import lines_of
from fastapi_architect.appgraph.values import is_placeholder
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Location,
    Proof,
    Rule,
    Severity,
    argument,
    ir,
    lazy_pattern,
    steps,
)

rule = Rule(
    __name__,
    "A password or key of another service stands in the code",
    severity=Severity.CRITICAL,
    cwe=798,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
        "https://docs.pydantic.dev/latest/concepts/pydantic_settings/",
    ),
    requires=("sqlalchemy",),
)


#: Environment files for a developer's own machine: what stands there is often good for nothing else.
_OWN_MACHINE = lazy_pattern(
    r"^\.env.*\b(dev|devel|development|local|ci|demo|debug)\b|^(dev|local)\.env$", re.IGNORECASE
)


_FOR_DEVELOPMENT = lazy_pattern(
    r"\b(dev|local|development|demo|dummy|example)\b.*\b(only|secret|fallback|key)\b|(never|not) (for|in) prod|not a secret",
    re.IGNORECASE,
)
_COMMENT_LINES = 8


@rule.check(per=AppGraph)
def credential_in_a_file(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen = {_line(use.origin.location) for use in secret_uses(graph)}
    for found in (*credentials_in_python(graph), *_in_other_files(graph)):
        if _line(found.location) not in seen:
            seen.add(_line(found.location))
            own = _OWN_MACHINE.search(found.location.path.rpartition("/")[2]) or _is_said_to_be_harmless(
                graph, found.location
            )
            yield _finding(found.location, found.what, Confidence.TENTATIVE if own else Confidence.FIRM)
    for place, what in _in_settings(graph):
        if _line(place) not in seen:
            seen.add(_line(place))
            yield _finding(place, what, _confidence_of_setting(graph, place))


def _confidence_of_setting(graph: AppGraph, place: Location) -> Confidence:
    """What a script gives itself to run with is good for the machine of its user; the application never takes it."""
    module = graph.program.modules.get(place.path)
    in_script = module is not None and is_script(module, graph)
    return Confidence.TENTATIVE if in_script else Confidence.FIRM


def _is_said_to_be_harmless(graph: AppGraph, place: Location) -> bool:
    """The comment right above says that it is good for development only."""
    lines = lines_of(graph, place.path)
    said = []
    for line in reversed(lines[max(0, place.line - 1 - _COMMENT_LINES) : place.line - 1]):
        if not line.lstrip().startswith("#"):
            break
        said.append(line)
    return _FOR_DEVELOPMENT.search(" ".join(said)) is not None


def _line(place: Location) -> tuple[str, int]:
    return place.path, place.line


def _in_other_files(graph: AppGraph) -> Iterator[WrittenCredential]:
    """Environment files that are part of the repository, and `alembic.ini`; examples left out."""
    variables = {each.path: each for each in graph.deployment.env_files if not each.is_example}
    for path, text in graph.files.texts.items():
        environment = variables.get(path)
        if environment is None and not path.endswith("alembic.ini"):
            continue
        if "test" in path.rpartition("/")[2]:
            continue
        yield from credentials_in(text.encode(), path)
        for variable in environment.variables if environment is not None else ():
            if variable.is_secret and variable.looks_like == "random":
                yield WrittenCredential(f"the value of {variable.name}", variable.location)


def _in_settings(graph: AppGraph) -> Iterator[tuple[Location, str]]:
    for settings in graph.settings.classes:
        for setting in settings.settings:
            own = setting.field.owner is settings.cls and settings.cls.module.kind != "test"
            if own and setting.is_secret and setting.looks_like == "random" and not setting.refused_by:
                yield setting.location, f"the default of {settings.name}.{setting.name}"
    for variable in graph.settings.variables:
        module = graph.program.modules.get(variable.location.path)
        literal = variable.default.__class__ is ir.Constant  # a constant is reported where it stands
        random = variable.is_secret and variable.looks_like == "random" and literal
        if random and module is not None and module.kind != "test":
            yield variable.location, f"the fallback of {variable.name or variable.variable}"


@rule.check(per=OutboundRequest)
def basic_authentication_in_the_code(request: OutboundRequest, graph: AppGraph) -> Iterator[Finding]:
    given = argument(request.node, None, "auth")
    if given.__class__ is not ir.Sequence or len(given.elts) != 2 or request.scope.module.kind == "test":
        return
    user, password = (graph.program.constants.string(each, request.scope) for each in given.elts)
    if given.elts[1].__class__ is not ir.Constant or not password or is_placeholder(password):
        return
    address = graph.program.constants.string(request.url, request.scope) or ""
    host = address.partition("://")[2].partition("/")[0].partition(":")[0]
    if not address or is_remote(host):
        yield _finding(
            request.location,
            f"the password of {user or 'a user'} at {host or 'another service'}",
            Confidence.FIRM,
        )


def _field(what: str) -> str:
    """A name for the setting: that of what holds the credential, where it has one."""
    name = what.rsplit(maxsplit=1)[-1].rpartition(".")[2].lower()
    named = what.startswith(("the value of", "the default of", "the fallback of"))
    return name if named and name.isidentifier() else "credential"


def _finding(place: Location, what: str, confidence: Confidence) -> Finding:
    return rule.at(
        place,
        f"{what[0].upper()}{what[1:]} is written in `{place.path}` (not shown here).",
        "Replace the credential, and read the new one from the environment:\n"
        "```python\n"
        "class Settings(BaseSettings):\n"
        f"    {_field(what)}: SecretStr  # no default\n"
        "```",
        reasoning="Whoever has the repository, an image or a backup of either has the credential.",
        exploit=f"Read `{place.path}` and log in to the service with what stands there.",
        confidence=confidence,
        trace=steps((place, what)),
        context=Context(access=None, data="secret", writes=True),
        symbol=what,
    )


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    engine = create_engine("postgresql+psycopg://shop:Tz7-quarry-Lark41@db.bookshop.net/shop")  # finding: hardcoded-credential
    app = FastAPI()

    @app.get("/health")
    def health() -> str:
        with engine.connect() as connection:
            return str(connection.scalar(text("SELECT 1")))
"""

rule.good = """
    import os

    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    engine = create_engine(os.environ["DATABASE_URL"])
    app = FastAPI()

    @app.get("/health")
    def health() -> str:
        with engine.connect() as connection:
            return str(connection.scalar(text("SELECT 1")))
"""


@rule.exploit
def the_password_from_the_code_is_the_real_one(proof: Proof) -> None:
    """The application logs in to its database with the password that everybody with the repository can read."""
    import os

    os.environ["DATABASE_URL"] = "postgresql+psycopg://shop:set-by-the-deployment@db.bookshop.net/shop"
    assert proof.client.get("/health").text == '"1"'
    assert any("Tz7-quarry-Lark41" in engine.asked for engine in proof.engines)
