import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.analyses.endings import falls_off


def falls(body: str) -> bool:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    program = program_of(f"def f(x):\n{lines}\n")
    return falls_off(program.functions[0])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return x", False),
        ("x += 1", True),
        ("if x:\n    return 1", True),
        ("if x:\n    return 1\nelse:\n    raise ValueError", False),
        ("if x:\n    return 1\nelif x > 2:\n    pass\nelse:\n    return 2", True),
        ("try:\n    return 1\nexcept KeyError:\n    pass", True),
        ("try:\n    return 1\nexcept KeyError:\n    raise", False),
        ("try:\n    x()\nfinally:\n    return 1", False),
        ("while True:\n    if x:\n        return 1", False),
        ("while True:\n    if x:\n        break", True),
        ("for y in x:\n    return y", True),
        ("with x:\n    return 1", False),
        ("with suppress(KeyError):\n    return 1", True),
        ("match x:\n    case 1:\n        return 1\n    case _:\n        return 2", False),
        ("match x:\n    case 1:\n        return 1", True),
    ],
)
def test_the_end_of_a_body_is_reached_or_not(body: str, expected: bool) -> None:
    assert falls(body) == expected
