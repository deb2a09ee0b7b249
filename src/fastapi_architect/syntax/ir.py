"""The intermediate representation of Python source: what `ast` says, smaller and encodable.

Every node is a frozen `msgspec.Struct` without garbage-collector tracking. Field names follow `ast` where the meaning
is the same. `span` is one packed integer (see `syntax.span`).

A file that comes from another process or from the cache was encoded: its nodes as tagged arrays, these with `marshal`,
which keeps what is shared shared. A million lines hold three million strings, of which one in fifty is different.

Traps
-----
* `array_like` structs are positional: append new fields at the end, with a default, and raise `IR_VERSION`.
* Struct equality compares spans; identity (`is`, `id`) is what memo tables use.
"""

from __future__ import annotations

import marshal

import msgspec

#: Raised whenever the meaning or order of any field changes: part of the parse cache's key.
IR_VERSION = 5


class Node(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=False):
    """Base of all nodes: where it stands in the file (`syntax.span` unpacks it)."""

    span: int


# ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────


class Name(Node, frozen=True, gc=False, array_like=True, tag="n"):
    """An identifier that is read (or written, when it is the target of an assignment)."""

    id: str


class Constant(Node, frozen=True, gc=False, array_like=True, tag="c"):
    """A literal; `kind` is one of str, int, float, complex, bytes, bool, none, ellipsis.

    `value` holds str, int within 64 bits, float and bool as they are; bytes as latin-1 text; larger integers and complex
    numbers as their text; None for none and ellipsis.
    """

    kind: str
    value: str | int | float | bool | None


class Attribute(Node, frozen=True, gc=False, array_like=True, tag="a"):
    """`value.attr`."""

    value: Expr
    attr: str


class Keyword(Node, frozen=True, gc=False, array_like=True):
    """`arg=value` in a call or class header; `arg` is None for `**value`."""

    arg: str | None
    value: Expr


class Call(Node, frozen=True, gc=False, array_like=True, tag="C"):
    """`func(*args, **keywords)`; a `*x` argument is a `Starred`."""

    func: Expr
    args: list[Expr]
    keywords: list[Keyword]


class Subscript(Node, frozen=True, gc=False, array_like=True, tag="s"):
    """`value[slice]`."""

    value: Expr
    slice: Expr


class Slice(Node, frozen=True, gc=False, array_like=True, tag="sl"):
    """`lower:upper:step` inside a subscript."""

    lower: Expr | None
    upper: Expr | None
    step: Expr | None


class BinOp(Node, frozen=True, gc=False, array_like=True, tag="b"):
    """`left op right`; `op` is the operator as written, such as `%` or `|`.

    A left-leaning chain of one operator is kept as nested nodes up to the decoder's depth and beyond it as `Chain`.
    """

    left: Expr
    op: str
    right: Expr


class Chain(Node, frozen=True, gc=False, array_like=True, tag="ch"):
    """`a + b + c + ...` with more terms than may be nested (see `syntax.lower`); `op` as written, all the same."""

    op: str
    operands: list[Expr]


class BoolOp(Node, frozen=True, gc=False, array_like=True, tag="bo"):
    """`a and b and c`; `op` is `and` or `or`."""

    op: str
    values: list[Expr]


class UnaryOp(Node, frozen=True, gc=False, array_like=True, tag="u"):
    """`op operand`; `op` is one of `not`, `-`, `+`, `~`."""

    op: str
    operand: Expr


class Compare(Node, frozen=True, gc=False, array_like=True, tag="cm"):
    """`left op[0] comparators[0] op[1] ...`; operators as written, such as `not in`."""

    left: Expr
    ops: list[str]
    comparators: list[Expr]


class Dict(Node, frozen=True, gc=False, array_like=True, tag="d"):
    """`{key: value}`; a key is None for `**value`."""

    keys: list[Expr | None]
    values: list[Expr]


class Sequence(Node, frozen=True, gc=False, array_like=True, tag="q"):
    """A list, tuple or set display; `kind` says which."""

    kind: str
    elts: list[Expr]


class Generator(Node, frozen=True, gc=False, array_like=True):
    """`for target in iter if ifs` of a comprehension."""

    target: Expr
    iter: Expr
    ifs: list[Expr]
    is_async: bool


class Comprehension(Node, frozen=True, gc=False, array_like=True, tag="co"):
    """A comprehension; `kind` is list, set, dict or generator; `value` is set for dict only (`elt` is then the key)."""

    kind: str
    elt: Expr
    value: Expr | None
    generators: list[Generator]


class Lambda(Node, frozen=True, gc=False, array_like=True, tag="l"):
    """`lambda params: body`."""

    params: list[Param]
    body: Expr


class IfExp(Node, frozen=True, gc=False, array_like=True, tag="i"):
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr


class Await(Node, frozen=True, gc=False, array_like=True, tag="w"):
    """`await value`."""

    value: Expr


