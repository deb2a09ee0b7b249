"""A package that checks tokens, passwords or requests is installed in a version with a known hole, or is given up.

What stands between a stranger and the application is only as good as the package that does it. The lock file, or an exact
pin, says which version runs; a lower bound says nothing and is left out.

Known limits: only packages of authentication and of the request path; an audit of all packages is the work of
`pip-audit`. The table is part of this version of the tool. A hole that needs a published key is minor and tentative where
every token is read with a shared secret (HS256) only. A hole in one feature (forms, served files, verified tokens) is left
out where the application does not use it, and the next hole of the package is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace
from packaging.version import Version

from fastapi_architect.analyses.package_features import FeatureUse, use_of
from fastapi_architect.appgraph.requirements import EffectiveVersion
from fastapi_architect.appgraph.version_specifiers import allows
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.rules.kit import AppGraph, Confidence, Context, Files, Finding, Rule, Severity, steps

rule = Rule(
    __name__,
    "A package that guards requests has a known hole or is given up",
    severity=Severity.IMPORTANT,
    cwe=1104,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://pypi.org/project/pip-audit/",
        "https://nvd.nist.gov/vuln/detail/CVE-2022-29217",
        "https://nvd.nist.gov/vuln/detail/CVE-2024-33663",
        "https://github.com/encode/starlette/security/advisories/GHSA-7f5h-v6xp-fcq8",
    ),
    no_proof="the flaw is in a package's version, not in what an example does: see the decision page",
)


class _Flaw(msgspec.Struct, frozen=True):
    """A range of versions and what is wrong with it; `feature` is what the hole is in, as `use_of` knows it."""

    package: str
    versions: str
    fixed: str
    advisory: str
    effect: str
    minor: bool = False
    public_keys: bool = False
    feature: str = ""


#: The first that fits a package, and whose feature is used, is reported.
_FLAWS = (
    _Flaw(
        "pyjwt",
        "<2.4.0",
        "2.4.0",
        "CVE-2022-29217",
        "takes a published OpenSSH key for a shared secret: tokens can be forged",
        public_keys=True,
        feature="tokens",
    ),
    _Flaw(
        "python-jose",
        "<3.4.0",
        "3.4.0",
        "CVE-2024-33663",
        "takes some published keys for shared secrets: tokens can be forged",
        public_keys=True,
        feature="tokens",
    ),
    _Flaw(
        "python-jose",
        ">=3.4.0",
        "",
        "",
        "is hardly maintained; FastAPI's own documentation has moved to PyJWT",
        minor=True,
    ),
    _Flaw(
        "authlib",
        "<1.3.1",
        "1.3.1",
        "CVE-2024-37568",
        "takes a published key for a shared secret: tokens can be forged",
        public_keys=True,
    ),
    _Flaw(
        "authlib", "<1.6.4", "1.6.4", "CVE-2025-59420", "ignores critical headers that it does not understand"
    ),
    _Flaw("fastapi-jwt-auth", "", "", "", "is given up since 2020 and does not work with Pydantic 2"),
    _Flaw(
        "python-multipart",
        "<0.0.7",
        "0.0.7",
        "CVE-2024-24762",
        "hangs on a crafted Content-Type header",
        feature="forms",
    ),
    _Flaw(
        "python-multipart",
        "<0.0.18",
        "0.0.18",
        "CVE-2024-53981",
        "stalls the event loop on a crafted form",
        feature="forms",
    ),
    _Flaw(
        "starlette",
        "<0.27.0",
        "0.27.0",
        "CVE-2023-29159",
        "serves files beside the folder of StaticFiles",
        feature="static",
    ),
    _Flaw(
        "starlette",
        "<0.40.0",
        "0.40.0",
        "CVE-2024-47874",
        "reads form fields of any size into memory",
        feature="forms",
    ),
    _Flaw(
        "starlette",
        ">=0.39.0,<0.49.1",
        "0.49.1",
        "CVE-2025-62727",
        "needs quadratic time for a crafted Range header",
        feature="files",
    ),
)


@rule.check(per=AppGraph)
def package_with_a_known_hole(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    reported: set[str] = set()
    for flaw in _FLAWS:
        found = graph.deployment.version_of(flaw.package) if flaw.package not in reported else None
        if found is None:
            continue
        if found.requirement.group or not _is_used(graph, flaw.package):
            continue
        if flaw.versions and not (found.is_exact and allows(flaw.versions, found.version)):
            continue
        use = use_of(graph, flaw.feature) if flaw.feature else None
        if flaw.feature and use is None:
            continue
        reported.add(flaw.package)
        finding = _finding(flaw, found, use)
        if flaw.public_keys and _only_shared_secrets(graph):
            finding = replace(finding, severity=Severity.MINOR, confidence=Confidence.TENTATIVE)
        yield finding
    yield from _passlib(graph)


def _only_shared_secrets(graph: AppGraph) -> bool:
    """Tokens are read somewhere, and everywhere with algorithms of shared secrets that stand in the code."""
    decodes = [d for d in graph.facts(TokenDecode) if d.verified and d.scope.module.kind == "source"]
    return bool(decodes) and all(_is_shared(decode, graph) for decode in decodes)


def _is_shared(decode: TokenDecode, graph: AppGraph) -> bool:
    if decode.library == "itsdangerous":
        return True
    if decode.algorithms is None:
        return False
    names = graph.program.constants.value(decode.algorithms, decode.scope)
    listed = [names] if isinstance(names, str) else names
    return (
        isinstance(listed, list | tuple | set | frozenset)
        and bool(listed)
        and all(isinstance(name, str) and name.startswith("HS") for name in listed)
    )


_MODULES = {
    "pyjwt": "jwt", "python-jose": "jose", "authlib": "authlib", "fastapi-jwt-auth": "fastapi_jwt_auth",
}  # fmt: skip


def _is_used(graph: AppGraph, package: str) -> bool:
    """Imported somewhere; the packages of the request path are used by FastAPI itself."""
    module = _MODULES.get(package)
    return module is None or bool(graph.program.mentioning(module)) or _imports(graph, module)


def _imports(graph: AppGraph, name: str) -> bool:
    return any(
        binding.target.partition(".")[0] == name
        for module in graph.program.modules.values()
        if module.kind == "source"
        for bindings in module.facts.bindings.values()
        for binding in bindings
        if binding.kind in ("import", "from")
    )


def _passlib(graph: AppGraph) -> Iterator[Finding]:
    """passlib 1.7.4 asks bcrypt for a name that 4.1 has taken away; with bcrypt 5 hashing fails."""
    passlib, bcrypt = graph.deployment.version_of("passlib"), graph.deployment.version_of("bcrypt")
    if passlib is None or passlib.requirement.group or bcrypt is None or bcrypt.version < Version("4.1"):
        return
    if not bcrypt.is_exact:
        return
    effect = (
        f"is given up since 2020 and does not fit bcrypt {bcrypt.version}: it logs an error, or fails to hash"
    )
    yield _finding(_Flaw("passlib", "", "", "", effect, minor=True), passlib)


def _finding(flaw: _Flaw, found: EffectiveVersion, use: FeatureUse | None = None) -> Finding:
    requirement = found.requirement
    reached = f": {use.what} ({use.location})" if use is not None else ""
    known = f" ({flaw.advisory})" if flaw.advisory else ""
    version = f" {found.version}" if found.is_exact else ""
    if flaw.fixed:
        todo = f"Ask for `{flaw.package}>={flaw.fixed}` and lock again."
    elif flaw.package == "passlib":
        todo = "Hash with `pwdlib[argon2]` or `argon2-cffi`, and keep passlib's hashes readable until they are replaced."
    else:
        todo = "Replace it by `pyjwt[crypto]`, and name the algorithms of every `jwt.decode`."
    finding = rule.at(
        requirement.location,
        f"`{flaw.package}{version}` {flaw.effect}{known}{reached}.",
        todo,
        reasoning=f"{requirement.location.path} {'locks' if found.basis == 'lock' else 'asks for'} this version.",
        exploit=f"{flaw.advisory}: the package {flaw.effect}."
        if flaw.advisory
        else f"The package {flaw.effect}.",
        confidence=Confidence.CERTAIN if found.is_exact else Confidence.FIRM,
        trace=steps(
            (requirement.location, f"{flaw.package}{version}"),
            *([(use.location, use.what)] if use is not None else []),
        ),
        context=Context(access=None, hard=True),
        symbol=flaw.package,
    )
    return replace(finding, severity=Severity.MINOR) if flaw.minor else finding


_MAIN = """
    import os
    from typing import Annotated

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    KEY = os.environ["TOKEN_KEY"]
    app = FastAPI()

    @app.get("/me")
    def read_me(token: Annotated[str, Header()]) -> str:
        try:
            return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
        except jwt.PyJWTError:
            raise HTTPException(401) from None
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "requirements.txt": """
            fastapi==0.165.0
            pyjwt==2.3.0  # finding: unmaintained-or-vulnerable-auth-dependency
        """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "requirements.txt": """
            fastapi==0.165.0
            pyjwt==2.15.1
        """,
    }
)
