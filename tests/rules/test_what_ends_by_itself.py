"""What ends without its expiry, or elsewhere, weighs less: a counter of one stretch of time, a token that is a handle."""

from __future__ import annotations

from tests.rules.kit import confidences_of, severities_of

from fastapi_architect.findings.severity import Confidence, Severity

_COUNTED = """
    import time

    from fastapi import FastAPI, HTTPException
    from redis import Redis

    app = FastAPI()
    redis = Redis()


    @app.get("/books")
    def list_books(user: str, period: int = 60) -> None:
        now = int(time.time())
        start = now - (now % period)
        key = {key}
        count = redis.incr(key)
        if count == 1:
            redis.expire(key, period)
        if count > 100:
            raise HTTPException(429)
"""


def test_a_counter_of_one_stretch_of_time_is_minor() -> None:
    files = {"main.py": _COUNTED.format(key='f"hits:{user}:{start}"')}
    assert severities_of("non-atomic-redis-counter-or-lock", files) == [Severity.MINOR]


def test_a_counter_that_locks_out_for_ever_is_important() -> None:
    files = {"main.py": _COUNTED.format(key='f"hits:{user}"')}
    assert severities_of("non-atomic-redis-counter-or-lock", files) == [Severity.IMPORTANT]


_READ = """
    from fastapi import FastAPI
    from joserfc import jwt
    from joserfc.jwk import OctKey

    from settings import KEY, SESSIONS

    key = OctKey.import_key(KEY)
    app = FastAPI()


    @app.get("/me")
    def read_me(token: str) -> str:
        found = jwt.decode(token, key, algorithms=["HS256"])
        return {answer}
"""


def test_a_token_that_is_only_a_handle_may_end_where_it_is_looked_up() -> None:
    files = {"main.py": _READ.format(answer='SESSIONS[found.claims.get("jti")]')}
    assert confidences_of("jwt-without-expiry", files) == [Confidence.TENTATIVE]


def test_a_token_whose_claims_are_believed_does_not() -> None:
    files = {"main.py": _READ.format(answer='found.claims["sub"]')}
    assert confidences_of("jwt-without-expiry", files) == [Confidence.FIRM]


_EVALUATED = """
    from pathlib import Path

    from fastapi import FastAPI

    app = FastAPI()


    class Filter:
        def __init__(self, text: str) -> None:
            self.rule = {rule}

        def run(self, row: dict) -> bool:
            return eval(self.rule, {{"__builtins__": {{}}}}, row)


    @app.get("/rows")
    def rows() -> bool:
        return Filter(Path("rule.txt").read_text()).run({{}})
"""


def test_a_field_that_is_evaluated_as_it_came_is_firm() -> None:
    assert Confidence.FIRM in confidences_of(
        "data-read-with-eval", {"main.py": _EVALUATED.format(rule="text")}
    )


def test_a_field_of_a_class_that_compiles_is_tentative() -> None:
    files = {"main.py": _EVALUATED.format(rule='compile(checked(text), "", "eval")')}
    assert set(confidences_of("data-read-with-eval", files)) <= {Confidence.TENTATIVE}


_POLLED = """
    import asyncio


    async def poll() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except BaseException:
                continue
"""
_SERVED = """
    from fastapi import FastAPI
    {imported}

    app = FastAPI()
"""


def test_a_loop_in_a_module_that_no_application_imports_is_minor() -> None:
    files = {"polling.py": _POLLED, "main.py": _SERVED.format(imported="")}
    assert severities_of("cancellation-swallowed", files) == [Severity.MINOR]


def test_a_loop_that_the_application_imports_is_important() -> None:
    files = {"polling.py": _POLLED, "main.py": _SERVED.format(imported="from polling import poll")}
    assert severities_of("cancellation-swallowed", files) == [Severity.IMPORTANT]