class Yield(Node, frozen=True, gc=False, array_like=True, tag="y"):
    """`yield value`, or `yield from value` when `is_from`."""

    value: Expr | None
    is_from: bool


class NamedExpr(Node, frozen=True, gc=False, array_like=True, tag="ne"):
    """`(target := value)`."""

    target: Expr
    value: Expr


class JoinedStr(Node, frozen=True, gc=False, array_like=True, tag="j"):
    """An f-string: literal parts (`Constant`) and `FormattedValue`s in order; `template` when it was a t-string."""

    values: list[Expr]
    template: bool = False


class FormattedValue(Node, frozen=True, gc=False, array_like=True, tag="f"):
    """`{value!conversion:format_spec}`; conversion is "", "s", "r" or "a"."""

    value: Expr
    conversion: str
    format_spec: Expr | None


class Starred(Node, frozen=True, gc=False, array_like=True, tag="*"):
    """`*value`."""

    value: Expr


class TooDeep(Node, frozen=True, gc=False, array_like=True, tag="?"):
    """An expression nested more deeply than the IR keeps; the file is reported as partly not analysed."""


Expr = (
    Name
    | Constant
    | Attribute
    | Call
    | Subscript
    | Slice
    | BinOp
    | Chain
    | BoolOp
    | UnaryOp
    | Compare
    | Dict
    | Sequence
    | Comprehension
    | Lambda
    | IfExp
    | Await
    | Yield
    | NamedExpr
    | JoinedStr
    | FormattedValue
    | Starred
    | TooDeep
)


class Param(Node, frozen=True, gc=False, array_like=True):
    """A parameter of a function; `kind` is one of posonly, normal, vararg, kwonly, kwarg."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────


class ExprStmt(Node, frozen=True, gc=False, array_like=True, tag="E"):
    """An expression whose value is discarded. Docstrings are not kept as statements (see `FunctionDef.docstring`)."""

    value: Expr


class Assign(Node, frozen=True, gc=False, array_like=True, tag="A"):
    """`targets[0] = targets[1] = value`."""

    targets: list[Expr]
    value: Expr


class AnnAssign(Node, frozen=True, gc=False, array_like=True, tag="N"):
    """`target: annotation = value`."""

    target: Expr
    annotation: Expr
    value: Expr | None


class AugAssign(Node, frozen=True, gc=False, array_like=True, tag="G"):
    """`target op= value`; `op` without the equals sign."""

    target: Expr
    op: str
    value: Expr


class Return(Node, frozen=True, gc=False, array_like=True, tag="R"):
    """`return value`."""

    value: Expr | None


class Raise(Node, frozen=True, gc=False, array_like=True, tag="X"):
    """`raise exc from cause`."""

    exc: Expr | None
    cause: Expr | None


class Delete(Node, frozen=True, gc=False, array_like=True, tag="D"):
    """`del targets`."""

    targets: list[Expr]


class Assert(Node, frozen=True, gc=False, array_like=True, tag="T"):
    """`assert test, msg`."""

    test: Expr
    msg: Expr | None


class Jump(Node, frozen=True, gc=False, array_like=True, tag="J"):
    """`pass`, `break` or `continue`: `kind` says which."""

    kind: str


class Scoping(Node, frozen=True, gc=False, array_like=True, tag="S"):
    """`global names` or `nonlocal names`: `kind` says which."""

    kind: str
    names: list[str]


class ImportedName(Node, frozen=True, gc=False, array_like=True):
    """`name as asname` in an import; `name` may be dotted in a plain import and `*` in a from-import."""

    name: str
    asname: str | None


class Import(Node, frozen=True, gc=False, array_like=True, tag="I"):
    """`import a.b as c`."""

    names: list[ImportedName]


class ImportFrom(Node, frozen=True, gc=False, array_like=True, tag="F"):
    """`from ..module import names`; `level` counts the leading dots."""

    module: str
    names: list[ImportedName]
    level: int


class If(Node, frozen=True, gc=False, array_like=True, tag="?i"):
    """`if test: body else: orelse`; a long `elif` ladder is flattened: `elifs` holds its (test, body) pairs in order.

    So that 5,000 branches do not nest 5,000 deep; `orelse` is the final `else`.
    """

    test: Expr
    body: list[Stmt]
    elifs: list[Branch]
    orelse: list[Stmt]


class Branch(Node, frozen=True, gc=False, array_like=True):
    """One `elif test: body`."""

    test: Expr
    body: list[Stmt]


class For(Node, frozen=True, gc=False, array_like=True, tag="?f"):
    """`for target in iter: body else: orelse`."""

    target: Expr
    iter: Expr
    body: list[Stmt]
    orelse: list[Stmt]
    is_async: bool


class While(Node, frozen=True, gc=False, array_like=True, tag="?w"):
    """`while test: body else: orelse`."""

    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class WithItem(Node, frozen=True, gc=False, array_like=True):
    """`context as target`."""

    context: Expr
    target: Expr | None


class With(Node, frozen=True, gc=False, array_like=True, tag="?c"):
    """`with items: body`."""

    items: list[WithItem]
    body: list[Stmt]
    is_async: bool


class Handler(Node, frozen=True, gc=False, array_like=True):
    """`except type as name: body`; `type` is None for a bare except."""

    type: Expr | None
    name: str | None
    body: list[Stmt]


class Try(Node, frozen=True, gc=False, array_like=True, tag="?t"):
    """`try: body except ...: else: orelse finally: finalbody`; `is_star` for `except*`."""

    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    finalbody: list[Stmt]
    is_star: bool


class Case(Node, frozen=True, gc=False, array_like=True):
    """`case pattern if guard: body`.

    The pattern is lowered to the expressions that matter for analysis: `values` (literals and dotted names compared with),
    `classes` (class patterns), `captures` (names bound); `wildcard` when it matches everything.
    """

    values: list[Expr]
    classes: list[Expr]
    captures: list[str]
    wildcard: bool
    guard: Expr | None
    body: list[Stmt]


class Match(Node, frozen=True, gc=False, array_like=True, tag="?m"):
    """`match subject: cases`."""

    subject: Expr
    cases: list[Case]


class Body(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The statements of a function, which are no part of the body around it.

    Not a node: what walks over a body by the fields of its nodes stops here.
    """

    statements: list[Stmt]


