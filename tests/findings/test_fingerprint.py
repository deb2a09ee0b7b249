"""A finding keeps its identity through the edits of daily work, and a new one never borrows an old one's."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_architect.findings.fingerprint import FingerprintError, Known, Place, check, fingerprints, match

BEFORE = """\
import os


def lookup(session, name):
    query = f"SELECT * FROM books WHERE name = '{name}'"  # flaw
    return session.execute(query)


def remove(session, name):
    session.execute(f"DELETE FROM books WHERE name = '{name}'")  # flaw


def listing(session):
    return session.execute("SELECT 1")
"""


def scan(files, marker="# flaw"):
    """Every statement marked by the comment is a finding of one rule."""
    places, marks = [], []
    for path, text in files.items():
        lines = text.split("\n")
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

        def visit(node, symbol, *, lines=lines, path=path):
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.stmt):
                    continue
                named = isinstance(child, ast.FunctionDef | ast.ClassDef)
                last = child.lineno if hasattr(child, "body") else child.end_lineno
                inner = f"{symbol}.{child.name}" if named else symbol
                for line in range(child.lineno, last + 1):
                    if marker in lines[line - 1]:
                        body = "\n".join(lines[child.lineno - 1 : last])
                        places.append(Place("a-rule", path, child.lineno, inner, body))
                        marks.append(lines[line - 1].split(marker)[1].strip())
                visit(child, inner)

        visit(ast.parse(text), module)
    return places, marks


def pairing(before, after):
    """Recognised findings as (line before, line after), and the lines of the new ones."""
    old_places, _ = scan(before)
    new_places, _ = scan(after)
    old = [Known(mark, p.path, p.line) for mark, p in zip(fingerprints(old_places), old_places, strict=True)]
    new = [Known(mark, p.path, p.line) for mark, p in zip(fingerprints(new_places), new_places, strict=True)]
    pairs = match(old, new)
    recognised = sorted((old[o].line, new[n].line) for n, o in pairs.items())
    return recognised, sorted(known.line for index, known in enumerate(new) if index not in pairs)


def prints(files):
    return sorted(fingerprints(scan(files)[0]))


INSERTED = "# a licence\n\nimport sys\n" + BEFORE
REINDENTED = BEFORE.replace("    ", "  ")
NESTED = "class Books:\n" + "\n".join("    " + line if line else line for line in BEFORE.split("\n"))
MOVED = BEFORE[BEFORE.index("def remove") :] + "\n\n" + BEFORE[: BEFORE.index("def remove")]
WRAPPED = BEFORE.replace(
    "    session.execute(f\"DELETE FROM books WHERE name = '{name}'\")  # flaw",
    "    session.execute(  # flaw\n        f\"DELETE FROM books WHERE name = '{name}'\",  # why\n    )",
)


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        (INSERTED, [(5, 8), (10, 13)]),
        (REINDENTED, [(5, 5), (10, 10)]),
        (NESTED, [(5, 6), (10, 11)]),
        (MOVED, [(5, 13), (10, 2)]),
        (WRAPPED, [(5, 5), (10, 10)]),
        (BEFORE.replace("# flaw", "# note # flaw"), [(5, 5), (10, 10)]),
    ],
    ids=["insert above", "reindent", "nest in a class", "move", "wrap", "comment"],
)
def test_the_fingerprint_itself_survives_edits_around_the_statement(after, lines):
    assert prints({"app/books.py": after}) == prints({"app/books.py": BEFORE})
    assert pairing({"app/books.py": BEFORE}, {"app/books.py": after}) == (lines, [])


@pytest.mark.parametrize("path", ["app/library.py", "src/app/books.py", "books.py"])
def test_the_fingerprint_itself_survives_renaming_the_file(path):
    assert prints({path: BEFORE}) == prints({"app/books.py": BEFORE})
    assert pairing({"app/books.py": BEFORE}, {path: BEFORE}) == ([(5, 5), (10, 10)], [])


def test_module_level_code_survives_renaming_the_file():
    text = 'SECRET = "hunter2"  # flaw\n'
    assert (
        prints({"app/settings.py": text})
        == prints({"app/config.py": text})
        == prints({"app/__init__.py": text})
    )


def test_a_renamed_function_is_recognised():
    after = BEFORE.replace("def remove", "def delete_book")
    assert pairing({"app/books.py": BEFORE}, {"app/books.py": after}) == ([(5, 5), (10, 10)], [])


def test_a_renamed_function_is_recognised_when_its_def_line_is_the_finding():
    before = "def read_user(id):  # flaw\n    return id\n"
    after = "def get_user(id):  # flaw\n    return id\n"
    assert pairing({"app/users.py": before}, {"app/users.py": after}) == ([(1, 1)], [])


def test_a_function_renamed_and_moved_to_another_file_is_recognised():
    start = BEFORE.index("def remove")
    moved = BEFORE[start:].replace("def remove", "def delete_book")
    after = {"app/books.py": BEFORE[:start], "app/deletion.py": "import os\n\n" + moved}
    assert pairing({"app/books.py": BEFORE}, after) == ([(5, 5), (10, 4)], [])


def test_a_copied_statement_is_one_new_finding():
    line = "    session.execute(f\"DELETE FROM books WHERE name = '{name}'\")  # flaw\n"
    assert pairing({"app/books.py": BEFORE}, {"app/books.py": BEFORE.replace(line, line * 2)}) == (
        [(5, 5), (10, 10)],
        [11],
    )


def test_a_copied_function_is_one_new_finding_and_the_original_keeps_its_identity():
    copied = BEFORE.replace("def remove", "def erase")
    after = {"app/books.py": BEFORE, "app/a_copy.py": copied}
    old, new = scan({"app/books.py": BEFORE})[0], scan(after)[0]
    pairs = match(
        [Known(print_, p.path, p.line) for print_, p in zip(fingerprints(old), old, strict=True)],
        [Known(print_, p.path, p.line) for print_, p in zip(fingerprints(new), new, strict=True)],
    )
    assert sorted(new[index].path for index in pairs) == ["app/books.py", "app/books.py"]


def test_fixing_one_of_two_equal_findings_closes_that_one():
    line = "    session.execute(f\"DELETE FROM books WHERE name = '{name}'\")  # flaw\n"
    files = {"app/a.py": BEFORE, "app/b.py": BEFORE}
    fixed = {"app/a.py": BEFORE.replace(line, "    pass\n"), "app/b.py": BEFORE}
    old, new = scan(files)[0], scan(fixed)[0]
    pairs = match(
        [Known(print_, p.path, p.line) for print_, p in zip(fingerprints(old), old, strict=True)],
        [Known(print_, p.path, p.line) for print_, p in zip(fingerprints(new), new, strict=True)],
    )
    assert {(old[o].path, old[o].line) for o in range(4) if o not in pairs.values()} == {("app/a.py", 10)}


def test_an_edited_statement_is_new():
    after = BEFORE.replace("DELETE FROM books", "DELETE FROM users")
    assert pairing({"app/books.py": BEFORE}, {"app/books.py": after}) == ([(5, 5)], [10])


def test_two_rules_on_one_statement_are_two_identities():
    place = Place("a-rule", "m.py", 1, "m.f", "x = 1")
    first, second = fingerprints([place, Place("b-rule", "m.py", 1, "m.f", "x = 1")])
    assert first != second


def test_quotes_and_trailing_commas_are_the_formatters_business():
    texts = ["f('a', [1, 2,],)", 'f("a", [1, 2])', 'f(  "a",\n  [1, 2],\n)']
    assert len({fingerprints([Place("r", "m.py", 1, "m.f", text)]) for text in texts}) == 1
    apart = ['f("it\'s")', 'f("its")', 'f(b"its")', 'f("# its")', "f()  # its"]
    assert len({fingerprints([Place("r", "m.py", 1, "m.f", text)]) for text in apart}) == len(apart)


def test_a_fingerprint_of_another_version_or_none_is_refused():
    check(fingerprints([Place("r", "m.py", 1, "m.f", "x")])[0])
    for text in ("", "v0:a:b:1", "v1:a:b", "v1:a:b:x"):
        with pytest.raises(FingerprintError, match="not a fingerprint of version v1"):
            check(text)


places = st.builds(
    Place,
    st.sampled_from(["r", "s"]),
    st.sampled_from(["a.py", "b.py"]),
    st.integers(1, 9),
    st.sampled_from(["m.f", "m.g"]),
    st.sampled_from(["x = 1", "y = '", "#"]),
)


@given(st.lists(places, max_size=12))
def test_fingerprints_are_unique_and_do_not_depend_on_the_order_of_files(found):
    marks = fingerprints(found)
    assert len(set(marks)) == len(marks)
    assert sorted(fingerprints(found[::-1])) == sorted(marks)


@given(st.lists(places, max_size=12))
def test_a_scan_matches_itself_completely(found):
    known = [Known(mark, p.path, p.line) for mark, p in zip(fingerprints(found), found, strict=True)]
    pairs = match(known, known)
    assert sorted(pairs) == sorted(pairs.values()) == list(range(len(found)))


@given(st.text(max_size=60))
def test_any_text_has_a_fingerprint(text):
    check(fingerprints([Place("r", "m.py", 1, "m.f", text)])[0])
