"""Newer syntax is read by an older Python, with every expression at its place."""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tests.syntax import newer_python

from fastapi_architect.syntax.modern import Downleveled, TypeAlias, TypeParameter, downlevel, parse


def newest_python() -> str | None:
    """A Python that reads type parameters and defaults (3.13 or newer), if there is one on this machine."""
    if sys.version_info >= (3, 13):
        return sys.executable
    homes = [
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions"),
        Path.home() / ".local/share/uv/python",
    ]
    for minor in (14, 13):
        installed = [path for home in homes for path in sorted(home.glob(f"*/bin/python3.{minor}"))]
        found = shutil.which(f"python3.{minor}") if not installed else str(installed[-1])
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return None


NEWER = newest_python()
needs_newer = pytest.mark.skipif(
    NEWER is None, reason="no Python 3.13 or newer on this machine to compare with"
)


def as_newer_python_reads(sources: list[str]) -> list[list[object] | None]:
    """What the newer Python makes of `sources`: tree and type parameters, None where it refuses."""
    assert NEWER is not None
    command = [NEWER, newer_python.__file__]
    done = subprocess.run(
        command, input=json.dumps(sources), capture_output=True, text=True, check=True, timeout=120
    )
    answer: list[list[object] | None] = json.loads(done.stdout)
    return answer


def as_rewritten(source: str) -> list[object]:
    """What this Python makes of `source`, in the same form."""
    tree, rewritten = parse(source)
    recorded = [
        [p.name, p.kind, normal(p.bound), normal(p.default), p.line, p.owner]
        for p in rewritten.type_parameters
    ]
    return [json.loads(json.dumps(newer_python.plain(tree))), sorted(recorded, key=repr)]


def normal(expression: str | None) -> str | None:
    return None if expression is None else ast.unparse(ast.parse(f"[{expression}]", mode="eval").body)[1:-1]


def without_places(tree: object) -> object:
    if isinstance(tree, list) and len(tree) == 4 and isinstance(tree[1], dict):
        return [tree[0], {name: without_places(value) for name, value in tree[1].items()}]
    return [without_places(item) for item in tree] if isinstance(tree, list) else tree


def outer_names(tree: object) -> list[object]:
    """The places of all names outside of f-strings, inside of which Python 3.11 counts roughly."""
    if isinstance(tree, list) and len(tree) == 4 and isinstance(tree[1], dict):
        inner = (
            []
            if tree[0] == "JoinedStr"
            else [place for value in tree[1].values() for place in outer_names(value)]
        )
        return [(tree[1]["id"], tree[2], tree[3]), *inner] if tree[0] == "Name" else inner
    return [place for item in tree for place in outer_names(item)] if isinstance(tree, list) else []


def names(tree: ast.AST) -> dict[str, tuple[int, int]]:
    """Where every name is used, for sources in which each is used once."""
    return {node.id: (node.lineno, node.col_offset) for node in ast.walk(tree) if isinstance(node, ast.Name)}


def places(source: str) -> dict[str, tuple[int, int]]:
    """Where every one of the words `a0`, `a1` ... stands in the source."""
    found = {}
    for number, line in enumerate(source.split("\n"), 1):
        for word in ["a0", "a1", "a2", "a3", "a4", "a5"]:
            if word in line:
                found[word] = (number, len(line[: line.index(word)].encode()))
    return found


# ── type parameters ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_type_parameter_list_becomes_blank_and_is_recorded() -> None:
    assert downlevel("def f[T: Base](x: T) -> T: ...\n") == Downleveled(
        "def f         (x: T) -> T: ...\n",
        (TypeParameter("T", "TypeVar", "Base", None, 1, "f", 1),),
    )


def test_all_kinds_bounds_constraints_and_defaults_are_recorded() -> None:
    source = "class Repo[A, B: Base = User, C: (int, str), *Ts = *tuple[int], **P = [int, str]](Root): ...\n"
    assert downlevel(source).type_parameters == (
        TypeParameter("A", "TypeVar", None, None, 1, "Repo", 1),
        TypeParameter("B", "TypeVar", "Base", "User", 1, "Repo", 1),
        TypeParameter("C", "TypeVar", "(int, str)", None, 1, "Repo", 1),
        TypeParameter("Ts", "TypeVarTuple", None, "*tuple[int]", 1, "Repo", 1),
        TypeParameter("P", "ParamSpec", None, "[int, str]", 1, "Repo", 1),
    )