class FunctionDef(Node, frozen=True, gc=False, array_like=True, tag="f("):
    """A function or method. `span` runs from `def` to the end of its body; decorators lie before it.

    `called` holds, sorted and without repeats, the last name of every call target in the body (`execute` for
    `self.session.execute(...)`), nested functions included: the index that lets later passes skip most functions.
    """

    name: str
    params: list[Param]
    returns: Expr | None
    decorators: list[Expr]
    is_async: bool
    is_generator: bool
    docstring: str | None
    called: list[str]
    has_inner: bool
    body: Body
    #: Span of the name alone, for messages and edits.
    name_span: int = 0


class ClassDef(Node, frozen=True, gc=False, array_like=True, tag="c("):
    """A class."""

    name: str
    bases: list[Expr]
    keywords: list[Keyword]
    decorators: list[Expr]
    body: list[Stmt]
    docstring: str | None
    name_span: int = 0


Stmt = (
    ExprStmt
    | Assign
    | AnnAssign
    | AugAssign
    | Return
    | Raise
    | Delete
    | Assert
    | Jump
    | Scoping
    | Import
    | ImportFrom
    | If
    | For
    | While
    | With
    | Try
    | Match
    | FunctionDef
    | ClassDef
)


class TypeParameter(Node, frozen=True, gc=False, array_like=True):
    """A type parameter of PEP 695 syntax; `kind` is TypeVar, ParamSpec or TypeVarTuple; `owner` the function or class."""

    name: str
    kind: str
    owner: str
    bound: Expr | None
    default: Expr | None


class Comment(Node, frozen=True, gc=False, array_like=True):
    """A comment that speaks to this tool (`# architect: ...`), without the number sign; `own_line` when nothing precedes it."""

    text: str
    own_line: bool


class ParsedModule(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="module"):
    """One parsed file.

    Attributes:
        body: statements at module level, docstring left out.
        docstring: the module's docstring.
        called: last names of calls made at module level (functions and classes' methods left out, decorators included).
        identifiers: every name, attribute and keyword name in the file, sorted: "does this file mention X at all?"
        type_parameters: PEP 695 type parameters.
        comments: comments that speak to this tool.
        lines: number of lines.
        truncated: reasons why parts were left out (expressions too deep), empty in nearly every file.
        may_hold_credential: the text is worth searching for credentials (`source.credential_marks`).
        empty_display: `{}` or `[]` is written outside of the functions' bodies: a container that may be filled.
        may_hold_script: an f-string has a hole between two quotes, or begins an element that scripts or styles may be in.
    """

    body: list[Stmt]
    docstring: str | None
    called: list[str]
    identifiers: list[str]
    type_parameters: list[TypeParameter]
    comments: list[Comment]
    lines: int
    truncated: list[str]
    may_hold_credential: bool = False
    empty_display: bool = False
    may_hold_script: bool = False


class Unparsed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="unparsed"):
    """A file that could not be parsed: a value, never an exception. `line` is 0 when no place is known."""

    reason: str
    line: int
    lines: int


def encode_file(parsed: ParsedModule | Unparsed) -> bytes:
    """Encode one file's result, for this Python only. Equal results may differ in bytes: in what they share."""
    return marshal.dumps(msgspec.to_builtins(parsed))


def decode_file(encoded: bytes) -> ParsedModule | Unparsed:
    """One file's result, from `encode_file`. Bytes from anywhere else may crash Python."""
    return msgspec.convert(marshal.loads(encoded), ParsedModule | Unparsed)
