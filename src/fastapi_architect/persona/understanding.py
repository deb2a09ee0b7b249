"""What is asked for: the table that turns the words of a request into a kind of answer.

The first row whose patterns all occur, and whose `unless` does not, decides. Where none does, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

from fastapi_architect.persona.answer import FILE
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: A request of which more is read is no request.
MAX_REQUEST = 4_000


class Row(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        kind: of answer.
        words: patterns that all have to occur.
        unless: a pattern that must not.
    """

    kind: str
    words: tuple[str, ...]
    unless: str = ""


# ── the words ────────────────────────────────────────────────────────────────────────────────────────────────────

LOOK = (
    r"review|audit|inspect|examine|assess|critique|vet|analy[sz]e|(?:double-?)?check|look (?:at|over|into|through)|go (?:over|through)|"
    r"what(?:'s| is) wrong|anything wrong|is \w+(?: \w+){0,4} (?:safe|secure|ok|okay|correct|fine)|how (?:safe|secure|good)|"
    r"(?:find|any|are there) (?:\w+ ){0,2}(?:bugs?|problems?|issues?|vulnerabilit\w+|flaws?|holes?|weakness\w*)|pentest|code review"
)
MAKE = (
    r"add|create|build|implement|write|make|need|want|introduce|set ?up|put|generate|give me|design|develop|integrate|use|"
    r"protect|apply|help me with"
)
SLOW = (
    r"slow\w*|sluggish|performan(?:ce|t)|latency|tak(?:es?|ing) (?:\w+ ){0,3}(?:\d+(?:\.\d+)? ?(?:s|ms|secs?|seconds?|minutes?)|"
    r"forever|ages|long|too long)|"
    r"time[sd]?[- ]?outs?|timing out|lags?|laggy|faster|speed(?:ing)? ?(?:it |this |up )?|bottlenecks?|under (?:heavy |high )?(?:load|"
    r"traffic)|n ?\+ ?1|"
    r"too many queries|optimi[sz]\w+|hangs?|crawls?|high cpu|response times?|p9\d"
)
CACHE = r"cach(?:e|es|ed|ing)|memoi[sz]e"
QUEUE = (
    r"queues?|celery|message (?:bus|broker|queue)|background (?:jobs?|tasks?|work(?:ers?)?|process\w*)|workers?|outbox|pub/?sub|"
    r"event[- ]driven|publish (?:\w+ ){0,2}events?|events? (?:between|across)|kafka|rabbitmq|asynchronous(?:ly)? (?:jobs?|tasks?|"
    r"process\w*)|"
    r"task ?ids?|long[- ]running (?:jobs?|tasks?)|offload"
)
REGISTER = (
    r"regist(?:er|ers|ering|ration)\b|sign[- ]?ups?|e-?mail (?:\w+ )?(?:verif\w+|confirm\w+)|(?:verif|confirm)\w* (?:\w+ ){0,2}e-?mails?|"
    r"user accounts?|(?:create|creating|new) users?|users?\b(?=.*\be-?mail)(?=.*\bpassword)|log-?in (?:endpoint|route|system|flow)|"
    r"password (?:reset|recovery)|authentication system"
)
LIMIT = r"rate[- ]?limit\w*|throttl\w+|brute[- ]?force|limit (?:the )?(?:requests|calls|how often)|quotas?"
VALIDATE = r"(?:input |request |payload |body |data )?validat\w+|constraints?"
MODELS = r"(?:database |db |orm |sqlalchemy |sqlmodel |data )?(?:models?|tables?|entit(?:y|ies)|schemas?)|relationships?|data model"
STRUCTURE = (
    r"structur\w*|organi[sz]\w*|architect(?:ure|ing|ural)?|lay(?:ing)? ?out|folder|project layout|how (?:should|do|would|"
    r"can) (?:i|we) (?:design|build|split|model|go about)"
)
TENANTS = r"multi-?\s?tenan\w*|tenants?|tenancy|saas|organi[sz]ations? (?:share|isolat)\w*|isolat\w+ (?:\w+ ){0,2}customers?"
NEW = r"new|from scratch|bootstrap\w*|scaffold\w*|greenfield|start(?:ing)?|set(?:ting)? ?up|create|generate|begin|kick ?off"
FRESH = r"new|from scratch|bootstrap\w*|scaffold\w*|greenfield|kick ?off"
SERVICE = r"(?:micro-?)?services?|projects?|backends?|applications?|(?:fastapi|web|rest) (?:app|api)s?|apps?"
EXPLAIN = (
    r"explain|what (?:is|are|does|do)|what's|why (?:is|are|does|do|would)|tell me (?:about|more)|meaning of|how (?:is|does|"
    r"do) \w+ (?:work|exploited)|describe"
)
FIX = r"fix(?:es|ing)?|mend|repair|resolve|correct|patch|remediate"
LIST = (
    r"(?:which|what|list|show|map|all|overview of|enumerate|give me) (?:\w+ ){0,4}(?:routes?|endpoints?|operations?|paths?)|"
    r"who (?:can|may|is allowed)|threat model|authori[sz]ation matrix|(?:public|unprotected|unauthenticated|open) (?:routes?|"
    r"endpoints?)|attack surface"
)
ROUTE = r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|WEBSOCKET)\s+/\S*|(?<![\w.])/[A-Za-z][\w{}/.-]*"
AUTH = (
    r"auth(?:entication|ori[sz]ation|n|z)?|log-?ins?|logging in|sign(?:ing)?[- ]?ins?|jwts?|oauth2?|permissions?|guards?|access control|"
    r"sessions?(?= (?:cookie|handling|security))|roles?|tokens?|rbac|middleware|passwords?"
)
RULE = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+"

