"""The one place that takes secrets out of what leaves the machine, and finds them in what comes back.

Known secrets are values: of `.env` files, of what the engine's secret analyses found in the code. Besides, a text is searched
for what looks like a secret whoever it belongs to: keys in the formats of providers, private keys, passwords in addresses,
literals that are assigned to a name such as `api_token`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from fastapi_architect.analyses.secrets import secret_uses
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.values import is_placeholder
from fastapi_architect.findings.finding import Finding
from fastapi_architect.review.masking import secret_lines
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.tree import SourceTree, Unreadable

#: Weaknesses whose findings stand on a secret's own line.
ABOUT_SECRETS = frozenset({259, 321, 798, 1188, 1392})
_MARK = "[hidden: {}]"
#: Shorter values are words of the language; hiding them would garble everything and protect nothing.
_SHORTEST = 4
#: Values shorter than this are hidden as whole words only.
_SHORT = 8

_SECRET_NAME = (
    r"[\w.-]*(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|encryption[_-]?key|credential|salt|pepper|dsn)s?(?:[_-]?(?:key|value|prod|production|dev|test|live|old|new|\d+))*"
)
_NAMED_SECRET = lazy_pattern(rf"^{_SECRET_NAME}$|(?:^|_)(?:key|pass|auth|private)$", re.IGNORECASE)
_ENTRY = lazy_pattern(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.]*)[ \t]*=[ \t]*"
    r"(?:\"(?P<double>(?:\\.|[^\"\\])*)\"|'(?P<single>[^']*)'|(?P<plain>[^\n]*))",
    re.MULTILINE,
)
_ENV_FILE = lazy_pattern(r"(?:.*/)?(?:\.env(?:\..*)?|[^/]*\.env)")
_EXAMPLE_FILE = lazy_pattern(r"example|sample|template|dist\b|default", re.IGNORECASE)
_HARMLESS = lazy_pattern(
    r"(?:true|false|yes|no|on|off|none|null)|[\d.,:_/ -]+|[A-Za-z]{1,19}|\.{0,2}(?:/[\w.-]+)+/?|[\w.+-]+@[\w.-]+"
    r"|[a-z][a-z0-9+.-]*://[^\s/@]+(?:/[\w./?=&-]*)?|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|[a-z-]+:\d+",
    re.IGNORECASE,
)
_SETTING = lazy_pattern(r"[\w.:/,+-]{1,40}")
_HAS_DIGITS_AND_LETTERS = lazy_pattern(r"(?=.*\d)(?=.*[A-Za-z]).{16,}")
_STRING = lazy_pattern(r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)+)(?P=quote)""")
_ASSIGNED = lazy_pattern(r"\s*(?:export\s+|-\s+)?(?P<name>[\w.-]+)\s*[=:]\s*(?P<value>[^\s#]+).*")

