"""A token, code or key that opens something is made of values that can be worked out.

`random` is built for simulations: who has seen some hundred of its values knows all that follow. `uuid1` is the time and the
network card, `uuid3` and `uuid5` are digests of what goes in, and a digest of an address or of the time is as secret as these
are. Whoever knows how reset codes, session ids or API keys are made then makes those of other people.

Known limits: what a value is for is told by the names it gets (variables, columns, arguments, cookies, functions), through
five of them. Values that are mixed with an unpredictable one are left out, and those of a generator with a seed of its own.
A session id that goes into no cookie is tentative, and so are what no request reaches and a short token of `secrets`: 64 bits
are guessed only where nobody counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.goes_into import Destination, destinations
from fastapi_architect.analyses.made_of import Piece, pieces
from fastapi_architect.concepts.configuration import ClockRead
from fastapi_architect.concepts.cryptography import Digest, RandomValue
from fastapi_architect.program.facts import runs_as_script
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    Step,
    dotted_name,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A security token can be predicted",
    severity=Severity.IMPORTANT,
    cwe=330,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://docs.python.org/3/library/secrets.html",
        "https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html#secure-random-number-generation",
    ),
)

_SECRET = lazy_pattern(
    r"(^|_)(token|otp|passcode|api_?key|apikey|secret|secret_?key|session_?(id|key)|csrf|xsrf|password|passwd|pwd|"
    r"(reset|verification|verify|verif|confirmation|confirm|activation|auth|access|invite|invitation|login|recovery|security|"
    r"sms|one_time|mfa|magic|temp|temporary)_?(code|key|pin|hash|link|secret)|pin_?code|(recovery|backup)_codes?|"
    r"(referral|coupon|voucher|gift(_?card)?|promo|redeem|redemption|licen[sc]e)_?(code|key))$",
    re.IGNORECASE,
)
_NO_SECRET = lazy_pattern(
    r"(page|next|device|push|eos|bos|pad|mask|stop|sync|continuation|special|fake|dummy|mock|num|max|input|output)_?(token|code)$",
    re.IGNORECASE,
)
#: A name for the secret, and parts of a message: what comes behind is none.
_LABEL = lazy_pattern(
    r"(secret|token|password|key)_(id|name)$|placeholder|nonce|salt|(^|_)iv$|filename|suffix|prefix",
    re.IGNORECASE,
)
#: Short values that are meant to be typed: what protects them is a limit on tries.
_TYPED = lazy_pattern(r"code|otp|pin|csrf|xsrf|passcode", re.IGNORECASE)
_CONVERSATION = lazy_pattern(r"session_?id$", re.IGNORECASE)
#: What everybody knows of an account or a moment.
_KNOWN = lazy_pattern(
    r"(^|_)(e?mail|user(name)?|name|login|phone|id|time|date|now|timestamp|today|created_at)$", re.IGNORECASE
)
_ENOUGH_BYTES = 16
_FEW_BYTES = 8
#: More names than this on the way, and the last one is a guess.
_FAR = 2
_PREDICTABLE_UUIDS = frozenset({"uuid.uuid1", "uuid.uuid3", "uuid.uuid5"})


# ── values of `random`, and identifiers that are no secrets ───────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def made_of_random(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    for value in graph.facts(RandomValue):
        function = value.function
        if value.secure or function is None or function.module.kind != "source" or value.name == "uuid.uuid7":
            continue
        # A generator of one's own has a seed of one's own: data that is to be the same each time.
        if value.name.startswith("random.Random") or id(value.site.statement) in seen:
            continue
        found = _secret_destination(graph, value.node, function)
        if found is not None and not _is_mixed(graph, value.site):
            seen.add(id(value.site.statement))
            yield _finding(graph, value, found)


def _secret_destination(graph: AppGraph, node: ir.Call, function: Function) -> Destination | None:
    return next((each for each in destinations(graph, node, function) if _is_secret(each)), None)


def _is_secret(destination: Destination) -> bool:
    name = destination.name
    if any(_LABEL.search(each.name) for each in destination.before):
        return False
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


def _is_mixed(graph: AppGraph, site: Site) -> bool:
    """An unpredictable value stands in the same statement."""
    own = [each for each in graph.within(RandomValue, site.scope) if each.secure]
    return any(each.site.statement is site.statement for each in own)


def _finding(graph: AppGraph, value: RandomValue, found: Destination) -> Finding:
    operations = graph.entries(value.function) if value.function is not None else ()
    made = _how(value)
    return rule.at(
        value,
        f"`{found.name}` ({_where(found)}) is made by `{dotted_name(value.node.func)}`, whose values can be worked out.",
        f"Let the operating system choose it:\n```python\nimport secrets\n\n{_variable(found)} = secrets.token_urlsafe(32)\n```",
        reasoning=f"{made}, and `{found.name}` is what proves who somebody is.",
        exploit=_attack(value, found),
        confidence=_confidence(graph, value, found),
        trace=_trace(value, found),
        fix=_fix(graph, value),
        routes=routes_of(operations),
        context=Context(data="secret", writes=True, hard=True),
    )


def _how(value: RandomValue) -> str:
    if value.name == "uuid.uuid1":
        return "`uuid1` is made of the time and the address of the network card"
    if value.name in _PREDICTABLE_UUIDS:
        return f"`{value.name}` is a digest of its arguments: who knows them knows it"
    return "`random` is a Mersenne Twister: 624 of its numbers give all the others"


def _attack(value: RandomValue, found: Destination) -> str:
    if value.name in _PREDICTABLE_UUIDS:
        return f"Ask for a `{found.name}` of your own, work out what somebody else's must be from what you know, and use that."
    return (
        f"Collect enough values of your own, work out the state of `random` in that process, and compute the `{found.name}` "
        "that the next person gets."
    )


def _where(found: Destination) -> str:
    return {
        "assigned": "a variable", "attribute": "an attribute", "key": "a key", "argument": "an argument",
        "cookie": "a cookie", "returned": "the result of a function",
    }[found.kind]  # fmt: skip


def _variable(found: Destination) -> str:
    return found.name if found.kind == "assigned" and found.name.isidentifier() else "token"


def _confidence(graph: AppGraph, value: RandomValue, found: Destination) -> Confidence:
    function = value.function
    if (
        not value.sure
        or len(found.before) > _FAR
        or (_CONVERSATION.search(found.name) and found.kind != "cookie")
    ):
        return Confidence.TENTATIVE
    if function is None:
        return Confidence.FIRM
    if not _is_reached(graph, function, found):
        return Confidence.TENTATIVE
    if value.name in ("uuid.uuid3", "uuid.uuid5") and found.kind != "cookie":
        return Confidence.TENTATIVE
    return Confidence.CERTAIN if found.kind == "cookie" else Confidence.FIRM


def _is_reached(graph: AppGraph, function: Function, found: Destination) -> bool:
    """A request runs it, or the service does when it starts: a module or the body of a class calls it."""
    if graph.entries(function) or (isinstance(found.scope, Function) and graph.entries(found.scope)):
        return True
    return any(
        not isinstance(site.scope, Function)
        and site.scope.module.kind == "source"
        and not runs_as_script(site)
        for site in graph.program.calls.callers(function)
    )


def _trace(value: RandomValue, found: Destination) -> tuple[Step, ...]:
    ways = [(each.scope.location(each.node), f"it becomes `{each.name}`") for each in (*found.before, found)]
    return steps((value, f"{dotted_name(value.node.func)} makes it"), *ways)


def _fix(graph: AppGraph, value: RandomValue) -> Fix | None:
    """The same call on the system's own generator, for every such call of the statement."""
    together = [
        each
        for each in graph.within(RandomValue, value.scope)
        if each.site.statement is value.site.statement and not each.secure
    ]
    edits = [_edit(each) for each in together]
    if not edits or any(edit is None for edit in edits):
        return None
    return Fix(
        "Take it from the operating system's generator", tuple(e for e in edits if e is not None), safe=True
    )