#: From the most particular to the most general.
TABLE = (
    Row("explain", (EXPLAIN, r"@rule|CWE-?\d+")),
    Row("fix", (FIX, r"findings?|issues?|problems?|vulnerabilit\w+|@rule|everything|all of (?:it|them)|what you found|the review"), SLOW),
    Row("slow", (LOOK, SLOW)),
    Row("review", (rf"^\W*(?:please |can you |could you |would you |i(?:'d| would) like you to )*(?:{LOOK})",)),
    Row("new service", (NEW, SERVICE, FRESH), rf"{QUEUE}|{TENANTS}|endpoint|{ROUTE}"),
    Row("structure", (TENANTS,)),
    Row("structure", (STRUCTURE,), rf"{SLOW}|{QUEUE}|{MODELS}"),
    Row("cache", (CACHE,)),
    Row("slow", (SLOW,)),
    Row("registration", (REGISTER,), MODELS),
    Row("queue", (QUEUE,)),
    Row("limits", (LIMIT,)),
    Row("limits", (VALIDATE, rf"{MAKE}|{ROUTE}|endpoint|route")),
    Row("models", (MODELS, rf"{MAKE}|for|between|design|how")),
    Row("registration", (REGISTER,)),
    Row("component", (rf"{MAKE}|how (?:do|can|should|would)", r"@component")),
    Row("map", (LIST,), ROUTE),
    Row("route", (ROUTE, rf"{EXPLAIN}|show|how|who|which|where|what")),
    Row("review", (LOOK,)),
    Row("review", (rf"secur(?:e|ity)|vulnerab\w+|{AUTH}", r"my|our|this|the|code|project|\?"), rf"\b(?:{MAKE})\b"),
    Row("route", (ROUTE,), rf"\b(?:{MAKE})\b"),
    Row("explain", (r"@rule",)),
    Row("component", (r"@component",)),
)  # fmt: skip