_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"
    r"(?:.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|.*)"
)
#: What looks like a secret anywhere: kind, and a pattern whose group `secret` (or all of it) is hidden.
_PATTERNS = (
    ("a private key", lazy_pattern(_PRIVATE_KEY, re.DOTALL)),
    ("a password in an address", lazy_pattern(r"://[^\s/:@'\"`<>{}]*:(?P<secret>[^\s/'\"`<>{}$\[]+)@(?=[\w\[{$])")),
    ("an AWS access key", lazy_pattern(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", lazy_pattern(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})")),
    ("a GitLab token", lazy_pattern(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", lazy_pattern(r"\bxox[abeprs]-[A-Za-z0-9-]{20,}")),
    ("a Slack webhook", lazy_pattern(r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,})")),
    ("a Google API key", lazy_pattern(r"\bAIza[0-9A-Za-z_-]{35}")),
    ("a Stripe key", lazy_pattern(r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}|\bwhsec_[0-9A-Za-z+/=]{20,}")),
    ("an API key", lazy_pattern(r"\bsk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{20,}")),
    ("a SendGrid key", lazy_pattern(r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}")),
    ("a registry token", lazy_pattern(r"\b(?:pypi-[\w-]{20,}|npm_\w{30,}|hf_[A-Za-z0-9]{20,}|hv[sb]\.[\w-]{16,})")),
    ("a JSON web token", lazy_pattern(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    ("a bearer token", lazy_pattern(r"\b[Bb]earer\s+(?P<secret>(?=[\w.~+/=-]*\d)[\w.~+/=-]{20,})")),
    (
        "a literal with the name of a secret",
        lazy_pattern(
            rf"(?<![\w-])[\"']?{_SECRET_NAME}[\"']?(?:\s*:\s*[\w.\[\]| ]+?)?\s*(?:=|:)\s*(?:(?:SecretStr|SecretBytes|Secret|str)\()?"
            r"[brfu]{0,2}\\*[\"'](?P<secret>(?:[^\"'\\\n]|\\[^\"'n])+)\\*[\"']",
            re.IGNORECASE,
        ),
    ),
)  # fmt: skip


class Redaction:
    """Takes secrets out of texts.

    Attributes:
        values: secret text to its kind in words, which never tells it.
        settings: those of the values that a `.env` file has under a name that says nothing: they do not leave either, but an
            answer that names one, such as a region, shows no secret.
    """

    def __init__(self, values: Mapping[str, str] | None = None, settings: Collection[str] = ()) -> None:
        """With the secrets that are known; forms of them that stand in addresses and escapes count, too."""
        self._given = dict(values or {})
        self.values = {form: kind for text, kind in self._given.items() for form in _forms(text)}
        self.settings = frozenset(form for text in settings for form in _forms(text))
        longest_first = sorted(self.values, key=lambda each: (-len(each), each))
        self._known = re.compile("|".join(map(_whole, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        """The text with `[hidden: ...]` in place of each secret."""
        if self._known is not None:
            text = self._known.sub(lambda match: _MARK.format(self.values[match[0]]), text)
        for kind, pattern in _PATTERNS:
            text = pattern.sub(functools.partial(_hidden, kind), text)
        return text

    def without(self, *texts: str) -> Redaction:
        """The same, but for what the user names on the command line: the model and its server have to be told by their names."""
        kept = {text: kind for text, kind in self._given.items() if text not in texts}
        return Redaction(kept, [text for text in kept if text in self.settings])

    def redact_all(self, value: Any) -> Any:
        """A value of JSON with every text in it redacted, keys included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list | tuple):
            return [self.redact_all(each) for each in value]
        if isinstance(value, dict):
            return {self.redact(str(key)): self.redact_all(each) for key, each in value.items()}
        return value

    def kinds_in(self, text: str) -> list[str]:
        """Kinds of the secrets that a text holds, each once."""
        known = [self.values[m[0]] for m in self._matches(text)]
        seen = [kind for kind, pattern in _PATTERNS if any(_tells(m, kind) for m in pattern.finditer(text))]
        return list(dict.fromkeys((*known, *seen)))

    def holds_known(self, data: bytes) -> str:
        """The kind of a known secret in bytes that are about to leave, "" for none: the last look at the wire."""
        return next((self.values[m[0]] for m in self._matches(data.decode("utf-8", "replace"))), "")

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        found = self._known.finditer(text) if self._known is not None else iter(())
        return (match for match in found if match[0] not in self.settings)


def of_project(tree: SourceTree, graph: AppGraph, findings: Iterable[Finding]) -> Redaction:
    """What must not leave a project.

    Args:
        tree: its files.
        graph: its program.
        findings: of its review, silenced ones included: those about secrets stand on the secret's line.
    """
    values: dict[str, str] = {}
    settings: set[str] = set()
    for text, kind in (*_in_code(graph), *_on_lines(tree, secret_lines(findings))):
        values.setdefault(text, kind)
    for text, kind, is_setting in _environment(tree):
        if is_setting and text not in values:
            settings.add(text)
        elif not is_setting:
            settings.discard(text)
        values.setdefault(text, kind)
    return Redaction(values, settings)


def environment_values(text: str, path: str) -> Iterator[tuple[str, str, bool]]:
    """Values of a `.env` file with their kinds, and whether one is a mere setting for all that its name and form say."""
    example = _EXAMPLE_FILE.search(path) is not None
    for entry in _ENTRY.finditer(text):
        name = entry["name"]
        value = entry["double"] or entry["single"] or ""
        if entry["plain"] is not None:
            value = re.sub(r"(?:^|\s)#.*$", "", entry["plain"]).strip()
        named = _NAMED_SECRET.search(name) is not None
        if example and (not named or is_placeholder(value)):
            continue
        kind = f"{name} of {path}"
        if named or _HAS_DIGITS_AND_LETTERS.fullmatch(value) or not _HARMLESS.fullmatch(value):
            plain = not named and not _HAS_DIGITS_AND_LETTERS.fullmatch(value) and _SETTING.fullmatch(value)
            yield value, kind, bool(plain)
            if "\n" in value or "\\n" in value:
                yield from ((line, kind, False) for line in re.split(r"\n|\\n", value) if len(line) >= 16)
        yield from ((password, kind, False) for password in _passwords(value))


def _environment(tree: SourceTree) -> Iterator[tuple[str, str, bool]]:
    for path in tree.other_files:
        if _ENV_FILE.fullmatch(path):
            data = tree.read(path)
            if not isinstance(data, Unreadable):
                yield from environment_values(data.decode("utf-8", "replace"), path)


def _in_code(graph: AppGraph) -> Iterator[tuple[str, str]]:
    for use in secret_uses(graph):
        kind = f"the secret at {use.origin.location}"
        # A key over several lines is shown a line at a time, and stripped before it is used.
        lines = [line.strip() for line in use.origin.value.split("\n")]
        yield from ((text, kind) for text in (use.origin.value, use.origin.value.strip()))
        yield from ((line, kind) for line in lines if len(line) >= _SHORT)


def _on_lines(tree: SourceTree, lines: frozenset[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    texts: dict[str, list[str]] = {}
    for path, number in sorted(lines):
        if path not in texts:
            data = tree.read(path)
            texts[path] = [] if isinstance(data, Unreadable) else data.decode("utf-8", "replace").split("\n")
        line = texts[path][number - 1] if 0 < number <= len(texts[path]) else ""
        strings = [match["text"] for match in _STRING.finditer(line)]
        if not strings and (assigned := _ASSIGNED.fullmatch(line)):
            strings = [assigned["value"]]
        kind = f"the secret at {path}:{number}"
        for text in strings:
            yield from ((password, kind) for password in _passwords(text))
            if len(text) >= _SHORT and not (text.isidentifier() and text.isupper()):
                yield text, kind


def _passwords(value: str) -> list[str]:
    found = re.findall(r"://[^\s/:@]*:([^\s]+)@[^\s@]+", value)
    return [form for each in found for form in {each, unquote(each)}]


def _forms(text: str) -> Iterator[str]:
    """A secret as it is, percent-encoded, and as JSON escapes it; nothing that is too short to be one."""
    if len(text) < _SHORTEST:
        return
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    ascii_only = json.dumps(text)[1:-1]
    unmarked = (each.replace("<", "\\u003c") for each in (text, escaped, ascii_only))
    yield from dict.fromkeys((text, quote(text, safe=""), escaped, ascii_only, *unmarked))


def _whole(text: str) -> str:
    if len(text) >= _SHORT:
        return re.escape(text)
    return rf"(?<!\w){re.escape(text)}(?!\w)"


def _is_secret(match: re.Match[str], kind: str) -> bool:
    secret = _secret(match)
    if secret.startswith("[hidden:"):
        return False
    # `token_url="/auth/token"`, `password: str = "changeme"` and `{{ secret }}` tell nobody anything.
    return kind != "a literal with the name of a secret" or (
        len(secret) >= _SHORTEST and not is_placeholder(secret) and not re.search(r"^[/{$<*]|\s", secret)
    )


def _tells(match: re.Match[str], kind: str) -> bool:
    """A secret that an answer must not show: `postgresql://app:password@localhost` is an example."""
    return _is_secret(match, kind) and not (
        kind == "a password in an address" and is_placeholder(_secret(match))
    )


def _hidden(kind: str, match: re.Match[str]) -> str:
    if not _is_secret(match, kind):
        return match[0]
    secret, whole = _secret(match), match[0]
    start = match.start("secret") - match.start() if "secret" in match.re.groupindex else 0
    return whole[:start] + _MARK.format(kind) + whole[start + len(secret) :]


def _secret(match: re.Match[str]) -> str:
    return match["secret"] if "secret" in match.re.groupindex else match[0]