def test_a_list_over_several_lines_moves_into_the_parentheses() -> None:
    rewritten = downlevel("async def f[\n    T,  # why (not\n    U: Base,\n](x: T):\n    return x\n")
    assert rewritten.text == "async def f(\n                  \n            \n  x: T):\n    return x\n"
    assert [(p.name, p.line, p.owner_line) for p in rewritten.type_parameters] == [("T", 2, 1), ("U", 3, 1)]


def test_a_class_without_bases_is_given_parentheses_when_the_list_has_several_lines() -> None:
    tree, _ = parse("class A[\n    T,\n]:\n    x: T\n")
    assert ast.unparse(tree) == "class A:\n    x: T"


def test_bounds_over_several_lines_are_recorded_on_one() -> None:
    (parameter,) = downlevel("class A[T: (\n    int,  # a\n    'b'\n)]: ...\n").type_parameters
    assert parameter.bound == "( int, 'b' )"


@pytest.mark.parametrize(
    "source",
    [
        "def f[T: for](x): ...\n",
        "def f[](x): ...\n",
        "def f[T:](x): ...\n",
        "def f[*T: int](x): ...\n",
        "def f[T]\n",
        "def f[T",
        "class A[if]: ...\n",
        "type X[T = int\n",
        "type X[1] = int\n",
        "type if = int\n",
        "f'{a['b']}' = 1\n",
        "for f'{a['b']}' in x: pass\n",
        "match x:\n    case f'{a['b']}': pass\n",
        "x = f'{a for a in b['c']}'\n",
        "x = f'{a['b']}' b'c'\n",
        "x = f'{a['b']}' t'c'\n",
        "x = f'{}{a['b']}'\n",
        "x = f'{a['b']!z}'\n",
        "x = f'{a['b']' \n",
        "except A, B as e: pass\n",
    ],
)
def test_what_no_python_reads_is_still_refused(source: str) -> None:
    with pytest.raises(SyntaxError):
        parse(source)


# ── type statements ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_type_statement_becomes_an_assignment_with_its_value_in_place() -> None:
    assert downlevel("type CurrentUser = Annotated[User, Depends(get_user)]\n") == Downleveled(
        "CurrentUser      = Annotated[User, Depends(get_user)]\n", aliases=(TypeAlias("CurrentUser", 1),)
    )


def test_a_generic_alias_over_several_lines_keeps_its_lines() -> None:
    source = "class A:\n    type Pair[\n        T,\n\n        U = T,\n    ] = tuple[a0, U]\n    after = a1\n"
    tree, rewritten = parse(source)
    assert ast.unparse(tree) == "class A:\n    Pair = tuple[a0, U]\n    after = a1"
    assert names(tree).items() >= places(source).items()
    assert rewritten.aliases == (TypeAlias("Pair", 2),)
    assert [(p.name, p.default, p.owner) for p in rewritten.type_parameters] == [
        ("T", None, "Pair"),
        ("U", "T", "Pair"),
    ]


def test_type_statements_are_found_behind_colons_and_semicolons() -> None:
    tree, _ = parse("if x: type A = int; type B = str\nelse: type type = bool\n")
    assert ast.unparse(tree) == "if x:\n    A = int\n    B = str\nelse:\n    type = bool"


