"""A coroutine computes for long: it hashes passwords, packs archives, transforms images or tables.

A password hash is slow on purpose, a few tenths of a second. On the event loop nothing else runs meanwhile,
so parallel logins queue up behind each other and everybody else behind them. Threads help, because these
functions let go of the interpreter's lock while they compute.

Known limits: loops written in Python are not measured; of several such calls in one coroutine the first is
reported. What is done once, because its result is kept (`if not folder.is_dir()`), and one picture that no client sent are
tentative. Work in an ordinary function below a coroutine is reported by `blocking-call-through-sync-helper`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.blocking_ways import on_the_loop
from fastapi_architect.analyses.event_loop import OnLoop
from fastapi_architect.analyses.offloading import (
    called_name,
    made_plain,
    may_be_plain,
    on_a_thread,
    whose_turn,
)
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.cryptography import KeyDerivation
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    argument,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A coroutine computes for long on the event loop",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        "https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#work-factors",
    ),
    requires=("argon2-cffi",),
)


@rule.check(per=Function, having=(BlockingCall,))
def coroutine_computes(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if not function.is_async:
        return
    calls = [
        b for b in graph.within(BlockingCall, function) if b.kind == "cpu" and not _is_small(b, function)
    ]
    for blocking in calls:
        on = on_the_loop(blocking, graph)
        if on is not None:
            yield _finding(blocking, on, graph)
            return


def _is_small(blocking: BlockingCall, function: Function) -> bool:
    """What it works on is written down here, hence small; an image that is opened is not decoded yet."""
    if blocking.name.endswith("Image.open"):
        return True
    if blocking.name.startswith("pandas.DataFrame.") and isinstance(blocking.node.func, ir.Attribute):
        return _is_written_table(blocking.node.func.value, function)
    if _is_stored(blocking, function):
        return True
    args = blocking.node.args
    return bool(args) and all(a.__class__ is ir.Constant for a in args)


_PUTS_TEXT = "zipfile.ZipFile.writestr"


def _is_stored(blocking: BlockingCall, function: Function) -> bool:
    """`ZipFile(buffer, "w")` packs nothing unless it, or a `ZipInfo`, is told to: members are copied as they are."""
    if blocking.name != _PUTS_TEXT or argument(blocking.node, 2, "compress_type") is not None:
        return False
    if function.facts.calls_named("ZipInfo"):
        return False
    archive = getattr(blocking.node.func, "value", None)
    made = _values(archive, function) if isinstance(archive, ir.Name) else []
    return bool(made) and all(
        isinstance(each, ir.Call)
        and last_name(each.func) == "ZipFile"
        and argument(each, 2, "compression") is None
        and all(k.arg is not None for k in each.keywords)
        for each in made
    )


def _is_written_table(table: ir.Expr, function: Function) -> bool:
    """`pd.DataFrame(rows)` of rows that all stand here, such as the headings of a form to fill in."""
    frames = _values(table, function)
    return bool(frames) and all(
        isinstance(frame, ir.Call)
        and last_name(frame.func) == "DataFrame"
        and all(_is_literal(value) for arg in frame.args[:1] for value in _values(arg, function))
        for frame in frames
    )


def _values(expr: ir.Expr, function: Function) -> list[ir.Expr | None]:
    """What a name was given in this body; another expression is its own value."""
    if not isinstance(expr, ir.Name):
        return [expr]
    return [binding.value for binding in function.facts.bindings.get(expr.id, ())] or [None]


def _is_literal(expr: ir.Expr | None) -> bool:
    return isinstance(expr, ir.Sequence | ir.Dict | ir.Constant) and all(
        isinstance(node, ir.Sequence | ir.Dict | ir.Constant) for node in walk(expr)
    )


#: Packers, whose time is that of their input.
_PACKERS = ("zipfile.", "tarfile.", "gzip.", "zlib.", "bz2.", "lzma.")
#: What brings in something that may be large: an upload, a file, another host's answer.
_BRINGS = frozenset({"read", "aread", "read_bytes", "content", "body", "extractall", "write", "add"})


#: Readers of one picture, whose time is that of its pixels.
_PICTURES = ("cv2.",)
_EXISTS = frozenset({"exists", "is_dir", "is_file", "isdir", "isfile"})
#: Writers of a book that the application filled, row by row.
_BOOKS = ("openpyxl.Workbook.save",)


def _may_be_small(blocking: BlockingCall, function: Function, on: OnLoop) -> bool:
    """A packer is given what this body made itself, such as a few pages of text: nobody knows how much that is.

    One picture that no client has sent is as large as the service makes it, and what is left where it was made is made once.
    """
    if _is_kept(blocking) or (blocking.name.startswith(_PICTURES) and not _takes_upload(on)):
        return True
    if blocking.name in _BOOKS:
        return not any(last_name(call.node.func) == "load_workbook" for call in function.facts.calls)
    if not blocking.name.startswith(_PACKERS) or last_name(blocking.node.func) in _BRINGS:
        return False
    given = list(blocking.node.args)
    names = {node.id for arg in blocking.node.args for node in walk(arg) if isinstance(node, ir.Name)}
    given += [b.value for name in names for b in function.facts.bindings.get(name, ()) if b.value is not None]
    return not any(
        isinstance(node, ir.Attribute) and node.attr in _BRINGS for value in given for node in walk(value)
    )


def _is_kept(blocking: BlockingCall) -> bool:
    """`if not folder.is_dir(): archive.extractall(folder)`: the next request finds it done."""
    return any(
        context.role == "if"
        and isinstance(context.node, ir.If)
        and isinstance(context.node.test, ir.UnaryOp)
        and context.node.test.op == "not"
        and isinstance(context.node.test.operand, ir.Call)
        and last_name(context.node.test.operand.func) in _EXISTS
        for context in blocking.site.context
    )


def _takes_upload(on: OnLoop) -> bool:
    """A client may send a file, or bytes, to some operation that gets here."""
    return any(
        p.kind in ("file", "request") or (p.kind == "body" and p.is_input)
        for o in on.operations
        for p in o.parameters
    )


def _is_hash(blocking: BlockingCall, graph: AppGraph) -> bool:
    if blocking.name.startswith(("argon2.", "bcrypt.", "passlib.", "pwdlib.", "hashlib.")):
        return True
    return any(k.node is blocking.node for k in graph.within(KeyDerivation, blocking.scope))


def _finding(blocking: BlockingCall, on: OnLoop, graph: AppGraph) -> Finding:
    function = blocking.function
    assert function is not None
    name = called_name(blocking.site)
    is_hash = _is_hash(blocking, graph)
    confidence = Confidence.CERTAIN if blocking.sure and on.sure and is_hash else Confidence.FIRM
    what = "a password hash is slow on purpose" if is_hash else "it takes as long as its input is large"
    return rule.at(
        blocking,
        f"`{function.name}` {whose_turn(on, function)} and computes there in `{name}`; {what}, and no other "
        f"request of "
        "this worker is served meanwhile.",
        _suggestion(blocking, graph),
        reasoning=f"`{blocking.name}` runs on the event loop's thread: no thread or process pool takes it.",
        exploit=f"An attacker sends {first_route(on.operations, function.name)} a few dozen times at once; one is computed "
        "behind the other, and the worker answers nobody until the last is done.",
        confidence=confidence
        if on.serves and not _may_be_small(blocking, function, on)
        else Confidence.TENTATIVE,
        trace=steps(
            (function, f"{function.name} {whose_turn(on, function)}"),
            (blocking, f"{name} computes on the loop"),
        ),
        fix=made_plain(function, graph),
        routes=routes_of(on.operations),
        context=Context(stops_process=True),
        impact=float(len(on.operations)),
    )


def _suggestion(blocking: BlockingCall, graph: AppGraph) -> str:
    function = blocking.function
    assert function is not None
    name = function.name
    text = (
        f"Compute on a thread:\n```python\nimport asyncio\n\n\n"
        f"{definition(graph, function, f'result = {on_a_thread(blocking.site)}')}\n```"
    )
    if may_be_plain(function, graph):
        text += f"\nOr declare `{name}` with `def`: it awaits nothing, and FastAPI then runs it on a thread."
    return text


rule.bad = """
    from argon2 import PasswordHasher
    from fastapi import FastAPI, HTTPException
    from pydantic import BaseModel

    app = FastAPI()
    hasher = PasswordHasher()
    users: dict[str, str] = {}


    class Registration(BaseModel):
        email: str
        password: str


    @app.post("/users", status_code=201)
    async def register(payload: Registration) -> None:
        if payload.email in users:
            raise HTTPException(409)
        users[payload.email] = hasher.hash(payload.password)  # finding: cpu-bound-work-on-loop
"""

rule.good = """
    from argon2 import PasswordHasher
    from fastapi import FastAPI, HTTPException
    from fastapi.concurrency import run_in_threadpool
    from pydantic import BaseModel

    app = FastAPI()
    hasher = PasswordHasher()
    users: dict[str, str] = {}


    class Registration(BaseModel):
        email: str
        password: str


    @app.post("/users", status_code=201)
    async def register(payload: Registration) -> None:
        if payload.email in users:
            raise HTTPException(409)
        users[payload.email] = await run_in_threadpool(hasher.hash, payload.password)
"""


@rule.symptom
def the_loop_computes(proof: Proof) -> None:
    """While one client registers, the event loop computes a password hash and serves nobody."""
    answer = proof.client.post("/users", json={"email": "a@example.com", "password": "correct horse"})
    assert answer.status_code == 201
    assert proof.blocked == ["argon2.PasswordHasher.hash"]
