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


def _imported_user(last: str) -> set[str]:
    program = program_of(
        {
            "models.py": "class User:\n    password_hash: str\n",
            "schemas.py": "class User:\n    name: str\n",
            "main.py": f"from models import User\n{last}\n\n\ndef f():\n    return User\n",
        }
    )
    function = next(each for each in program.functions if each.name == "f")
    (site,) = function.facts.sites(ir.Return)
    found = options(program.inference.type_of(site.node.value, function))
    return {each.cls.full_name for each in found}  # type: ignore[union-attr]


def test_the_last_import_of_a_name_is_what_it_means() -> None:
    assert _imported_user("from schemas import User") == {"schemas.User"}


def test_an_import_under_a_condition_is_one_of_two_possibilities() -> None:
    last = "try:\n    from schemas import User\nexcept ImportError:\n    pass"
    assert _imported_user(last) == {"models.User", "schemas.User"}
