"""Words for weaknesses, and the CWE numbers that a tool has to have reported for them to be claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.source.lazy_pattern import lazy_pattern

#: Said of a route that asks nobody to sign in; the map says so, too.
ANYBODY = (
    r"(?:any(?:one|body)|every(?:one|body)|strangers?|unauthenticated (?:\w+ )?(?:users?|callers?|clients?|requests?)) (?:can|may) "
    r"(?:call|read|delete|change|write|create|access|reach|modify|see)|(?:reachable|callable|open|accessible) without (?:any )?"
    r"(?:authentication|log-?in|auth|signing in)"
)
#: Words to numbers of weaknesses. A claim needs one of the numbers among what the tools reported.
WEAKNESSES = (
    (r"SQL[- ]?injection|\bSQLi\b|injection of SQL", (89, 564, 943)),
    (r"NoSQL[- ]injection|operator injection", (943,)),
    (r"(?:OS |shell )?command[- ]injection|shell injection", (77, 78, 88)),
    (r"cross[- ]site[- ]scripting|\bXSS\b", (79, 80)),
    (r"cross[- ]site[- ]request[- ]forgery|\bCSRF\b", (352,)),
    (r"server[- ]side[- ]request[- ]forgery|\bSSRF\b", (918,)),
    (r"(?:path|directory)[- ]traversal|\bzip[- ]slip\b", (22, 23, 36, 73)),
    (r"open[- ]redirect", (601,)),
    (r"\bIDOR\b|\bBOLA\b|insecure direct object", (639,)),
    (r"(?:insecure|unsafe) deseriali[sz]ation", (502,)),
    (r"template[- ]injection|\bSSTI\b", (1336,)),
    (r"(?:remote |arbitrary )code[- ]execution|\bRCE\b|code[- ]injection", (77, 78, 94, 95, 502, 1336)),
    (r"hard-?\s?coded (?:\w+ )?(?:secret|credential|password|key|token)s?", (259, 321, 798, 1188, 1392)),
    (r"timing[- ](?:attack|side[- ]channel|leak)", (208,)),
    (r"mass[- ]assignment", (915,)),
    (r"\bXXE\b|XML external entit", (611,)),
    (r"session[- ]fixation", (384,)),
    (
        r"\bJWTs?\b[^.;]{0,40}\b(?:not verified|unverified|without verif\w+)|algorithm[- ]confusion",
        (345, 347),
    ),
    (r"(?:weak|broken|fast|unsalted) (?:password )?hash(?:es|ing)?\b", (327, 328, 759, 916)),
    (r"privilege[- ]escalation", (269, 285, 639, 862, 863, 915)),
    (
        r"(?:missing|broken|bypassed|absent) authenticat\w+|authentication[- ]bypass",
        (287, 288, 290, 302, 306, 345, 347, 489, 636, 798, 862, 1188, 1392),
    ),
    (
        r"(?:missing|broken|bypassed|absent) (?:authori[sz]ation|access control)|authori[sz]ation[- ]bypass",
        (252, 284, 285, 306, 636, 639, 862, 863),
    ),
    (r"header[- ]injection|response splitting|CRLF injection", (93, 113, 644)),
    (r"LDAP[- ]injection", (90,)),
    (r"log[- ]injection|log forging", (117,)),
    (r"user enumeration|account enumeration", (203, 204)),
    (
        r"plain-?\s?text passwords?|passwords? (?:is|are) (?:stored|kept|saved) (?:in (?:plain|clear)|unhashed|without)",
        (256, 257, 312, 522, 916),
    ),
    (
        r"(?:leak|expos|disclos)\w* (?:\w+ ){0,3}(?:passwords?|secrets?|tokens?|credentials?|hashes|personal data|stack ?traces?)",
        (200, 209, 213, 312, 497, 522, 524, 532),
    ),
    (r"CORS\b[^.;]{0,40}\b(?:any|every|all|wildcard) ?origins?", (346, 942)),
    (r"debug mode is on|debug=True", (489,)),
    (
        r"(?:does|do) not verify (?:the |its )?signature|signature (?:is )?(?:not|never) (?:checked|verified)",
        (345, 347),
    ),
    (ANYBODY, (252, 284, 285, 287, 288, 290, 302, 306, 345, 347, 489, 636, 639, 862, 863)),
)
#: What calls something weak without naming the weakness.
GENERAL = lazy_pattern(
    r"(?<!no )(?<!not )\b(?:vulnerab(?:le|ility|ilities)|exploitable|insecure|attackers? (?:can|could|may|is able to|reads?|writes?|"
    r"steals?))\b",
    re.IGNORECASE,
)
_TABLE = tuple(
    (lazy_pattern(words, re.IGNORECASE), frozenset(f"CWE-{number}" for number in numbers))
    for words, numbers in WEAKNESSES
)
#: Said of a weakness that is warded off, ruled out or looked for, and so not claimed.
_NOT_CLAIMED = lazy_pattern(
    r"\b(?:no|not|never|without|nor|neither)\b(?:\s+[\w-]+){0,2}\s*$"
    r"|\b(?:against|prevent\w*|avoid\w*|rul(?:e|es|ed|ing) out|stop\w*|block\w*|protect\w*|defen[dc]\w*|mitigat\w*|free of|"
    r"safe from|immune to|looks? for|look(?:ed|ing) for|check(?:s|ed|ing)? for|test(?:s|ed|ing)? for|scan\w* for|instead of|"
    r"would be)\b[^.,;:!?]{0,60}$",
    re.IGNORECASE,
)


def named_weaknesses(sentence: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Weaknesses that a sentence claims: its words, and the numbers they stand for."""
    plain = re.sub(r"`[^`]*`", lambda m: "`" + "_" * (len(m[0]) - 2) + "`", sentence)
    for words, numbers in _TABLE:
        for match in words.finditer(plain):
            if not _NOT_CLAIMED.search(plain[: match.start()]):
                yield match[0], numbers
                break
