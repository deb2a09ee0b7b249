"""Probes tell the platform the truth in time, and strangers nothing."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr

from fastapi_architect.components.health_checks import HealthSettings
from fastapi_architect.components.health_checks.tests.example import create_app
from fastapi_architect.components.service import Component, Environment, begin_draining

TOKEN = "n0t-a-placeholder-Wm4Xq9Lz2Rb7Ty"


class Store(Component):
    """Something that the service needs."""

    def __init__(self, *, fails: bool = False, seconds: float = 0, stubborn: bool = False) -> None:
        self.fails = fails
        self.seconds = seconds
        self.stubborn = stubborn
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            if not self.stubborn:
                raise
            await asyncio.sleep(self.seconds)
        if self.fails:
            raise ConnectionError("planted-host-10.0.0.7 refused: password authentication failed")


class Other(Store):
    """Another one."""


class Silent(Component):
    """Something that cannot fail."""


def settings(**values: Any) -> HealthSettings:
    return HealthSettings(environment=Environment.LOCAL, **{"timeout": 0.2, "fresh_for": 0.0} | values)


def ready(app: FastAPI, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = TestClient(app).get("/health/ready", headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def test_probes_need_no_login_and_are_not_hidden_by_a_route_for_every_path() -> None:
    app = create_app(settings(), Store(), Silent())

    assert TestClient(app).get("/anything").status_code == 401
    assert TestClient(app).get("/health/live").json() == {"status": "alive"}
    assert TestClient(app).head("/health/live").status_code == 200
    assert ready(app) == (200, {"status": "ready"})
    assert not [path for path in app.openapi()["paths"] if "health" in path]


def test_a_component_that_is_down_makes_it_not_ready_and_strangers_learn_no_more() -> None:
    answer = ready(create_app(settings(), Store(), Other(fails=True)))

    assert answer == (503, {"status": "not ready"})


def test_it_lives_while_a_component_is_down() -> None:
    client = TestClient(create_app(settings(), Store(fails=True)))

    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "offered", ["", "Bearer ", "Bearer wrong", TOKEN, f"Bearer {TOKEN[:-1]}", "Bearer \u00e9", "bearer"]
)
def test_details_are_for_who_knows_the_token(offered: str) -> None:
    app = create_app(settings(token=SecretStr(TOKEN)), Store(), Other(fails=True))

    known = ready(app, Authorization=f"Bearer {TOKEN}")
    stranger = TestClient(app).get("/health/ready", headers=[(b"authorization", offered.encode())])

    assert known == (503, {"status": "not ready", "checks": {"Store": "up", "Other": "down"}})
    assert stranger.json() == {"status": "not ready"}
    assert "planted" not in str(known)


def test_without_a_token_nobody_sees_details() -> None:
    assert ready(create_app(settings(), Store()), Authorization="Bearer ") == (200, {"status": "ready"})


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_component_that_hangs_is_down_in_time(stubborn: bool) -> None:
    app = create_app(settings(token=SecretStr(TOKEN)), Store(seconds=3, stubborn=stubborn), Other())

    async def ask() -> tuple[float, dict[str, Any]]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
            answer = await client.get("/health/ready", headers={"Authorization": f"Bearer {TOKEN}"})
        return loop.time() - started, answer.json()

    seconds, content = asyncio.run(ask())

    assert seconds < 2
    assert content["checks"] == {"Store": "down", "Other": "up"}


@pytest.mark.anyio
async def test_components_are_asked_at_the_same_time_and_once_for_everybody() -> None:
    first, second = Store(seconds=0.3), Other(seconds=0.3)
    app = create_app(settings(timeout=1.0, fresh_for=5.0), first, second)
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        answers = await asyncio.gather(*(client.get("/health/ready") for _ in range(50)))
        await client.get("/health/ready")

    assert {answer.status_code for answer in answers} == {200}
    assert (first.asked, second.asked) == (1, 1)
    assert loop.time() - started < 0.58


@pytest.mark.anyio
async def test_an_answer_is_not_given_again_for_ever() -> None:
    store = Store()
    app = create_app(settings(fresh_for=0.05), store)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        before = await client.get("/health/ready")
        store.fails = True
        await asyncio.sleep(0.06)
        after = await client.get("/health/ready")

    assert (before.status_code, after.status_code) == (200, 503)


@pytest.mark.anyio
async def test_who_asks_first_and_goes_away_does_not_spoil_it_for_others() -> None:
    app = create_app(settings(timeout=1.0, fresh_for=5.0), Store(seconds=0.2))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        impatient = asyncio.ensure_future(client.get("/health/ready"))
        await asyncio.sleep(0.05)
        patient = asyncio.ensure_future(client.get("/health/ready"))
        await asyncio.sleep(0)
        impatient.cancel()

        assert (await patient).status_code == 200


def test_draining_is_not_ready_and_alive() -> None:
    app = create_app(settings(), Store())
    begin_draining(app)

    assert ready(app) == (503, {"status": "draining"})
    assert TestClient(app).get("/health/live").status_code == 200


def test_what_is_no_component_can_be_asked_too() -> None:
    async def ping_search() -> None:
        raise TimeoutError

    app = create_app(settings(token=SecretStr(TOKEN)), checks={"search": ping_search})

    assert ready(app, Authorization=f"Bearer {TOKEN}")[1]["checks"] == {"search": "down"}


def test_a_real_database_is_asked(database: Component) -> None:
    app = create_app(settings(token=SecretStr(TOKEN), timeout=5.0), database)

    with TestClient(app) as client:
        answer = client.get("/health/ready", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.json() == {"status": "ready", "checks": {"Database": "up"}}
