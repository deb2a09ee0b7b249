"""S292, S295, S298, S302: something is slow. The answer says where, and doing what it says makes it so."""

from __future__ import annotations

from tests.stories.conftest import Story

from fastapi_architect.__main__ import main

COUNTED = """
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.orm import Session
from app.main import app, engine
from app.models import Base, Item, Order

Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Order(items=[Item(title="a"), Item(title="b")]) for _ in range(20)])
    session.commit()
statements = []
event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
answer = TestClient(app).get("/api/v1/orders").json()
print(len(statements), len(answer), len(answer[0]["items"]))
"""

TICKS = """
import asyncio, time
import app.main as module

async def ticks():
    count = 0
    while True:
        await asyncio.sleep(0)
        count += 1
        yield count

class Session:
    def scalars(self, statement):
        return self
    def all(self):
        return []

async def main():
    waiting = asyncio.ensure_future(module.list_products(Session()))
    count = 0
    while not waiting.done():
        await asyncio.sleep(0.001)
        count += 1
    print(count > 5)

asyncio.run(main())
"""


def test_s292_a_slow_api_is_told_what_costs_most_and_waits_no_longer_on_its_loop(shop: Story) -> None:
    found = shop.ask("My API is slow under load, can you help?")

    said = found.answer.part("implementation")
    assert "app/main.py:46` n-plus-one-through-response-model" in said
    assert "app/main.py:52` blocking-sleep-in-async" in said
    assert "was read in the code, not measured" in found.answer.part("context")
    assert shop.python(TICKS) == "False"  # the loop stands still

    assert main(["fix", str(shop.root), "--rule", "blocking-sleep-in-async"]) == 0

    assert shop.python(TICKS) == "True"


def test_s295_one_slow_route_is_found_by_its_path(shop: Story) -> None:
    found = shop.ask("My /api/v1/products endpoint takes 3 seconds.")

    assert "`GET /api/v1/products` (`app/main.py:51`)" in found.answer.part("context")
    said = found.answer.part("implementation")
    assert "blocking-sleep-in-async" in said
    assert "n-plus-one" not in said  # that is another route's


def test_s298_orders_with_items_take_two_statements_after_what_the_answer_says(shop: Story) -> None:
    assert shop.python(COUNTED) == "21 20 2"

    found = shop.ask("Listing orders with their items is slow.")

    said = found.answer.part("implementation")
    assert "1 + n queries" in said
    assert "select(Order).options(selectinload(Order.items))" in said
    shop.replace("app/main.py", "select(Order)", "select(Order).options(selectinload(Order.items))")
    shop.replace("app/main.py", "import Session, sessionmaker", "import Session, selectinload, sessionmaker")
    assert shop.python(COUNTED) == "2 20 2"


LOADS = """
from fastapi.testclient import TestClient
from app.components.cache import CacheDep, CachedValue
from app.main import app

ANSWER = CachedValue("answer", int, ttl=60)
loads = 0

async def load() -> int:
    global loads
    loads += 1
    return loads

@app.get("/answer")
async def answer(cache: CacheDep) -> int:
    return await cache.get_or_load(ANSWER.key(shared=True), load)

with TestClient(app) as client:
    print([client.get("/answer").json() for _ in range(3)], loads)
"""


def test_s302_a_cache_in_redis_is_planned_after_what_makes_it_slow(shop: Story, redis_url: str) -> None:
    found = shop.ask("Add a Redis cache to my slow products endpoint.")

    said = found.answer.part("implementation")
    assert "Before anything is cached, mend what makes it slow" in said
    assert "blocking-sleep-in-async" in said
    [command] = [each for each in shop.commands(found) if each == ["add", "cache"]]
    assert not (shop.root / "app/components").exists()  # an answer is a plan

    shop.do(*command, "--yes")

    assert (shop.root / "app/components/cache").is_dir()
    assert shop.python(LOADS, REDIS_URL=redis_url, REDIS_TIMEOUT="5", ENVIRONMENT="local") == "[1, 1, 1] 1"