@pytest.mark.parametrize(
    "source",
    [
        "type = 1\ntype(x)\ntype[x] = 2\ntype: int = 3\ntype.x = type\nprint(type, x)\ntype in x\ntype\n",
        "x = 'type X = int'\n# type Y = int\ny = '''\ntype Z = int\ndef f[T](): ...\n'''\n",
        "call(\n    type\n)\nx = [type\n, type]\n",
        "lazy = 1\nlazy(x)\nlazy.y\n",
        "class type: pass\ndef type(): pass\n",
        "try: pass\nexcept (A, B): pass\nexcept f(a, b): pass\nexcept x[a, b] as e: pass\n",
        "f'{a}' rf'{b!r:>{c}}\\{d}' f'''{\ne}{'x'}\n''' f'{{}}' f\"{x['a']}\"\n",
        "",
        "\n\\\n",
    ],
)
def test_old_syntax_stays_as_it_is(source: str) -> None:
    assert downlevel(source) == Downleveled(source)


# ── except, import ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "rewritten"),
    [
        ("except A, B: a0", "except(A, B):a0"),
        ("except A, B:  # noqa", "except(A, B): # noqa"),
        ("except* A, B.c: a0", "except*(A, B.c):a0"),
        ("except A, : a0", "except(A,): a0"),
        ("except(A), B: a0", "except((A), B):a0"),
        ("except f(a, b), C[d, e]: a0", "except(f(a, b), C[d, e]):a0"),
        ("except*A,B:a0", "except*(A,B):a0"),
    ],
)
def test_exceptions_without_parentheses_are_given_some(line: str, rewritten: str) -> None:
    indented = line if " a0" in line or ":a0" in line else line + "\n    pass"
    text = downlevel(f"try: pass\n{indented}\n").text
    assert text.split("\n")[1] == rewritten
    ast.parse(text)


def test_exceptions_over_continued_lines_are_given_parentheses() -> None:
    tree, _ = parse("try: pass\nexcept \\\nA, \\\n  B:\n    a0\n")
    assert ast.unparse(tree) == "try:\n    pass\nexcept (A, B):\n    a0"
    assert names(tree)["a0"] == (5, 4)


def test_lazy_imports_are_imports() -> None:
    assert (
        downlevel("lazy import json\nlazy from a import b\n").text
        == "import      json\nfrom      a import b\n"
    )


# ── strings ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("""f"{x["a"]}" """, ["{x['a']}"]),
        ("""f"a{", ".join(c)!s:>{w}}b" """, ["a", "{', '.join(c)!s:>{w}}", "b"]),
        ("""f'{{{x['a']}}}' """, ["{", "{x['a']}", "}"]),
        ("""f"{x # comment }"\n}" """, ["{x}"]),
        ("""f"{\nx\n}" """, ["{x}"]),
        ("""f"{x[f"{y["b"]}"]}" """, ["{x[f\"{y['b']}\"]}"]),
        ("""f"{a, b}{*c, d["e"]}{yield}" """, ["{(a, b)}", "{(*c, d['e'])}", "{(yield)}"]),
        ("""f"{x["a"]=}{y = !s}{z=:>5}" """, ['x["a"]=', "{x['a']!r}", "y = ", "{y!s}", "z=", "{z:>5}"]),
        (r"""f"\x41\N{BULLET}\101\{x["a"]}\
" """, ["A\u2022A\\", "{x['a']}"]),
        (r"""rf"\x41\N{x["a"]}\"" """, [r"\x41\N", "{x['a']}", r"\""]),
        (r"""("é" f"{x["a"]}" # c
  r'\d' f'b{y}')""", ["é", "{x['a']}", r"\db", "{y}"]),
        ("""f"{x:{a}{b:{c}}}" """, ["{x:{a}{b:{c}}}"]),
        ("""f"{x!r }" """, ["{x!r}"]),
        ("""f"{x["a"]:>5\n}" """, ["{x['a']:>5}"]),
    ],
)  # fmt: skip
def test_strings_have_the_same_parts(source: str, values: list[str]) -> None:
    tree, _ = parse(f"x = {source}")
    (statement,) = tree.body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.JoinedStr)
    assert [
        part.value if isinstance(part, ast.Constant) else written(part) for part in statement.value.values
    ] == values


def written(field: ast.expr) -> str:
    assert isinstance(field, ast.FormattedValue)
    text = "{" + ast.unparse(field.value) + (f"!{chr(field.conversion)}" if field.conversion > 0 else "")
    if isinstance(field.format_spec, ast.JoinedStr):
        parts = field.format_spec.values
        text += ":" + "".join(p.value if isinstance(p, ast.Constant) else written(p) for p in parts)
    return text + "}"