def _edit(value: RandomValue) -> Edit | None:
    func = value.node.func
    if not isinstance(func, ir.Attribute) or not isinstance(func.value, ir.Name):
        return None
    place = value.scope.location(func)
    start = place.end_column - len(func.attr)
    if value.name == "uuid.uuid1" and not value.node.args and not value.node.keywords:
        return Edit(Location(place.path, place.end_line, start, place.end_line, place.end_column), "uuid4")
    if value.name == f"random.{func.attr}":
        return Edit(Location(place.path, place.end_line, start, place.end_line, start), "SystemRandom().")
    return None


@rule.check(per=AppGraph)
def made_of_random_at_the_start(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    """A secret of a module or a class, made once when the service starts."""
    seen: set[int] = set()
    for value in graph.facts(RandomValue):
        is_own = value.name == "uuid.uuid7" or value.name.startswith("random.Random")
        if value.secure or is_own or value.function is not None or id(value.site.statement) in seen:
            continue
        statement = value.site.statement
        if not isinstance(statement, ir.Assign | ir.AnnAssign) or value.scope.module.kind != "source":
            continue
        targets = statement.targets if isinstance(statement, ir.Assign) else [statement.target]
        here = [Destination(last_name(target), "assigned", statement, value.scope) for target in targets]
        found = next((each for each in here if _is_secret(each)), None)
        if found is not None and not _is_mixed(graph, value.site):
            seen.add(id(statement))
            yield _finding(graph, value, found)


# ── digests of what everybody knows, and times ────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def made_of_what_is_known(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for digest in graph.facts(Digest):
        name = _named_in(digest.site)
        if name and digest.data is not None and _is_known(graph, digest.data, digest.scope):
            yield _known(graph, digest, name, "a digest of what others know, too")
    for clock in graph.facts(ClockRead):
        name = _named_in(clock.site)
        if name and clock.kind == "timestamp" and _is_all_of_it(graph, clock.site):
            yield _known(graph, clock, name, "the time")


def _named_in(site: Site) -> str:
    """The secret that the statement around a call gives a name to; "" when there is none, or outside of the program."""
    if site.scope.module.kind != "source" or not isinstance(site.scope, Function):
        return ""
    statement = site.statement
    names = []
    if isinstance(statement, ir.Assign):
        names = [last_name(target) for target in statement.targets]
    elif isinstance(statement, ir.Return):
        names = [site.scope.name]
    return next((name for name in names if _SECRET.search(name) and not _NO_SECRET.search(name)), "")


def _is_known(graph: AppGraph, data: ir.Expr, scope: Scope) -> bool:
    clocks = {id(each.node) for each in graph.within(ClockRead, scope)}

    def secret(piece: Piece) -> bool | None:
        expr = piece.expr
        if isinstance(expr, ir.Constant) or id(expr) in clocks:
            return False
        if isinstance(expr, ir.Name | ir.Attribute) and _KNOWN.search(last_name(expr)):
            return False
        if isinstance(expr, ir.Attribute):
            return True
        if isinstance(expr, ir.Name):
            bound = scope.facts.bindings.get(expr.id, ())
            return None if piece.scope is scope and any(each.kind == "assign" for each in bound) else True
        return True if isinstance(expr, ir.Call) and last_name(expr.func) not in _FORMS else None

    named = [n for n in walk(data) if isinstance(n, ir.Name | ir.Attribute) and _KNOWN.search(last_name(n))]
    return bool(named) and not any(True for _ in pieces(graph, data, scope, secret))


_FORMS = frozenset(
    {
        "str",
        "encode",
        "format",
        "join",
        "lower",
        "upper",
        "strip",
        "isoformat",
        "timestamp",
        "int",
        "bytes",
        "now",
    }
)


def _is_all_of_it(graph: AppGraph, site: Site) -> bool:
    """The statement mixes the time with nothing that is not known."""
    value = getattr(site.statement, "value", None)
    others = [n for n in walk(value) if isinstance(n, ir.Call) and n is not site.node]
    if _is_mixed(graph, site) or any(
        last_name(n.func) not in _FORMS | {"hex", "round", "md5", "sha256", "sha1", "hexdigest"}
        for n in others
    ):
        return False
    names = [n for n in walk(value) if isinstance(n, ir.Name | ir.Attribute)]
    called = {id(n.func) for n in walk(value) if isinstance(n, ir.Call)}
    inner = {id(n.value) for n in names if isinstance(n, ir.Attribute)}
    free = [n for n in names if id(n) not in called and id(n) not in inner]
    return (
        not isinstance(value, ir.BinOp) and all(_KNOWN.search(last_name(n)) for n in free) and _is_text(value)
    )


def _is_text(value: ir.Expr | None) -> bool:
    """It is made into a text, a number or a digest; a time that is kept is a time."""
    return isinstance(value, ir.JoinedStr) or (
        isinstance(value, ir.Call)
        and last_name(value.func) in ("str", "hexdigest", "hex", "format", "encode")
    )


def _known(graph: AppGraph, made: Digest | ClockRead, name: str, what: str) -> Finding:
    function = made.function
    assert function is not None
    operations = graph.entries(function)
    return rule.at(
        made,
        f"`{name}` is {what}: nothing in it is secret.",
        f"Let the operating system choose it:\n```python\nimport secrets\n\n{name} = secrets.token_urlsafe(32)\n```",
        reasoning=f"Everything that goes into `{name}` can be known or tried out.",
        exploit=f"Make the `{name}` of somebody whose address you know, in the seconds around the moment it was made, and use it.",
        confidence=Confidence.TENTATIVE if _CONVERSATION.search(name) else Confidence.FIRM,
        trace=steps((made, f"`{dotted_name(made.node.func)}` makes it")),
        routes=routes_of(operations),
        context=Context(data="secret", writes=True, hard=True),
    )


# ── short values of `secrets` ─────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def made_too_short(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for value in graph.facts(RandomValue):
        function = value.function
        if not value.secure or value.size is None or function is None or function.module.kind != "source":
            continue
        size = graph.program.constants.value(value.size, value.scope)
        if not isinstance(size, int) or size >= _ENOUGH_BYTES:
            continue
        found = _secret_destination(graph, value.node, function)
        if found is None or _TYPED.search(found.name) or _is_joined(value.site):
            continue
        yield rule.at(
            value,
            f"`{found.name}` ({_where(found)}) has {size * 8} random bits; {_ENOUGH_BYTES * 8} are what nobody can try out.",
            f"Take more bytes:\n```python\n{_variable(found)} = {dotted_name(value.node.func)}(32)\n```",
            reasoning=f"`{dotted_name(value.node.func)}({size})` is {size} bytes.",
            exploit=f"Try out values of `{found.name}` until one is somebody's: with many of them in use it takes as much less.",
            confidence=_confidence(graph, value, found) if size < _FEW_BYTES else Confidence.TENTATIVE,
            trace=_trace(value, found),
            routes=routes_of(graph.entries(function)),
            context=Context(data="secret", writes=True, hard=True),
        )


def _is_joined(site: Site) -> bool:
    """It is one part of a longer value."""
    value = getattr(site.statement, "value", None)
    return any(isinstance(each, ir.JoinedStr | ir.BinOp) for each in walk(value))


_HEAD = """
    import random

    from fastapi import Cookie, FastAPI, HTTPException, Response

    app = FastAPI()
    sessions: dict[str, str] = {}


    @app.post("/sessions")
    def log_in(user: str, response: Response) -> None:
"""

_TAIL = """
        sessions[session_token] = user
        response.set_cookie("session_token", session_token, httponly=True, secure=True, samesite="lax")


    @app.get("/me")
    def read_me(session_token: str = Cookie()) -> str:
        if session_token not in sessions:
            raise HTTPException(401)
        return sessions[session_token]
"""

rule.bad = (
    _HEAD
    + '        session_token = f"{random.getrandbits(128):032x}"  # finding: predictable-security-token'
    + _TAIL
)

rule.good = (_HEAD + "        session_token = secrets.token_urlsafe(32)" + _TAIL).replace(
    "import random", "import secrets"
)


@rule.exploit
def the_next_session_is_computed(proof: Proof) -> None:
    """A stranger collects 156 session tokens of their own, computes the next one, and is whoever gets it."""
    import random

    def undone(word: int, shift: int, mask: int = 0xFFFFFFFF) -> int:
        """Undo `word ^= (word >> shift) & mask`; a negative shift goes left."""
        found = word
        for _ in range(32):
            found = word ^ ((found >> shift if shift > 0 else found << -shift) & mask)
        return found

    def unmixed(word: int) -> int:
        return undone(undone(undone(undone(word, 18), -15, 0xEFC60000), -7, 0x9D2C5680), 11)

    state: list[int] = []
    for _ in range(156):
        token = proof.client.post("/sessions", params={"user": "mallory"}).cookies["session_token"]
        assert all(digit in "0123456789abcdef" for digit in token), "no number of `random`"
        number = int(token, 16)
        state += [unmixed(number >> (32 * part) & 0xFFFFFFFF) for part in range(4)]
    known = random.Random()
    known.setstate((3, (*state, 624), None))
    proof.client.post("/sessions", params={"user": "alice"})
    forged = f"{known.getrandbits(128):032x}"
    proof.client.cookies.clear()
    assert proof.client.get("/me", headers={"Cookie": f"session_token={forged}"}).json() == "alice"
