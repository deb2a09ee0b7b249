from __future__ import annotations

import gc
import sys
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_architect.syntax import ir, span
from fastapi_architect.syntax.parse import MAX_FILE_BYTES, parse_expression, parse_file


def parsed(source: str | bytes) -> ir.ParsedModule | ir.Unparsed:
    module = parse_file(source if isinstance(source, bytes) else source.encode(), "app.py")
    assert ir.decode_file(ir.encode_file(module)) == module
    return module


def module_of(source: str | bytes) -> ir.ParsedModule:
    module = parsed(source)
    assert isinstance(module, ir.ParsedModule), module
    return module


def reason_of(source: str | bytes) -> str:
    unparsed = parsed(source)
    assert isinstance(unparsed, ir.Unparsed), unparsed
    return unparsed.reason


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_no_bytes_raise(data: bytes):
    assert isinstance(parsed(data), ir.ParsedModule | ir.Unparsed)


_WORDS = 'def f( ): x = \' """ { } [ ( ) f\' \\ if else: lambda match case async await * ** @ é # type 0x 1'
_PIECES = st.sampled_from([*_WORDS.split(" "), "\n", "    ", " ", "\0", "\r", "\f", "# architect: "])


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_no_text_that_resembles_python_raises(text: str):
    assert isinstance(parsed(text), ir.ParsedModule | ir.Unparsed)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"x = 1\0", "not text: NUL bytes"),
        ("x = 1\nprint 'a'\n", "Python 2 syntax: print statement, line 2"),
        ("exec 'a'\n", "Python 2 syntax: exec statement, line 1"),
        ("raise E, 'a'\n", "Python 2 syntax: raise with a comma, line 1"),
        ("a <> b\n", "Python 2 syntax: the operator <>, line 1"),
        ("x = 0777\n", "Python 2 syntax: an octal number without 0o, line 1"),
        ("from {{ cookiecutter.name }} import app\n", "Jinja template"),
        ("{% if auth %}\nimport auth\n{% endif %}\n", "Jinja template"),
        (
            "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n",
            "conflict markers of an unfinished merge, line 1",
        ),
        ("x = " + "(" * 250 + ")" * 250, "nested too deep for Python: too many nested parentheses"),
        (
            "".join(f"{' ' * depth}if a:\n" for depth in range(200)) + " " * 200 + "b\n",
            "nested too deep for Python: too many levels of indentation",
        ),
        ("x = " + "-" * 300_000 + "1", "nested too deep for Python's parser"),
        ("def f(:\n", "syntax error: invalid syntax, line 1"),
        (
            "def f():\nx = 1\n",
            "syntax error: expected an indented block after function definition on line 1, line 2",
        ),
    ],
)
def test_what_is_no_python_is_a_value_in_plain_words(source: str | bytes, reason: str):
    assert reason_of(source) == reason


def test_a_file_of_twenty_megabytes_is_a_value_at_once():
    assert reason_of(b"x = 1\n" * 3_400_000) == "larger than 3 MB (20.4 MB)"


def test_the_size_limit_is_the_callers():
    assert parse_file(b"x = 1\n", "a.py", max_bytes=3) == ir.Unparsed("larger than 3 bytes (6 bytes)", 0, 1)
    assert MAX_FILE_BYTES == 3_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfx = 1\n",
        "x = 1\n".encode("utf-16"),
        b"x = 1\r",
        b"# coding: rot13\nx = 1\n",
        b"# coding: no-such-thing\nx = 1\n",
        b"# caf\xe9\nx = 1\n",
        b"# coding: latin-1\n# caf\xe9\nx = 1\n",
    ],
)
def test_hostile_encodings_are_read(data: bytes):
    (statement,) = module_of(data).body

    assert isinstance(statement, ir.Assign)


def test_lines_ended_by_carriage_returns_count():
    module = module_of(b"a = 1\rb = 2\r\nc = 3\n")

    assert ([span.line_of(node.span) for node in module.body], module.lines) == ([1, 2, 3], 3)


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("x", 1), ("x\n", 1), ("x\n\n", 2), ("x\ny", 2)])
def test_lines_are_counted_as_an_editor_does(text: str, lines: int):
    assert module_of(text).lines == lines


@pytest.mark.parametrize(
    "source",
    [
        "x = " + " + ".join(["a"] * 5000),
        "x = a" + " + b - c" * 2500,
        "if a:\n    x\n" + "".join(f"elif a == {i}:\n    y\n" for i in range(4999)),
        "".join(f"{' ' * depth}if a:\n" for depth in range(99)) + " " * 99 + "b\n",
        "".join(f"{' ' * depth}def f():\n" for depth in range(99)) + " " * 99 + "b\n",
        "x = [" + "{'a': 1}, " * 20_000 + "]",
    ],
)
def test_long_and_deep_code_is_kept_whole(source: str):
    module = parsed(source)

    if sys.version_info[:2] == (3, 12) and isinstance(module, ir.Unparsed):
        # The depth of its parser's trees is fixed, and in its first releases at 1,500.
        assert module.reason == "nested too deep to be parsed"
    else:
        assert isinstance(module, ir.ParsedModule)
        assert module.truncated == []


