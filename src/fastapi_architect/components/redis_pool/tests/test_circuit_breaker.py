"""When may the next caller ask?"""

import pytest

from fastapi_architect.components.redis_pool import CircuitBreaker, CircuitState


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, pause=10, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admits()
        breaker.failed(is_probe=breaker.is_probing)


def state(breaker: CircuitBreaker) -> CircuitState:
    return breaker.state


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.admits()
    breaker.succeeded(is_probe=False)
    fail(breaker, 2)
    assert state(breaker) is CircuitState.CLOSED

    fail(breaker, 1)

    assert state(breaker) is CircuitState.OPEN
    assert not breaker.admits()


def test_after_the_pause_exactly_one_asks(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10

    assert [breaker.admits() for _ in range(5)] == [True, False, False, False, False]
    assert state(breaker) is CircuitState.HALF_OPEN


def test_the_answer_to_the_probe_decides_for_all(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10
    fail(breaker, 1)
    assert state(breaker) is CircuitState.OPEN

    clock.now = 20
    assert breaker.admits()
    breaker.succeeded(is_probe=True)

    assert state(breaker) is CircuitState.CLOSED


def test_a_late_answer_from_before_it_opened_does_not_close_it(breaker: CircuitBreaker) -> None:
    assert breaker.admits()
    fail(breaker, 3)

    breaker.succeeded(is_probe=False)

    assert state(breaker) is CircuitState.OPEN


def test_a_cancelled_probe_leaves_its_place_to_the_next(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10
    assert breaker.admits()

    breaker.abandoned(is_probe=True)

    assert breaker.admits()
