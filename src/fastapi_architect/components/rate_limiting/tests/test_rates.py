"""What does a rate mean?"""

import pytest

from fastapi_architect.components.rate_limiting import Limit, Rate


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [("10/minute", 10, 60), ("5/15 minutes", 5, 900), (" 1 / 2 hours ", 1, 7200), ("100/day", 100, 86400)],
)
def test_a_rate_is_written_as_people_say_it(text: str, amount: int, seconds: int) -> None:
    assert Rate.parse(text) == Rate(amount, seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "ten/minute", "0/minute", "1/0 seconds", "1/400 days", "-1/minute"]
)
def test_what_is_no_rate_is_refused_when_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no rate|allows nothing"):
        Rate.parse(text)


def test_a_limit_has_a_rate() -> None:
    with pytest.raises(ValueError, match="needs a rate"):
        Limit.of("nothing")
