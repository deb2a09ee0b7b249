from tests.appgraph.sample import program_of

from fastapi_architect.program.types import STR, options
from fastapi_architect.syntax import ir

TEXT = """
from sqlalchemy import select


def f(model, word):
    s = select(model)
    if word:
        s = s.where(model.id > 3)
    s = s.order_by(model.id).limit(3)
    return s.offset(4)
"""


def test_a_name_bound_to_what_its_own_method_returns_keeps_its_type() -> None:
    program = program_of(TEXT)
    function = program.functions[0]
    found = {n for site in function.facts.calls for n in program.calls.names(site) if "Select." in n}
    assert found == {f"sqlalchemy.Select.{name}" for name in ("where", "order_by", "limit", "offset")}


def test_the_order_of_questions_does_not_change_the_answers() -> None:
    first, second = program_of(TEXT), program_of(TEXT)
    calls = first.functions[0].facts.calls
    forwards = [str(first.inference.type_of(site.node, site.scope)) for site in calls]
    backwards = [
        str(second.inference.type_of(site.node, site.scope))
        for site in reversed(second.functions[0].facts.calls)
    ]
    assert [name.count("Select") for name in forwards] == [
        name.count("Select") for name in reversed(backwards)
    ]
    assert all(list(options(first.inference.type_of(site.node, site.scope))) for site in calls)


def test_a_field_that_may_be_anything_is_more_than_its_default() -> None:
    program = program_of(
        "from typing import Any\n\n\nclass Search:\n    price: Any = None\n    title: str = None\n\n\n"
        "def f(search: Search):\n    return search.price, search.title\n"
    )
    function = program.functions[0]
    types = {
        site.node.attr: program.inference.type_of(site.node, function)
        for site in function.facts.sites(ir.Attribute)
    }
    assert types["price"] is None
    assert types["title"] == STR