def test_backslashes_in_fields_are_kept() -> None:
    tree, _ = parse("""x = f"{'\\n'.join(rows)}{b'\\x00'}" """)
    assert {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)} == {"\n", b"\0"}


def test_expressions_in_strings_keep_their_places() -> None:
    source = (
        'é = execute(f"SELECT {", ".join(a0)} é {a1!r:>{a2}}" "tail"\n'
        "    f'''\n    {f'{a3['k']}'}\n'''); after = a4\n"
    )
    tree, _ = parse(source)
    assert names(tree).items() >= places(source).items()


def test_a_template_is_marked() -> None:
    tree, _ = parse("""x = t"SELECT {a}" t'{b}'\ny = f"{c["d"]}"\n""")
    found = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    assert [(node.lineno, node.col_offset, getattr(node, "template", None)) for node in found] == [
        (1, 4, True),
        (2, 4, False),
    ]


def test_a_string_between_removed_type_parameters_is_no_trouble() -> None:
    tree, rewritten = parse("""def f[T: "A" = "B"](x=f"{y["z"]}"): ...\n""")
    assert ast.unparse(tree) == "def f(x=f\"{y['z']}\"):\n    ..."
    assert rewritten.type_parameters == (TypeParameter("T", "TypeVar", '"A"', '"B"', 1, "f", 1),)


def test_strings_as_deep_as_python_allows_are_read() -> None:
    tree, _ = parse("x = " + 'f"{' * 149 + "1" + '}"' * 149)
    assert sum(isinstance(node, ast.JoinedStr) for node in ast.walk(tree)) == 149


# ── hostile text ────────────────────────────────────────────────────────────────────────────────────────────

SIZE = 150_000
UNITS = (
    *("{", "((", "))", 'f"{', 'f"{x["a"]}"\n', 'f"{x["a"]}" ', '"', "'", "'''", "\\", "\\\n", "\\N{", "é"),
    *("def f[T]():0\n", "type X=1;", "type X[", "type X \\\n", "except A,;", "T,\n", "T:a=b,", "if x:"),
)


