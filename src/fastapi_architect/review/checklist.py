"""The checklist of a review: which rules stand behind each item, and its verdict.

An item passes only when every essential rule behind it ran, found nothing, and there was something to look
at. A finding of any rule behind it fails it, whatever else was missing: what is wrong is known to be wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.review.result import ChecklistItem

QUALITY = "Quality checklist"
SECURITY = "Security checklist"
GUARANTEES = "Quality guarantees"

PASS = "pass"
FAIL = "fail"
NOT_ASSESSED = "not-assessed"

OPERATIONS = "operations"
QUERIES = "queries"
ASYNC_FUNCTIONS = "async functions"
FILES = "files"


class Item(msgspec.Struct, frozen=True):
    """One item: its title, what has to be there to assess it, and the rules behind it.

    Attributes:
        subject: what is counted: operations, queries, async functions or files.
        essential: rules without which nothing can be said.
        others: rules that fail the item as well.
    """

    section: str
    title: str
    subject: str
    essential: tuple[str, ...]
    others: tuple[str, ...] = ()


ITEMS = (
    Item(
        QUALITY,
        "All inputs are validated",
        OPERATIONS,
        ("unvalidated-request-body", "validator-defect"),
        (
            "unbounded-input-field",
            "optional-field-required-or-none-mismatch",
            "websocket-message-unvalidated",
            "naive-or-unvalidated-cross-field-input",
            "json-body-mixed-with-form-or-file",
            "body-inferred-on-get-or-query-model-misread",
            "upload-type-trusted",
        ),
    ),
    Item(
        QUALITY,
        "Status codes say what happened",
        OPERATIONS,
        ("status-code-does-not-match-effect",),
        ("unsafe-method-semantics", "undocumented-error-responses"),
    ),
    Item(
        QUALITY,
        "Authentication and authorisation where they are needed",
        OPERATIONS,
        (
            "unauthenticated-state-changing-route",
            "router-auth-outlier",
            "auth-dependency-not-wrapped-in-depends",
            "privileged-route-without-role-check",
        ),
        (
            "optional-security-scheme-unchecked",
            "auth-dependency-fails-open",
            "mounted-app-outside-global-auth",
            "websocket-without-authentication",
            "internal-endpoint-exposed",
            "middleware-path-allowlist-bypass",
            "auth-bypass-flag",
            "permission-result-ignored",
            "test-hooks-and-coverage-of-auth",
        ),
    ),
    Item(
        QUALITY,
        "Database queries are efficient",
        QUERIES,
        (
            "n-plus-one-lazy-attribute-in-loop",
            "n-plus-one-through-response-model",
            "query-inside-loop",
            "missing-index-for-query-predicate",
            "full-table-materialised",
        ),
        (
            "foreign-key-without-index",
            "non-sargable-predicate",
            "overfetching-columns-or-rows",
            "count-star-on-hot-path",
            "row-by-row-write",
            "list-endpoint-without-pagination",
            "pagination-unstable-or-deep-offset",
            "eager-load-cartesian-or-misapplied",
        ),
    ),
    Item(
        QUALITY,
        "Errors are handled",
        OPERATIONS,
        ("http-exception-swallowed", "none-result-dereferenced", "integrity-error-unhandled"),
        (
            "broad-except-hides-failure",
            "catch-all-handler-problems",
            "session-reused-after-db-error",
            "session-dependency-swallows-exception",
            "error-format-inconsistent",
            "no-degradation-for-optional-dependency",
            "log-without-context-or-traceback",
            "cancellation-swallowed",
        ),
    ),
    Item(
        QUALITY,
        "Async code is used correctly",
        ASYNC_FUNCTIONS,
        (
            "blocking-call-through-sync-helper",
            "blocking-http-in-async",
            "blocking-sleep-in-async",
            "sync-db-session-in-async",
            "coroutine-not-awaited",
        ),
        (
            "blocking-file-io-in-async",
            "blocking-subprocess-in-async",
            "cpu-bound-work-on-loop",
            "sync-network-client-in-async",
            "fire-and-forget-task",
            "shared-state-race-across-await",
            "thread-lock-held-across-await",
            "async-session-shared-by-concurrent-tasks",
            "outbound-call-without-timeout",
            "implicit-lazy-load-under-asyncio",
        ),
    ),
    Item(
        QUALITY,
        "Business logic stands apart from routes",
        OPERATIONS,
        ("business-logic-in-route",),
        ("layer-violation-or-import-cycle", "dependency-instantiated-instead-of-injected"),
    ),
    Item(
        QUALITY,
        "Responses have models",
        OPERATIONS,
        ("response-model-bypassed", "sensitive-field-in-response"),
        ("missing-or-wrong-types-on-boundary", "operation-metadata-missing"),
    ),
    Item(
        QUALITY,
        "No secrets in code or logs",
        FILES,
        ("hardcoded-credential", "hardcoded-signing-secret", "sensitive-data-logged"),
        (
            "placeholder-or-weak-secret-default",
            "default-admin-account-seeded",
            "validation-error-echoes-secrets",
            "credential-in-query-string",
            "config-read-outside-settings",
            "secret-setting-is-plain-str",
        ),
    ),
    Item(
        QUALITY,
        "Clients and running versions stay compatible",
        OPERATIONS,
        ("no-versioning-or-breaking-change", "drop-of-column-still-used", "rename-breaks-running-code"),
        (
            "deprecated-operation-without-signal",
            "not-null-column-without-default",
            "autogenerated-rename-as-drop-add",
            "model-migration-drift",
            "irreversible-or-empty-downgrade",
            "deprecated-or-removed-api-use",
        ),
    ),
    Item(
        SECURITY,
        "Nothing from a request becomes code, a query or a path",
        OPERATIONS,
        (
            "sql-injection-raw-statement",
            "sql-injection-dynamic-identifier",
            "os-command-injection",
            "code-execution-from-request",
            "unsafe-deserialization",
            "path-traversal-read-or-delete",
        ),
        (
            "sort-or-filter-attribute-from-user",
            "server-side-template-injection",
            "upload-filename-path-traversal",
            "archive-extraction-slip",
            "ssrf-user-controlled-url",
            "ssrf-path-injection-internal-call",
            "ssrf-validate-then-refetch",
            "nosql-operator-injection",
            "regex-from-user-or-redos",
            "xml-external-entity",
            "redis-key-or-script-injection",
            "dynamic-task-or-callable-dispatch",
            "log-injection",
            "response-header-injection",
        ),
    ),
    Item(
        SECURITY,
        "Sign-in and tokens hold",
        OPERATIONS,
        ("jwt-signature-not-verified", "jwt-algorithm-not-pinned", "password-stored-weakly"),
        (
            "jwt-without-expiry",
            "jwt-token-type-confusion",
            "jwt-audience-or-issuer-unchecked",
            "timing-unsafe-secret-comparison",
            "account-enumeration",
            "predictable-security-token",
            "reset-or-verify-token-lifecycle",
            "weak-password-policy",
            "bcrypt-72-byte-truncation",
            "disabled-account-still-accepted",
            "oauth-callback-without-state",
            "weak-cryptography",
            "security-scopes-declared-not-enforced",
        ),
    ),
    Item(
        SECURITY,
        "Objects are reached by their owners only",
        OPERATIONS,
        ("idor-object-fetched-without-owner-scope", "mass-assignment-privileged-column"),
        (
            "nested-resource-parent-mismatch",
            "mass-assignment-open-schema",
            "tenant-filter-missing",
            "client-supplied-identity-trusted",
            "bulk-write-without-scope",
            "authorization-coroutine-not-awaited",
            "websocket-or-task-skips-http-authz",
            "shared-cache-of-private-response",
        ),
    ),
    Item(
        SECURITY,
        "Sensitive data stays inside",
        OPERATIONS,
        ("sensitive-field-in-response", "sensitive-data-logged", "exception-text-returned-to-client"),
        (
            "response-model-bypassed",
            "validation-error-echoes-secrets",
            "debug-mode-enabled",
            "api-docs-exposed",
            "credential-in-query-string",
        ),
    ),
    Item(
        SECURITY,
        "Browsers are protected: CORS, CSRF, XSS, headers",
        OPERATIONS,
        ("cors-wildcard-with-credentials", "html-response-xss", "cookie-auth-without-csrf-defence"),
        (
            "cors-wildcard-or-loose-regex",
            "cors-or-error-middleware-order",
            "security-headers-absent",
            "insecure-session-cookie",
            "open-redirect",
            "websocket-origin-unchecked",
            "host-header-in-security-link",
            "tls-verification-disabled",
        ),
    ),
    Item(
        SECURITY,
        "Abuse is limited",
        OPERATIONS,
        ("login-or-otp-without-throttling", "upload-read-without-limit"),
        (
            "expensive-public-route-unthrottled",
            "decompression-bomb",
            "unbounded-in-memory-growth",
            "list-endpoint-without-pagination",
            "large-payload-buffered",
        ),
    ),
    Item(
        GUARANTEES,
        "No hard-coded credentials",
        FILES,
        ("hardcoded-credential", "hardcoded-signing-secret"),
        ("placeholder-or-weak-secret-default", "default-admin-account-seeded"),
    ),
    Item(
        GUARANTEES,
        "Error messages leak nothing",
        OPERATIONS,
        ("exception-text-returned-to-client",),
        ("debug-mode-enabled", "validation-error-echoes-secrets"),
    ),
    Item(
        GUARANTEES,
        "Everything awaitable is awaited",
        ASYNC_FUNCTIONS,
        ("coroutine-not-awaited", "authorization-coroutine-not-awaited"),
        ("fire-and-forget-task", "cache-decorator-on-coroutine"),
    ),
    Item(
        GUARANTEES,
        "Queries are parameterised",
        QUERIES,
        ("sql-injection-raw-statement", "sql-injection-dynamic-identifier"),
        ("nosql-operator-injection", "sort-or-filter-attribute-from-user"),
    ),
    Item(
        GUARANTEES,
        "Authorisation fits the operation",
        OPERATIONS,
        (
            "unauthenticated-state-changing-route",
            "privileged-route-without-role-check",
            "idor-object-fetched-without-owner-scope",
        ),
        ("router-auth-outlier", "permission-result-ignored", "tenant-filter-missing"),
    ),
    Item(
        GUARANTEES,
        "Rates are limited where guessing or load hurts",
        OPERATIONS,
        ("login-or-otp-without-throttling", "expensive-public-route-unthrottled"),
    ),
    Item(
        GUARANTEES,
        "CORS admits known origins only",
        OPERATIONS,
        ("cors-wildcard-with-credentials", "cors-wildcard-or-loose-regex"),
        ("cors-or-error-middleware-order",),
    ),
)


def checklist(
    findings: Iterable[Finding],
    *,
    built: Collection[str],
    ran: Collection[str],
    subjects: Mapping[str, int],
    unreported: Iterable[Finding] = (),
) -> tuple[ChecklistItem, ...]:
    """The verdict of every item, in the order of `ITEMS`.

    Args:
        findings: active findings. Tentative ones are mentioned and fail nothing.
        built: names of the rules that exist.
        ran: names of the rules that ran.
        subjects: how many operations, queries, async functions and files there are, by `Item.subject`.
        unreported: findings that are there and that this report does not repeat: known since the baseline, in
            other files, on unchanged lines. They fail an item as well: it speaks of the whole project.
    """
    sure: Counter[str] = Counter()
    tentative: Counter[str] = Counter()
    known = Counter(f.rule.name for f in unreported if f.confidence is not Confidence.TENTATIVE)
    for finding in findings:
        (tentative if finding.confidence is Confidence.TENTATIVE else sure)[finding.rule.name] += 1
    return tuple(
        _judge(item, sure, tentative, known, built=built, ran=ran, subjects=subjects) for item in ITEMS
    )


def _judge(
    item: Item,
    sure: Mapping[str, int],
    tentative: Mapping[str, int],
    known: Mapping[str, int],
    *,
    built: Collection[str],
    ran: Collection[str],
    subjects: Mapping[str, int],
) -> ChecklistItem:
    rules = (*item.essential, *item.others)
    count = sum(sure.get(name, 0) for name in rules)
    unreported = sum(known.get(name, 0) for name in rules)
    doubtful = sum(tentative.get(name, 0) for name in rules)
    unbuilt = [name for name in item.essential if name not in built]
    deselected = [name for name in item.essential if name in built and name not in ran]
    if count or unreported:
        verdict, note = FAIL, _counts(count, unreported)
    elif subjects.get(item.subject, 0) == 0:
        verdict, note = NOT_ASSESSED, f"no {item.subject} found"
    elif unbuilt:
        verdict, note = NOT_ASSESSED, f"not checked yet: {', '.join(unbuilt)}"
    elif deselected:
        verdict, note = NOT_ASSESSED, f"deselected: {', '.join(deselected)}"
    else:
        verdict, note = PASS, f"{_counted(sum(name in ran for name in rules), 'rule')} found nothing"
    if doubtful:
        note += f"; {doubtful} tentative"
    present = tuple(name for name in rules if name in built)
    return ChecklistItem(item.section, item.title, verdict, present, count, note)


def _counts(reported: int, unreported: int) -> str:
    if not unreported:
        return _counted(reported, "finding")
    if not reported:
        return f"{_counted(unreported, 'finding')} not reported here"
    return f"{_counted(reported, 'finding')} and {unreported} not reported here"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
