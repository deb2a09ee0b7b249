from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest
from tests.syntax.unlower import comparable, unlower_module

from fastapi_architect.syntax import ir, span
from fastapi_architect.syntax.lower import lower
from fastapi_architect.syntax.lowering import HANDLERS, MAX_DEPTH

_STDLIB = Path(sysconfig.get_path("stdlib"))
_SAMPLE = sorted(
    path
    for pattern in (
        "*.py",
        "asyncio/*.py",
        "email/*.py",
        "unittest/*.py",
        "concurrent/**/*.py",
        "test/test_[a-gp]*.py",
    )
    for path in _STDLIB.glob(pattern)
    if path.stat().st_size < 100_000
)


def parsed(text: str) -> ir.ParsedModule:
    module = lower(ast.parse(text), text)
    assert ir.decode_file(ir.encode_file(module)) == module
    return module


def only(text: str) -> ir.Stmt:
    (statement,) = parsed(text).body
    return statement


def function(text: str) -> ir.FunctionDef:
    statement = only(text)
    assert isinstance(statement, ir.FunctionDef)
    return statement


def _text(path: Path) -> tuple[ast.Module, str] | None:
    try:
        text = path.read_text(encoding="utf-8")
        return ast.parse(text), text
    except (SyntaxError, ValueError):
        return None


def _assert_nothing_is_lost(path: Path) -> bool:
    read = _text(path)
    if read is None or max(map(len, read[1].split("\n"))) > 1000:
        return False
    tree, text = read
    module = lower(tree, text)
    if module.truncated or "\ntype " in text or "\\ud" in text or "\\x" in text:
        return False
    decoded = ir.decode_file(ir.encode_file(module))
    assert isinstance(decoded, ir.ParsedModule)
    assert comparable(unlower_module(decoded)) == comparable(ast.parse(text))
    return True


@pytest.mark.filterwarnings("ignore")
def test_the_ir_of_the_standard_library_can_be_turned_back_into_the_same_tree_with_the_same_places():
    compared = sum(_assert_nothing_is_lost(path) for path in _SAMPLE[::5])

    assert compared > 40


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore")
def test_the_ir_of_the_whole_standard_library_can_be_turned_back():
    assert sum(_assert_nothing_is_lost(path) for path in sorted(_STDLIB.rglob("*.py"))[:3000]) > 1000


@pytest.mark.filterwarnings("ignore")
def test_identifiers_and_called_hold_exactly_the_names_of_the_file():
    for path in _SAMPLE[1::10]:
        read = _text(path)
        if read is None:
            continue
        tree, text = read
        module = lower(tree, text)
        assert set(module.identifiers) == _names(tree), path
        assert sorted(_called_in(module)) == sorted(_calls(tree)), path


def _names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if name in {"id", "attr", "arg", "name", "asname", "rest", "module"} and isinstance(value, str):
                names.update(value.split(".") if isinstance(node, ast.alias | ast.ImportFrom) else [value])
            elif name in {"names", "kwd_attrs"} and value and isinstance(value[0], str):
                names.update(value)
    return names


def _calls(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            names.add(getattr(func, "attr", getattr(func, "id", None)))
    return names - {None}


def _called_in(module: ir.ParsedModule) -> set[str]:
    names = set(module.called)
    waiting = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ir.FunctionDef):
            names.update(node.called)
        elif isinstance(
            node, ir.ClassDef | ir.If | ir.Try | ir.With | ir.For | ir.While | ir.Branch | ir.Handler
        ):
            for block in ("body", "orelse", "finalbody", "elifs", "handlers"):
                waiting.extend(getattr(node, block, []))
    return names


def test_every_kind_of_node_that_python_has_is_lowered():
    abstract = {
        "expr",
        "stmt",
        "slice",
        "Index",
        "ExtSlice",
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Ellipsis",
    }
    classes = [
        cls
        for name, cls in vars(ast).items()
        if isinstance(cls, type)
        and issubclass(cls, ast.expr | ast.stmt)
        and not {name, cls.__name__} & abstract
    ]
    assert {cls.__name__ for cls in classes} - {cls.__name__ for cls in HANDLERS} == set()


def test_a_docstring_is_not_a_statement():
    module = parsed('"""About."""\nx = 1\ndef f():\n    "Does."\nclass A:\n    "Is."\n')

    assert module.docstring == "About."
    assert [getattr(node, "docstring", None) for node in module.body] == [None, "Does.", "Is."]
    assert module.body[1].body.statements == []
    assert module.body[2].body == []


def test_a_functions_calls_are_its_own_and_those_of_its_inner_functions():
    outer = function(
        "@deco()\ndef f(a=default()):\n    b.save()\n    def g():\n        return h[int](c())()\n"
    )

    assert outer.called == ["c", "h", "save"]
    assert outer.has_inner
    assert parsed(
        "@deco()\ndef f(a=default()):\n    b()\nclass A(base()):\n    x = column()\n    def m(self): n()\n"
    ).called == [
        "base",
        "column",
        "deco",
        "default",
    ]


@pytest.mark.parametrize(
    ("body", "is_generator"),
    [
        ("yield", True),
        ("x = yield from y", True),
        ("return lambda: (yield)", False),
        ("def g():\n        yield", False),
        ("if a:\n        for b in c:\n            yield b", True),
    ],
)
def test_a_function_is_a_generator_when_a_yield_is_its_own(body: str, is_generator: bool):
    assert function(f"def f():\n    {body}\n").is_generator == is_generator


