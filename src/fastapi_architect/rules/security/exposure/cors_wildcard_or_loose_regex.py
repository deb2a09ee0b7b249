"""More sites may read this API's answers than its author wrote down.

`allow_origin_regex` is matched as a whole, so missing anchors do no harm; a dot that stands for any character, and
`.*` beside the domain, do: `https://.*example.com` admits https://evilexample.com. The origin `null` belongs to every
sandboxed frame. An `http://` origin with credentials lets whoever sits on the network speak for that site.

Known limits: `*` without credentials is reported as tentative, for it is right for an API that is public anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.cors import CorsPolicy, cors_policies
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
    steps,
)

rule = Rule(
    __name__,
    "CORS admits more origins than meant",
    severity=Severity.MINOR,
    cwe=942,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/cors/#use-corsmiddleware",
        "https://portswigger.net/web-security/cors",
    ),
)

_LOCAL = lazy_pattern(
    r"https?://(localhost|127\.|0\.0\.0\.0|\[::1\]|host\.docker|[\w-]+(:\d+)?$|[\w.-]+\.(local|test|localhost))"
)


@rule.check(per=Application)
def loose_origins(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for policy in cors_policies(application, graph):
        found = _looseness(policy)
        if found is not None:
            yield _finding(policy, application, found)


def _looseness(policy: CorsPolicy) -> tuple[str, str, str, Confidence] | None:
    """What is loose, an origin that it admits, the remedy, and how sure; None when nothing is."""
    sure = Confidence.CERTAIN if policy.written else Confidence.FIRM
    if policy.any_origin:
        if policy.credentials:
            return None  # cors-wildcard-with-credentials
        listed = 'allow_origins=["https://app.example.com"]'
        return "allows every origin", "https://evil.example", listed, Confidence.TENTATIVE
    if policy.regex is not None:
        stranger = admitted_stranger(policy.regex)
        if stranger:
            remedy = f'allow_origin_regex=r"{tightened(policy.regex)}"'
            return f'matches origins with "{policy.regex}"', stranger, remedy, sure
    kept = (
        ", ".join(f'"{o}"' for o in policy.origins if o.startswith("https://")) or '"https://app.example.com"'
    )
    if "null" in policy.origins:
        return "allows the origin null", "null", f"allow_origins=[{kept}]", sure
    plain = next((o for o in policy.origins if o.startswith("http://") and not _LOCAL.match(o)), "")
    if plain and policy.credentials:
        return f"allows {plain} with credentials", plain, f"allow_origins=[{kept}]", sure
    return None


def _finding(
    policy: CorsPolicy, application: Application, found: tuple[str, str, str, Confidence]
) -> Finding:
    what, stranger, remedy, sure = found
    return rule.at(
        policy.middleware,
        f"The CORS middleware of `{application.name}` {what}, which admits {stranger}.",
        f"Name your own origins:\n```python\n{application.name}.add_middleware(CORSMiddleware, {remedy})\n```",
        reasoning=f"A page at {stranger} gets an Access-Control-Allow-Origin that fits, and its script reads the answers.",
        exploit=f"A page at {stranger} reads answers of `{application.name}` in a visitor's browser.",
        confidence=sure,
        trace=steps((policy.middleware, what)),
    )


_GROUPS = frozenset({"(", "(?:", ")", "^", "$"})
_MOST_CHOICES = 64
_OWNABLE = lazy_pattern(r"https?://([\w-]+\.)+[a-z]{2,}(:\d+)?$")
_ANY_SUBDOMAIN = r"https://([a-z0-9-]+\.)?"
_TOKEN = lazy_pattern(r"(\\.|\[[^\]]*\]|\(\?:|[()|^$]|.)([*+?]|\{\d+(?:,\d*)?\})?\??")


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """Atoms of a simple pattern, each with its quantifier; groups and anchors are kept as atoms of their own."""
    return [(m[1], m[2] or "") for m in _TOKEN.finditer(pattern)]


def admitted_stranger(pattern: str) -> str:
    """An origin of somebody else that `pattern` matches as a whole; "" when none was found."""
    for tokens in _without_alternatives(_tokens(pattern)):
        for index, (atom, quantifier) in enumerate(tokens):
            candidate = _candidate(tokens, index, quantifier) if atom == "." else ""
            if candidate and _matches(pattern, candidate):
                return candidate
    return ""


def _candidate(tokens: list[tuple[str, str]], index: int, quantifier: str) -> str:
    """An origin with a stranger's domain in the place of the dot at `index`."""
    after = tokens[index + 1 :]
    if not quantifier:
        return _sample(tokens, {index: "x"})
    if not _is_wide(quantifier):
        return ""
    joins_domain = bool(re.match(r"\w", next((a for a, _ in after if a not in _GROUPS), "")))
    if not index or tokens[index - 1][0] == "^":
        return _sample(tokens, {index: "https://evil"}) if joins_domain else ""
    if tokens[index - 1][0] == "/":
        return _sample(tokens, {index: "evil"}) if joins_domain else ""
    is_open_end = not any(re.match(r"\w|\\\.", a) for a, _ in after)
    return _sample(tokens, {index: ".evil.example"}) if is_open_end else ""