#: What a review is about, to the topics and categories that are asked. The first that occurs.
TOPICS = (
    (r"web ?sockets?", ("websocket",)),
    (rf"{AUTH}", ("authentication", "authorization")),
    (r"uploads?|files?(?= (?:handling|storage))", ("uploads",)),
    (r"migrations?|alembic", ("migrations",)),
    (r"celery|tasks?|workers?|queues?", ("tasks", "async_patterns")),
    (CACHE, ("cache", "exposure")),
    (r"injections?|sql", ("injection",)),
    (r"secrets?|credentials?|exposure|headers?|cors|leaks?", ("exposure", "authentication")),
    (r"async\w*|event loop|await|concurren\w+", ("async_patterns",)),
    (r"database|queries|query|orm|sqlalchemy|models?|transactions?|repositor(?:y|ies)", ("database",)),
    (rf"{VALIDATE}|error handling|exceptions?", ("validation",)),
    (r"api design|contract|openapi|rest(?:ful)?|pagination|status codes?", ("api_design",)),
    (r"code quality|maintainab\w+|readab\w+|clean(?:liness)?|style", ("code_quality",)),
    (r"secur\w+|vulnerab\w+|safe|hole|pentest|attack\w*", ("security",)),
)  # fmt: skip

#: Words for components that may be added, beyond those with a kind of their own.
COMPONENTS = (
    (r"(?:file )?uploads?", ("uploads",)),
    (r"web ?sockets?|live (?:updates|events)|real[- ]?time", ("websockets",)),
    (r"webhooks?", ("webhooks",)),
    (r"audit (?:log|trail)\w*", ("audit_log",)),
    (r"idempoten\w+", ("idempotency",)),
    (r"api[- ]keys?", ("api_keys",)),
    (r"oidc|open ?id|sso|single sign-?on|social log-?in|google log-?in", ("oidc_login",)),
    (r"health ?checks?|probes?|readiness|liveness", ("health_checks",)),
    (r"metrics|prometheus|monitoring", ("metrics",)),
    (r"structured logging|json log\w*|logging|logs", ("structured_logging",)),
    (r"security headers|cors|https", ("http_security",)),
    (r"problem details|error (?:format|responses|handling)|rfc ?(?:9457|7807)", ("problem_details",)),
    (r"api version\w*|versioning", ("api_versioning",)),
    (r"body size|request (?:size|limits?|timeouts?)", ("request_limits",)),
    (r"(?:transactional )?outbox", ("outbox",)),
    (r"e-?mails?|mail\b", ("mail",)),
    (r"outgoing|outbound|http client|circuit breaker|retries|third[- ]party api", ("outgoing_http",)),
    (r"browser sessions?|session cookies?|cookie (?:log-?in|auth\w*)", ("browser_sessions",)),
    (r"access control|permissions?|roles?|rbac|auth\w*|log-?ins?", ("access", "accounts")),
    (r"redis", ("redis_pool",)),
    (r"tests? (?:setup|fixtures|servers)|testing", ("testing",)),
)  # fmt: skip