@pytest.mark.parametrize("head", ["", "def f[", 'f"'])
@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_the_length_only(head: str, unit: str) -> None:
    text = head + unit * (SIZE // len(unit)) + ("](x): ..." if head == "def f[" else "")
    began = time.process_time()
    downlevel(text)
    # Far more than it takes; anything quadratic takes longer.
    assert time.process_time() - began < 2


WORDS = (
    *(
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "'",
        '"',
        '"""',
        "f'",
        't"',
        "\\",
        "\n",
        ":",
        "=",
        "!",
        "!r",
        "#",
        ",",
        ";",
    ),
    *(
        "def f",
        "class A",
        "type X",
        "except",
        " ",
        "T",
        "*",
        "**",
        "lazy import",
        "yield",
        "é",
        "0",
        "lambda x:",
    ),
)


@seed(11)
@settings(max_examples=300, database=None, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_no_text_raises_and_lines_are_kept(words: list[str]) -> None:
    text = "".join(words)
    assert downlevel(text).text.count("\n") == text.count("\n")


# ── a newer Python agrees ───────────────────────────────────────────────────────────────────────────────────

QUOTES = ["'", '"', "'''", '"""']


def _fields(expressions: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    literals = st.sampled_from(["", "a", " é ", "{{", "}}", "\\n", "\\x41", "\\\\", "\\N{BULLET}"])
    tails = st.sampled_from(["", "!r", "!s", ":>5", ":{w}", "=", " = ", "!r:>{w}.{p}", ":%Y é", ":{w:{p}}"])
    # Releases of Python differ in what `=` shows of comments, backslashes and exclamation marks.
    one = st.builds(
        lambda before, value, tail, after: (
            before
            + "{ "
            + value
            + (tail.replace("=", "") if set(value) & set("#!\\") else tail)
            + "}"
            + after
        ),
        literals,
        expressions,
        tails,
        literals,
    )
    return st.builds(
        lambda prefix, quote, parts: f"{prefix}{quote}{''.join(parts)}{quote}",
        st.sampled_from(["f", "F", "rf", "fR"]),
        st.sampled_from(QUOTES),
        st.lists(one, min_size=1, max_size=3),
    )


_SIMPLE = (
    *(
        "x",
        "x['a']",
        'x["b"]',
        "'\\n'.join(x)",
        "(lambda y: y)(1)",
        "a != b",
        "a, b",
        "*a, b",
        "yield",
        "\nx",
    ),
    *(
        "x # c'}\n",
        "{'k': 1}",
        "(y := 2)",
        "[z for z in q]",
        "'é' 'ü'",
        "r'\\d'",
        "b'\\x00'",
        "x if y else z",
    ),
)
_simple = st.sampled_from(_SIMPLE)
_expressions = st.recursive(
    _simple,
    lambda inner: st.one_of(
        _fields(inner),
        st.builds("{} {}".format, _fields(inner), _fields(inner)),
        st.builds("g({})".format, _fields(inner)),
    ),
    max_leaves=6,
)
_bounds = st.sampled_from(["", ": Base", ": (int, str)", ": 'Later'", ": Callable[[int], x]", ": {1: 2}[1]"])
_defaults = st.sampled_from(["", " = int", "= list[int]", " = (lambda q: q)"])
_plain_parameter = st.builds("T{}{}{}".format, st.integers(0, 9999), _bounds, st.just(""))
_default_parameter = st.builds("D{}{}{}".format, st.integers(0, 9999), _bounds, _defaults.filter(bool))
_last = st.sampled_from([[], ["**P"], ["*Ts"], ["*Ts = *tuple[int]"], ["**P = [int, str]"]])


def _spread(parts: list[str], separator: str) -> str:
    return separator + f",{separator}".join(parts) + separator if parts else "T"


_parameters = st.builds(
    lambda plain, defaulted, last, separator: _spread([*plain, *(defaulted or []), *last], separator),
    st.lists(_plain_parameter, max_size=3),
    st.none() | st.lists(_default_parameter, max_size=2),
    _last,
    st.sampled_from(["", " ", "\n    ", "  # why\n", "\\\n "]),
)
_statements = st.one_of(
    st.builds("x = {}".format, st.builds("({})".format, _expressions)),
    st.builds(
        "def f[{}](a: x = {}) -> y: return a".format,
        _parameters,
        _simple.filter(lambda e: e.startswith("x[")),
    ),
    st.builds("class C[{}](Base, key=1): z = 1".format, _parameters),
    st.builds("class D[{}]: z = type".format, _parameters),
    st.builds("type A[{}] = list[x]; type = 1".format, _parameters),
    st.builds(
        "type B = {}".format, st.sampled_from(["int", "(\n  int | str\n)", "'Later'", "Annotated[U, D(get)]"])
    ),
    st.just("if x: type E = int\nelse: type F[T] = T"),
    st.just("async def g[**P](*a: P.args): pass"),
)


@needs_newer
def test_a_newer_python_reads_the_same() -> None:
    """One run of the newer Python for all sources: it takes longer to start than to read."""
    sources: list[str] = []

    @seed(7)
    @settings(max_examples=400, database=None, deadline=None)
    @given(st.lists(_statements, min_size=1, max_size=3))
    def collect(statements: list[str]) -> None:
        sources.append("\n".join(statements) + "\n")

    collect()
    read = as_newer_python_reads(sources)
    valid = [(source, answer) for source, answer in zip(sources, read, strict=True) if answer is not None]
    assert len(valid) > 200
    for source, (tree, parameters) in valid:
        own_tree, own_parameters = as_rewritten(source)
        assert without_places(own_tree) == without_places(tree), source
        assert outer_names(own_tree) == outer_names(tree), source
        assert own_parameters == [
            [name, kind, normal(bound), normal(default), line, owner]
            for name, kind, bound, default, line, owner in parameters
        ], source