def _without_alternatives(tokens: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The pattern once for each choice of its alternatives, the first ones first."""
    waiting = [tokens]
    for _ in range(_MOST_CHOICES):
        if not waiting:
            return
        current = waiting.pop(0)
        choices = _split_once(current)
        if choices is None:
            yield current
        else:
            waiting = choices + waiting


def _split_once(tokens: list[tuple[str, str]]) -> list[list[tuple[str, str]]] | None:
    """One group of alternatives, innermost first, resolved in each way; None when there is none."""
    atoms = [atom for atom, _ in tokens]
    if "|" not in atoms:
        return None
    start, end = -1, len(tokens)
    for index, atom in enumerate(atoms):
        if atom in ("(", "(?:"):
            start = index
        elif atom == ")" and "|" in atoms[start + 1 : index]:
            end = index
            break
        elif atom == ")":  # a group without alternatives: what is around it is still open
            return _split_once([*tokens[:start], *tokens[start + 1 : index], *tokens[index + 1 :]])
    inner: list[list[tuple[str, str]]] = [[]]
    for token in tokens[start + 1 : end]:
        if token[0] == "|":
            inner.append([])
        else:
            inner[-1].append(token)
    return [[*tokens[: max(start, 0)], *each, *tokens[end + 1 :]] for each in inner]


def _is_wide(quantifier: str) -> bool:
    return quantifier in ("*", "+")


def _sample(tokens: list[tuple[str, str]], chosen: dict[int, str]) -> str:
    """A text that the pattern matches, with the given texts for the given atoms."""
    parts = []
    for index, (atom, quantifier) in enumerate(tokens):
        if index in chosen:
            parts.append(chosen[index])
        elif atom == ".":
            parts.append("https://x." if not index and _is_wide(quantifier) else ".")
        elif atom in _GROUPS or quantifier in ("?", "*"):
            continue
        elif atom.startswith("["):
            parts.append("1" if "a-z" not in atom and ("\\d" in atom or "0-9" in atom) else "a")
        elif atom.startswith("\\"):
            parts.append({"d": "1", "w": "a", "S": "a"}.get(atom[1], atom[1]))
        else:
            parts.append(atom)
    return "".join(parts)


def _matches(pattern: str, origin: str) -> bool:
    """The pattern admits the origin, and somebody can own its domain: no bare word, no address."""
    try:
        return bool(_OWNABLE.match(origin)) and re.fullmatch(pattern, origin) is not None
    except re.error:
        return False


def tightened(pattern: str) -> str:
    """The pattern with dots escaped and `.*` before the domain made one label."""
    tokens = _tokens(pattern)
    parts: list[str] = []
    for index, (atom, quantifier) in enumerate(tokens):
        if atom == "." and not quantifier:
            parts.append(r"\.")
        elif atom == "." and _is_wide(quantifier):
            parts.append(_label(tokens, index))
        elif atom in (".", r"\.") and parts and parts[-1] == _ANY_SUBDOMAIN:
            continue  # the label has its own dot
        else:
            parts.append(atom + quantifier)
    return "".join(parts).replace(_ANY_SUBDOMAIN + r"\.", _ANY_SUBDOMAIN)


def _label(tokens: list[tuple[str, str]], index: int) -> str:
    """What stands for one label in the place of `.*`; "" at the end of the pattern."""
    following = next((atom for atom, _ in tokens[index + 1 :] if atom not in _GROUPS), "")
    if not following:
        return ""
    before = tokens[index - 1][0] if index else "^"
    if before == "^":
        return _ANY_SUBDOMAIN
    return r"([a-z0-9-]+\.)?" if before == "/" and re.match(r"\w", following) else "[a-z0-9-]+"


rule.bad = """
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(  # finding: cors-wildcard-or-loose-regex
        CORSMiddleware, allow_origin_regex="https://.*example.com", allow_credentials=True
    )

    @app.get("/account")
    def read_account() -> dict[str, str]:
        return {"balance": "12.50"}
"""

rule.good = r"""
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    app = FastAPI()
    app.add_middleware(
        CORSMiddleware, allow_origin_regex=r"https://([a-z0-9-]+\.)?example\.com", allow_credentials=True
    )

    @app.get("/account")
    def read_account() -> dict[str, str]:
        return {"balance": "12.50"}
"""


@rule.exploit
def a_domain_that_only_ends_alike_reads_the_account(proof: Proof) -> None:
    """A page of https://evilexample.com is allowed to read the account with the visitor's cookies."""
    answer = proof.client.get(
        "/account", headers={"Origin": "https://evilexample.com", "Cookie": "session=1"}
    )
    assert answer.headers.get("access-control-allow-origin") == "https://evilexample.com"