@pytest.mark.parametrize(
    ("text", "name", "column"),
    [
        ("def f(): pass", "f", 4),
        ("async def f(): pass", "f", 10),
        ("async   def   f (): pass", "f", 14),
        ("class Übung: pass", "Übung", 6),
        ("def\tf(): pass", "f", 4),
        ("def ﬁ(): pass", "fi", 4),  # Python normalises the name to NFKC
    ],
)
def test_the_name_of_a_definition_has_its_own_place(text: str, name: str, column: int):
    statement = only(text)

    assert isinstance(statement, ir.FunctionDef | ir.ClassDef)
    assert statement.name == name
    assert span.line_of(statement.name_span) == 1
    written = text.encode()[
        span.column_of(statement.name_span) : span.end_column_of(statement.name_span)
    ].decode()
    assert (span.column_of(statement.name_span), written) == (
        column,
        text[column:].split("(")[0].split(":")[0].strip(),
    )


def test_a_ladder_of_elif_is_flat_and_an_if_inside_else_is_not():
    ladder = only("if a:\n    x\nelif b:\n    y\nelif c:\n    z\nelse:\n    w\n")
    assert isinstance(ladder, ir.If)
    assert ([branch.test.id for branch in ladder.elifs], len(ladder.orelse)) == (["b", "c"], 1)

    nested = only("if a:\n    x\nelse:\n    if b:\n        y\n")
    assert isinstance(nested, ir.If)
    assert (nested.elifs, type(nested.orelse[0])) == ([], ir.If)


def test_five_thousand_terms_make_one_chain():
    statement = only("x = " + " + ".join(f"a{i}" for i in range(2000)))

    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.Chain)
    assert [operand.id for operand in statement.value.operands] == [f"a{i}" for i in range(2000)]


def test_a_short_sum_stays_nested():
    statement = only("x = a + b + c")

    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.BinOp)
    assert isinstance(statement.value.left, ir.BinOp)


def test_sums_and_differences_mix_in_one_chain_with_negated_terms():
    statement = only("x = a" + " + b - c" * 100)

    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.Chain)
    assert (statement.value.op, len(statement.value.operands)) == ("+", 201)
    assert [type(operand) for operand in statement.value.operands[:3]] == [ir.Name, ir.Name, ir.UnaryOp]


def test_other_mixed_operators_beyond_the_limit_are_cut_and_the_file_says_so():
    module = parsed("x = first" + " * b / c" * 200)

    assert module.truncated == [f"an expression at line 1 is nested more than {MAX_DEPTH} deep"]
    assert "first" in module.identifiers


def test_what_is_nested_too_deep_is_cut_but_its_names_are_kept():
    module = parsed("x = deepest" + ".a()" * 300)

    assert module.truncated == [f"an expression at line 1 is nested more than {MAX_DEPTH} deep"]
    assert "deepest" in module.identifiers
    assert module.called == ["a"]


def test_constants_of_all_kinds_are_kept():
    module = parsed("x = ['a', b'\\xff', 1, 1.5, 2j, True, None, ..., 2**1, 99999999999999999999, 1e999]")
    statement = module.body[0]

    assert isinstance(statement, ir.Assign)
    assert isinstance(statement.value, ir.Sequence)
    assert [(e.kind, e.value) for e in statement.value.elts if isinstance(e, ir.Constant)] == [
        ("str", "a"),
        ("bytes", "\xff"),
        ("int", 1),
        ("float", 1.5),
        ("complex", "2j"),
        ("bool", True),
        ("none", None),
        ("ellipsis", None),
        ("int", "99999999999999999999"),
        ("float", float("inf")),
    ]


@pytest.mark.parametrize(
    ("pattern", "values", "classes", "captures", "wildcard"),
    [
        ("'a' | 'b'", 2, 0, [], False),
        ("Color.RED", 1, 0, [], False),
        ("None", 1, 0, [], False),
        ("User(name=n, role='x') as u", 1, 1, ["u", "n"], False),
        ("{'id': i, **rest}", 1, 0, ["rest", "i"], False),
        ("[first, *others]", 0, 0, ["first", "others"], False),
        ("_", 0, 0, [], True),
        ("x", 0, 0, ["x"], True),
        ("1 | y", 1, 0, ["y"], True),
    ],
)
def test_a_pattern_is_lowered_to_what_it_compares_and_binds(
    pattern: str, values: int, classes: int, captures: list[str], wildcard: bool
):
    statement = only(f"match s:\n    case {pattern}:\n        pass\n")

    assert isinstance(statement, ir.Match)
    (case,) = statement.cases
    assert (len(case.values), len(case.classes), case.captures, case.wildcard) == (
        values,
        classes,
        captures,
        wildcard,
    )


def test_places_beyond_what_a_span_holds_are_clamped():
    statement = parsed("x = '" + "a" * 5000 + "'; y = 1").body[1]

    assert (span.column_of(statement.span), span.end_column_of(statement.span)) == (4095, 4095)


def test_spans_are_those_of_the_span_module():
    text = "def f(a,\n      b):\n    return (a +\n            b)\n"
    statement = only(text)

    assert statement.span == span.pack(1, 0, 4, 14)