_METHOD_PATH = lazy_pattern(
    r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|WEBSOCKET)\s+(?P<path>/[^\s,;:?!`'\"]*)"
)
_PATH = lazy_pattern(r"(?<![\w./:])(?P<path>/[A-Za-z][\w{}/.-]*)")
_NAMED_FILE = lazy_pattern(rf"(?<![\w/])(?P<file>{FILE})(?![\w/])")
_KEBAB = lazy_pattern(RULE)
_WORD = lazy_pattern(r"[^\W\d_][^\W\d_']+")
#: Words that say nothing about which part of a project is meant.
_EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "our",
        "your",
        "this",
        "that",
        "these",
        "those",
        "i",
        "we",
        "you",
        "it",
        "its",
        "is",
        "are",
        "was",
        "be",
        "been",
        "do",
        "does",
        "did",
        "can",
        "could",
        "should",
        "would",
        "will",
        "may",
        "please",
        "help",
        "me",
        "us",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "without",
        "and",
        "or",
        "but",
        "not",
        "no",
        "so",
        "as",
        "if",
        "when",
        "while",
        "how",
        "why",
        "what",
        "which",
        "who",
        "where",
        "there",
        "here",
        "have",
        "has",
        "had",
        "get",
        "gets",
        "got",
        "need",
        "needs",
        "want",
        "add",
        "create",
        "build",
        "make",
        "write",
        "implement",
        "use",
        "using",
        "put",
        "set",
        "up",
        "new",
        "existing",
        "endpoint",
        "endpoints",
        "route",
        "routes",
        "api",
        "apis",
        "service",
        "services",
        "slow",
        "slowly",
        "fast",
        "faster",
        "performance",
        "latency",
        "review",
        "check",
        "audit",
        "look",
        "fix",
        "takes",
        "take",
        "taking",
        "too",
        "long",
        "seconds",
        "second",
        "code",
        "project",
        "application",
        "app",
        "backend",
        "fastapi",
        "redis",
        "cache",
        "caching",
        "celery",
        "queue",
        "queues",
        "rate",
        "limit",
        "limits",
        "limiting",
        "validation",
        "validate",
        "input",
        "database",
        "db",
        "model",
        "models",
        "table",
        "tables",
        "schema",
        "list",
        "lists",
        "listing",
        "show",
        "explain",
        "tell",
        "about",
        "into",
        "under",
        "load",
        "all",
        "any",
        "some",
        "more",
        "very",
        "really",
        "just",
        "like",
        "want",
        "return",
        "returns",
        "returning",
        "that's",
        "i'd",
        "it's",
        "let's",
        "v1",
        "v2",
        "page",
        "pages",
        "paginated",
        "middleware",
        "across",
        "between",
        "multiple",
        "requests",
        "request",
        "response",
    ]
)


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it was understood.

    Attributes:
        kind: of answer; "unclear" where no row of the table fits.
        request: as it was made, on one line.
        topics: selectors of a review; empty for everything.
        method, path: of a route that was written out, "" for none.
        files: of the project that were named.
        rules: names of rules.
        components: names of components.
        words: what is left of the request: words that may name a part of the project.
    """

    kind: str
    request: str
    topics: tuple[str, ...] = ()
    method: str = ""
    path: str = ""
    files: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def understand(request: str, rules: Collection[str] = (), components: Collection[str] = ()) -> Understood:
    """The kind of answer that a request wants, by the table.

    Args:
        request: plain English.
        rules: names of all rules, so that one is recognised.
        components: names of all components.
    """
    said = " ".join(request[:MAX_REQUEST].split())
    named_rules = tuple(dict.fromkeys(m[0] for m in _KEBAB.finditer(said.lower()) if m[0] in rules))
    wanted = _components(said, components)
    marked = said + (" @rule" if named_rules else "") + (" @component" if wanted else "")
    kind = next((row.kind for row in TABLE if _fits(row, marked)), "unclear")
    route = _METHOD_PATH.search(said)
    path = route["path"] if route else next((m["path"] for m in _PATH.finditer(said)), "")
    path = path.rstrip(".")
    files = tuple(
        dict.fromkeys(m["file"] for m in _NAMED_FILE.finditer(said) if not m["file"].startswith("/"))
    )
    return Understood(
        kind=kind,
        request=said,
        topics=next((topics for words, topics in TOPICS if says(words, said)), ()),
        method=route["method"] if route else "",
        path=path,
        files=files,
        rules=named_rules,
        components=wanted,
        words=tuple(dict.fromkeys(w for w in _WORD.findall(said.lower()) if w not in _EMPTY)),
    )


def _components(said: str, known: Collection[str]) -> tuple[str, ...]:
    lower = said.lower()
    named = [name for name in known if "_" in name and re.search(rf"\b{name.replace('_', '[_ -]')}\b", lower)]
    by_words = [name for words, names in COMPONENTS if says(words, said) for name in names if name in known]
    return tuple(dict.fromkeys((*named, *by_words)))


def _fits(row: Row, said: str) -> bool:
    return all(says(words, said) for words in row.words) and not (row.unless and says(row.unless, said))


def says(words: str, said: str) -> bool:
    """Whether one of some words, a pattern, occurs in a request."""
    # Neither side of a match may go on with a letter: "reviewer" is no "review".
    return re.search(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", said, re.IGNORECASE) is not None
