"""Values keep their fields apart, and parameters give way to what they are given."""

from __future__ import annotations

from fastapi_architect.analyses.origins import CALLER, InCaller, field, flat, put_in, whole, within


def test_a_field_of_a_parameter_is_named_after_it() -> None:
    assert flat(field(whole([("in", "payload")]), "user_id")) == {("in", "payload", "user_id")}


def test_fields_are_kept_apart() -> None:
    service = within(whole([CALLER]), "user") | within(whole([("in", "session")]), "session")
    assert flat(field(service, "user")) == {CALLER}
    assert flat(field(service, "session")) == {("in", "session")}
    assert flat(field(service, "other")) == frozenset()


def test_whatever_belongs_to_the_caller_is_the_callers() -> None:
    assert flat(field(whole([CALLER]), "id")) == {CALLER}


def test_paths_are_two_fields_deep() -> None:
    deep = field(field(field(whole([("in", "a")]), "b"), "c"), "d")
    assert flat(deep) == {("in", "a", "b", "c")}


def test_parameters_give_way_to_arguments() -> None:
    given = {"user": whole([CALLER]), "order": whole([("client", "order_id")])}
    inner = whole([("in", "user", "id"), ("in", "order"), ("in", "unknown")])
    assert flat(put_in(inner, given)) == {CALLER, ("client", "order_id")}
    assert InCaller(given).of(flat(inner)) == {CALLER, ("client", "order_id")}
