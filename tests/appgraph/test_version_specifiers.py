"""Common requirements are read as `packaging` reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from fastapi_architect.appgraph.version_specifiers import allows, clauses_of, read_requirement

VERSIONS = st.from_regex(
    r"(1!)?[0-9]{1,2}(\.[0-9]{1,2}){0,2}((a|b|rc|\.post|\.dev)[0-9]|\.\*|\+local)?", fullmatch=True
)
CLAUSES = st.tuples(st.sampled_from(("<", "<=", ">", ">=", "==", "===", "!=", "~=", "^", "")), VERSIONS).map(
    "".join
)
SPECIFIERS = st.lists(CLAUSES, max_size=3).flatmap(
    lambda clauses: st.sampled_from((",", ", ", " , ", ",,")).map(lambda comma: comma.join(clauses))
)
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,6}[A-Za-z0-9])?|_a|b-|é", fullmatch=True)
EXTRAS = st.sampled_from(("", "[standard]", "[ b , a ]", "[a,a]", "[]", "[a,]", "[a b]"))
TAILS = st.sampled_from(("", " ", '; python_version < "3.12"', " @ https://example.org/a.whl", "; nonsense"))


@given(NAMES, EXTRAS, SPECIFIERS, TAILS)
def test_a_requirement_is_read_as_packaging_reads_it(
    name: str, extras: str, specifier: str, tail: str
) -> None:
    text = f"{name}{extras}{specifier}{tail}"
    asked = read_requirement(text)
    try:
        expected = Requirement(text)
    except InvalidRequirement:
        assert asked is None
        return
    assert asked is not None
    assert asked.name == canonicalize_name(expected.name)
    assert asked.specifier == str(expected.specifier)
    assert asked.extras == tuple(sorted(expected.extras))


@given(SPECIFIERS)
def test_clauses_are_those_of_packaging(specifier: str) -> None:
    clauses = clauses_of(specifier)
    try:
        expected = SpecifierSet(specifier)
    except InvalidSpecifier:
        assert clauses is None
        return
    assert clauses is not None
    assert {*clauses} == {(each.operator, each.version) for each in expected}


@given(SPECIFIERS, VERSIONS.filter(lambda text: "*" not in text))
def test_what_a_specifier_allows(specifier: str, version: str) -> None:
    try:
        expected = Version(version) in SpecifierSet(specifier)
    except InvalidSpecifier:
        with pytest.raises(ValueError, match="Invalid specifier"):
            allows(specifier, Version(version))
        return
    assert allows(specifier, Version(version)) is expected
