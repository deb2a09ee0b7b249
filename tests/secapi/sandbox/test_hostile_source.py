"""Source that breaks analysers: the review lives through each, says what it could not read, and reads the rest."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from tests.secapi.archives.hostile import noise, special, tarred, write
from tests.secapi.sandbox.archive import FLAW, FLAWED

from fastapi_architect.secapi.archives import unpack
from fastapi_architect.secapi.sandbox import Root, RootReview, SandboxLimits, review_root

#: What the archive holds, and how its reason begins where it is not analysed.
SOURCES: dict[str, tuple[bytes, str | None]] = {
    "signs.py": (b"+0" * 209_644, None),
    "sum.py": (b"x = " + b"1+" * 5_000 + b"1\n", None),
    "branches.py": (b"if a: pass\n" + b"elif a: pass\n" * 5_000, None),
    "brackets.py": (b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n", "nested too deep"),
    "nots.py": (b"x = " + b"not " * 50_000 + b"1\n", "nested too deep"),
    "lambdas.py": (b"x = " + b"lambda: " * 20_000 + b"1\n", "nested too deep"),
    "ternaries.py": (b"x = " + b"1 if a else " * 20_000 + b"1\n", "nested too deep"),
    "indents.py": (
        b"".join(b" " * n + b"if a:\n" for n in range(150)) + b" " * 150 + b"pass\n",
        "nested too deep",
    ),
    "attributes.py": (b"x = a" + b".b" * 50_000 + b"\n", None),
    "calls.py": (b"x = f" + b"()" * 50_000 + b"\n", None),
    "strings.py": (b"x = (" + b"'a' " * 100_000 + b")\n", None),
    "nul.py": (b"x = 1\0\n", "not text: NUL bytes"),
    "surrogate.py": (b"x = '\xed\xa0\x80'\n", None),
    "utf16.py": ("x = 1\n".encode("utf-16"), None),
    "mark.py": (b"\xef\xbb\xbfx = 1\n", None),
    "cookie.py": (b"# coding: no-such-thing\nx = 1\n", None),
    "rot13.py": (b"# coding: rot13\nk = 1\n", None),
    "latin.py": (b"x = '\xe9'\n", None),
    "returns.py": (b"x = 1\ry = 2\rdef f(): pass\r", None),
    "separators.py": ("x = 1\u2028y = 2\x0c\n".encode(), "syntax error"),
    "template.py": (b"{% if a %}\nx = 1\n{% endif %}\n", "Jinja template"),
    "long.py": (b"x = '" + b"a" * 2_900_000 + b"'\n", None),
    "larger.py": (b"x = 1\n" * 600_000, "larger than 3 MB"),
    "escapes.py": (b"x = '" + b"\\N{BULLET}" * 50_000 + b"'\n", None),
    "numbers.py": (b"x = " + b"9" * 100_000 + b"\n", None),
    "formats.py": (b"x = f'" + b"{a}" * 20_000 + b"'\n", None),
    "self_base.py": (b"class A(A): pass\nclass B(C): pass\nclass C(B): pass\n", None),
    "self_import.py": (b"from self_import import *\nfrom .self_import import x as x\n", None),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> RootReview:
    """All of them in one archive, beside an application."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "base").mkdir()
    entries = [(name, data) for name, (data, _) in SOURCES.items()]
    archive = tarred([*entries, ("main.py", FLAWED.encode())])
    content = folder / "content"
    content.mkdir()
    return review_root(
        unpack(write(folder / "upload", archive), content),
        Root(""),
        base=folder / "base",
        limits=SandboxLimits(cpu_factor=10),
    )


def test_no_source_ends_the_process_that_reads_it(found: RootReview) -> None:
    assert (found.guilty, found.runs) == ({}, 1)
    assert FLAW in {each["rule"] for each in found.report["findings"]}


@pytest.mark.parametrize("name", SOURCES)
def test_what_cannot_be_analysed_is_said(name: str, found: RootReview) -> None:
    reasons = [each["reason"] for each in found.report["not_analysed"] if each["file"] == name]
    wanted = SOURCES[name][1]
    if wanted is None:
        # Whether it parses depends on the version of Python and on the memory at hand; that it is said, on neither.
        assert all(reason for reason in reasons)
    else:
        assert [reason.startswith(wanted) for reason in reasons] == [True]


@pytest.mark.parametrize(
    "source",
    [b"x=1\n" * 300_000, b"x = {" + b"1: 2, " * 200_000 + b"}\n"],
    ids=["many statements", "one large dictionary"],
)
def test_a_file_that_takes_hundreds_of_times_its_size_in_memory_costs_only_itself(
    source: bytes, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    archive = write(tmp_path / "upload", tarred([("main.py", FLAWED.encode()), ("z.py", source)]))
    limits = SandboxLimits(memory=600_000_000)
    result = review_root(unpack(archive, content), Root(""), base=tmp_path / "base", limits=limits)
    assert {each["file"] for each in result.report["not_analysed"]} <= {"z.py"}
    assert FLAW in {each["rule"] for each in result.report["findings"]}


@pytest.mark.matrix
def test_large_and_many_files_take_bounded_time_and_the_rest_is_reviewed(tmp_path: Path) -> None:
    """A file of 120 MB, one line of 50 MB, folders 5,000 deep, and 20,000 links."""
    block = noise(1_000_000)
    entries = [
        ("data.py", block * 120),
        ("line.py", b"x = '" + b"a" * 10_000_000 + noise(100) * 400_000 + b"'"),
    ]
    entries += [("/".join("d" * 400) + "/x.py", b""), ("main.py", FLAWED.encode())]
    members = [*entries, *(special(f"f{number}.py", tarfile.SYMTYPE, "x") for number in range(20_000))]
    content = tmp_path / "content"
    content.mkdir()
    found = unpack(write(tmp_path / "upload", tarred(members)), content)
    assert found.reasons == {"a symbolic link": 20_000, "deeper than 40 folders": 1, "larger than 20 MB": 2}
    result = review_root(found, Root(""), base=tmp_path / "base")
    assert FLAW in {each["rule"] for each in result.report["findings"]}