@pytest.mark.parametrize(
    "source",
    [
        "x = a" + ".b()" * 3000,
        "x = " + "-" * 2500 + "1",
        "x = " + "lambda: " * 1500 + "1",
        "x = " + "a if b else " * 1500 + "c",
        "x = a" + " * b / c" * 2000,
        "x = a" + " ** a" * 1500,
        "x = " + "f([" * 90 + "]))".replace("]))", "])" * 90),
        "".join(f"{' ' * d}try:\n{' ' * d} a\n{' ' * d}except B:\n" for d in range(95)) + " " * 95 + "b\n",
    ],
)
def test_what_is_nested_too_deep_is_cut_and_said(source: str):
    module = parsed(source)

    assert module.truncated if isinstance(module, ir.ParsedModule) else "too deep" in module.reason


def test_deep_code_is_also_parsed_when_the_caller_stands_deep():
    def descend(depth: int) -> ir.ParsedModule | ir.Unparsed:
        return descend(depth - 1) if depth else parse_file(b"x = " + b"[" * 80 + b"a" + b"]" * 80, "app.py")

    found = descend(sys.getrecursionlimit() - 150)
    assert isinstance(found, ir.ParsedModule)
    assert found.truncated == []


@pytest.mark.parametrize(
    "source",
    [
        "def f[T: int](x: T) -> T:\n    return x\n",
        "class A[*Ts, **P]: ...\n",
        "type CurrentUser = Annotated[User, Depends(get_user)]\n",
        "try:\n    a\nexcept A, B:\n    b\n",
        "x = f'{a['b']}'\n",
        "x = t'{a}'\n",
        "async def f():\n    x = [await y for z in w]\n",
    ],
)
def test_syntax_of_newer_pythons_is_read(source: str):
    assert module_of(source).truncated == []


def test_type_parameters_are_recorded():
    module = module_of("def f[T: (int, str) = int, *Ts](x: T) -> T: ...\n")

    assert [(p.name, p.kind, p.owner, p.bound is None) for p in module.type_parameters] == [
        ("T", "TypeVar", "f", False),
        ("Ts", "TypeVarTuple", "f", True),
    ]
    assert "T" in module.identifiers


def test_a_type_alias_is_an_assignment():
    (statement,) = module_of("type Id = int\n").body

    assert isinstance(statement, ir.Assign)
    assert [type(statement.targets[0]), type(statement.value)] == [ir.Name, ir.Name]


def test_an_f_string_of_a_newer_python_and_a_template_string_are_told_apart():
    first, second = module_of("f'{a['b']}'\nt'{a}'\n").body

    assert isinstance(first, ir.ExprStmt)
    assert isinstance(second, ir.ExprStmt)
    assert [getattr(first.value, "template", None), getattr(second.value, "template", None)] == [False, True]


def test_lone_surrogates_in_strings_are_spelt_out():
    (statement,) = module_of('x = "\\ud800é"\n').body

    assert isinstance(statement, ir.Assign)
    assert statement.value == ir.Constant(statement.value.span, "str", "\\ud800é")


def test_integers_too_long_for_decimal_digits_are_kept_in_hexadecimal():
    (statement,) = module_of("x = 0x" + "f" * 9000).body

    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.Constant)
    assert statement.value.value == "0x" + "f" * 9000


def test_comments_that_speak_to_the_tool_are_kept_and_strings_are_not():
    module = module_of('x = "# architect: no"  # architect: allow(a): b\n# architect: c\n# other\n')

    assert [(c.text, c.own_line, span.line_of(c.span)) for c in module.comments] == [
        ("architect: allow(a): b", False, 1),
        ("architect: c", True, 2),
    ]


def test_warnings_about_the_reviewed_code_are_neither_shown_nor_raised():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        assert module_of(r'x = "\d"; 1is 1').truncated == []

    assert caught == []


@pytest.mark.parametrize("enabled", [True, False])
def test_the_state_of_the_garbage_collector_is_put_back(enabled: bool):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        parsed("x = 1")
        parsed("x = (")
        parsed("x = " + " + ".join(["a"] * 5000))
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_the_recursion_limit_and_the_stack_size_are_put_back():
    before = sys.getrecursionlimit(), threading.stack_size()
    parsed("x = " + " + ".join(["a"] * 5000))

    assert (sys.getrecursionlimit(), threading.stack_size()) == before


def test_the_same_bytes_come_out_of_many_threads():
    source = b"def f(a: int = 1):\n    return g(a).h[1:2]\n" * 50
    expected = ir.encode_file(parse_file(source, "a.py"))
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(ir.encode_file(parse_file(source, "a.py"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [expected] * 8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("User", ir.Name),
        (" list['User'] | None ", ir.BinOp),
        ("a b", None),
        ("", None),
        ("x = 1", None),
        ("\0", None),
    ],
)
def test_a_quoted_annotation_is_an_expression_or_none(text: str, kind: type | None):
    expression = parse_expression(text)

    assert (type(expression) if expression is not None else None) is kind


def test_a_quoted_annotation_nested_without_end_is_none():
    assert parse_expression("-" * 100_000 + "1") is None
