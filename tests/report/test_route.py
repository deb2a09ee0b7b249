"""One route as a document: what is said of its dependencies, inputs, queries and effects is what the code does."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from fastapi_architect.appgraph.named_routes import NoSuchRoute
from fastapi_architect.report import route_text
from fastapi_architect.report.route import Shown, show
from fastapi_architect.review.pipeline import Request

BOOKSHOP = Path(__file__).parents[2] / "examples" / "bookshop"
VULNERABLE = BOOKSHOP.with_name("bookshop_vulnerable")

APP = """
    import time
    from collections.abc import Iterator
    from typing import Annotated

    import httpx
    from celery import Celery
    from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Query
    from fastapi.middleware.gzip import GZipMiddleware
    from pydantic import BaseModel, Field
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

    engine = create_engine("postgresql://localhost/shop")
    make_session = sessionmaker(engine)
    worker = Celery("shop")


    class Base(DeclarativeBase): ...


    class Customer(Base):
        __tablename__ = "customers"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)
        town: Mapped[str]


    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str] = mapped_column(index=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
        customer: Mapped[Customer] = relationship()


    class NewOrder(BaseModel):
        model_config = {"extra": "forbid"}
        number: str = Field(min_length=3, max_length=12)
        copies: int = Field(ge=1, le=9)


    class OrderOut(BaseModel):
        number: str


    def get_session() -> Iterator[Session]:
        with make_session() as session:
            yield session


    def current_user(session: Annotated[Session, Depends(get_session)], authorization: Annotated[str, Header()]) -> Customer:
        found = session.scalar(select(Customer).where(Customer.email == authorization))
        if found is None:
            raise HTTPException(401)
        return found


    Reader = Annotated[Customer, Depends(current_user)]
    DatabaseSession = Annotated[Session, Depends(get_session)]

    app = FastAPI()
    app.add_middleware(GZipMiddleware)


    @app.middleware("http")
    async def timed(request, call_next):
        return await call_next(request)


    @worker.task
    def announce(number: str) -> None: ...


    @app.get("/orders/{order_id}", response_model=OrderOut)
    def read_order(order_id: int, session: DatabaseSession, reader: Reader):
        return session.get(Order, order_id)


    @app.get("/orders")
    def list_orders(session: DatabaseSession, town: str, limit: Annotated[int, Query(ge=1, le=50)] = 20) -> list[str]:
        customers = session.scalars(select(Customer).where(Customer.town == town)).all()
        found = []
        for customer in customers:
            for order in session.scalars(select(Order).where(Order.customer_id == customer.id)):
                found.append(order.number)
        return found


    @app.post("/orders", status_code=201)
    async def place_order(new: NewOrder, session: DatabaseSession, later: BackgroundTasks, reader: Reader) -> None:
        session.add(Order(number=new.number, customer_id=reader.id))
        session.commit()
        announce.delay(new.number)
        later.add_task(tell, new.number)
        time.sleep(1)
        async with httpx.AsyncClient() as client:
            await client.post("https://partner.example/orders", json={"number": new.number})


    def tell(number: str) -> None: ...
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))


def shop(tmp_path: Path, text: str = APP) -> Path:
    project = tmp_path / "shop"
    project.mkdir(exist_ok=True)
    (project / "main.py").write_text(textwrap.dedent(text), "utf-8")
    return project


def shown(tmp_path: Path, route: str, *, findings: bool = False, text: str = APP) -> dict[str, Any]:
    found = show(Request(shop(tmp_path, text)), route, findings=findings)
    assert len(found.routes) == 1
    return found.routes[0]


def line_of(text: str, wanted: str = APP) -> int:
    return 1 + next(number for number, line in enumerate(wanted.split("\n")) if text in line)


def test_what_a_shared_dependency_gives_is_made_once_before_whoever_needs_it(tmp_path: Path) -> None:
    session, reader = shown(tmp_path, "GET /orders/{order_id}")["dependencies"]
    assert (session["name"], session["order"], session["reused"]) == ("main.get_session", 1, False)
    assert (session["yields"], session["gives"], session["session"]["closes"]) == (True, "Session", True)
    assert (reader["name"], reader["order"], reader["guards"]) == ("main.current_user", 2, "user")
    assert reader["reads"] == ["authorization (header)"]
    (again,) = reader["dependencies"]
    assert (again["name"], again["order"], again["reused"]) == ("main.get_session", 1, True)


def test_a_dependency_that_is_not_cached_runs_again(tmp_path: Path) -> None:
    text = """
        from fastapi import Depends, FastAPI

        def clock() -> float: ...
        def first(now: float = Depends(clock, use_cache=False)) -> float: ...

        app = FastAPI()

        @app.get("/")
        def read(a: float = Depends(first), b: float = Depends(clock, use_cache=False)): ...
    """
    first, clock = shown(tmp_path, "/", text=text)["dependencies"]
    assert [first["order"], first["dependencies"][0]["order"], clock["order"]] == [2, 1, 3]
    assert not clock["reused"]
    assert clock["runs"] == "thread pool"


def test_the_order_of_a_request_is_the_order_in_which_fastapi_calls_them(tmp_path: Path) -> None:
    """FastAPI itself is asked: the same application runs, and every dependency writes its name down."""
    from fastapi.testclient import TestClient

    text = """
        from fastapi import APIRouter, Depends, FastAPI

        called = []

        def d(): called.append("d")
        def c(below=Depends(d)): called.append("c")
        async def b(below=Depends(c)): called.append("b")
        def a(left=Depends(b), right=Depends(d)): called.append("a")
        def of_router(below=Depends(d)): called.append("of_router")
        def of_app(): called.append("of_app")
        def of_route(below=Depends(c)): called.append("of_route")

        router = APIRouter(dependencies=[Depends(of_router)])

        @router.get("/x", dependencies=[Depends(of_route)])
        def read(value=Depends(a), other=Depends(b)): ...

        app = FastAPI(dependencies=[Depends(of_app)])
        app.include_router(router)
    """
    document = shown(tmp_path, "/x", text=text)
    runs: dict[int, str] = {}

    def walk(nodes: list[dict[str, Any]]) -> None:
        for node in nodes:
            if not node["reused"]:
                runs[node["order"]] = node["name"].rpartition(".")[2]
            walk(node["dependencies"])

    walk(document["dependencies"])
    namespace: dict[str, Any] = {}
    exec(textwrap.dedent(text), namespace)
    assert TestClient(namespace["app"]).get("/x").status_code == 200
    assert [runs[number] for number in sorted(runs)] == namespace["called"]


def test_middleware_stands_in_the_order_in_which_it_runs(tmp_path: Path) -> None:
    names = [each["name"].rpartition(".")[2] for each in shown(tmp_path, "/orders/{x}")["middleware"]]
    assert names == ["timed", "GZipMiddleware"]


def test_inputs_are_classified_with_their_limits_and_who_reads_them(tmp_path: Path) -> None:
    listing = {each["name"]: each for each in shown(tmp_path, "GET /orders")["parameters"]}
    assert listing["limit"]["kind"] == "query"
    assert listing["limit"]["constraints"] == {"ge": 1, "le": 50}
    assert (listing["limit"]["required"], listing["limit"]["default"]) == (False, "20")
    assert (listing["town"]["required"], listing["town"]["constraints"]) == (True, {})
    placing = {each["name"]: each for each in shown(tmp_path, "POST /orders")["parameters"]}
    assert (placing["new"]["kind"], placing["new"]["extra"]) == ("body", "forbid")
    number, copies = placing["new"]["fields"]
    assert (number["name"], number["constraints"]) == ("number", {"max_length": 12, "min_length": 3})
    assert (copies["name"], copies["constraints"]) == ("copies", {"ge": 1, "le": 9})
    assert (placing["authorization"]["kind"], placing["authorization"]["of"]) == (
        "header",
        "main.current_user",
    )


def test_a_default_that_looks_like_a_secret_is_not_repeated(tmp_path: Path) -> None:
    text = """
        from fastapi import FastAPI, Header

        app = FastAPI()

        @app.get("/")
        def read(api_key: str = Header("hunter2-hunter2")): ...
    """
    for findings in (False, True):
        (parameter,) = shown(tmp_path, "/", text=text, findings=findings)["parameters"]
        assert "hunter2" not in parameter["default"]
        assert "*" in parameter["default"]


def test_a_query_in_a_loop_makes_one_and_n_and_names_the_missing_index(tmp_path: Path) -> None:
    document = shown(tmp_path, "GET /orders")
    assert document["query_count"] == {"text": "1 + n", "n": "`limit=20`", "at_most": 21, "complete": True}
    customers, orders = document["queries"]
    assert (customers["tables"], customers["once_for_each"], customers["index"]) == (
        ["customers"],
        "",
        "none",
    )
    assert (orders["tables"], orders["once_for_each"], orders["loops"]) == (["orders"], "customer", 1)
    assert orders["index"] == "none"
    assert [(s["column"], s["operator"]) for s in orders["searches"]] == [("customer_id", "==")]


def test_a_row_by_its_key_and_a_search_by_a_unique_column_have_an_index(tmp_path: Path) -> None:
    document = shown(tmp_path, "GET /orders/{order_id}")
    assert {(q["tables"][0], q["index"]) for q in document["queries"]} == {
        ("customers", "leading"),
        ("orders", "leading"),
    }
    assert document["query_count"]["text"] == "2"


def test_a_model_that_fills_itself_from_lazy_rows_counts_as_the_finding_does(tmp_path: Path) -> None:
    (listing,) = show(Request(VULNERABLE), "GET /api/v1/books").routes
    assert listing["query_count"]["text"] == "1 + n"
    (finding,) = [f for f in listing["findings"] if f["rule"] == "n-plus-one-through-response-model"]
    assert f"up to {listing['query_count']['at_most']} queries" in finding["issue"]


def test_effects_say_what_is_written_committed_sent_called_and_what_blocks(tmp_path: Path) -> None:
    document = shown(tmp_path, "POST /orders")
    calls = {name: [each["call"] for each in found] for name, found in document["effects"].items()}
    assert calls["writes"] == ["session.add"]
    assert calls["commits"] == ["session.commit"]
    assert calls["enqueues"] == ["announce.delay"]
    assert calls["background_tasks"] == ["later.add_task(tell)"]
    assert calls["outbound"] == ["client.post"]
    blocking = {each["call"]: each for each in document["blocking"]}
    assert blocking["time.sleep"]["line"] == line_of("time.sleep(1)")
    assert blocking["time.sleep"]["instead"] == "await asyncio.sleep(...)"
    assert document["response"]["status"] == 201


def test_what_runs_in_a_thread_holds_up_no_loop(tmp_path: Path) -> None:
    assert shown(tmp_path, "GET /orders")["blocking"] == []


def test_findings_are_those_of_this_route_only(tmp_path: Path) -> None:
    placing = shown(tmp_path, "POST /orders", findings=True)
    assert "blocking-sleep-in-async" in [f["rule"] for f in placing["findings"]]
    reading = shown(tmp_path, "GET /orders/{order_id}", findings=True)
    assert "blocking-sleep-in-async" not in [f["rule"] for f in reading["findings"]]


def test_every_route_of_the_bookshop_can_be_shown_and_agrees_with_the_map(tmp_path: Path) -> None:
    from fastapi_architect.report.map import document
    from fastapi_architect.review import reading
    from fastapi_architect.review.config import Config
    from fastapi_architect.source.tree import SourceTree

    graph = reading.read(SourceTree.open(BOOKSHOP), Config()).graph
    rows = [o for a in document(graph)["applications"] for o in a["operations"]]
    assert len(rows) > 30
    from fastapi_architect.appgraph.named_routes import routes_named
    from fastapi_architect.report.route import document as of_route

    for each in rows:
        (named,) = routes_named(graph, each["route"])
        page = of_route(graph, named)
        assert (page["route"], page["handler"], page["access"]) == (
            each["route"],
            each["handler"],
            each["access"],
        )
        lazy = sum(q["kind"].startswith("lazy load") for q in page["queries"])
        assert len(page["queries"]) - lazy == each["queries"]
        assert {t for q in page["queries"] for t in q["tables"]} <= {*each["tables"], *_all_tables(graph)}
        text = route_text.render(Shown((page,), False, ()))
        assert text.startswith(f"{each['route']}  ")


def _all_tables(graph: Any) -> set[str]:
    return {model.table.name for model in graph.models}


def test_names_of_reviewed_code_do_not_steer_the_terminal(tmp_path: Path) -> None:
    text = """
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/a\\x1b[2J\\u202eb")
        def read(x: str = "\\x1b[2J"): ...
    """
    page = route_text.render(show(Request(shop(tmp_path, text)), "read"))
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_a_name_with_a_line_break_makes_no_line_of_its_own(tmp_path: Path) -> None:
    text = """
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/a\\nFindings (0)")
        def read(x: str = ""): ...
    """
    page = route_text.render(show(Request(shop(tmp_path, text)), "read"))
    assert page.splitlines()[0].startswith("GET /a\\nFindings (0)  main.read")


def test_without_an_application_the_message_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(NoSuchRoute, match="pass the folder of your application"):
        show(Request(shop(tmp_path, "x = 1")), "GET /")


def test_a_body_of_many_fields_is_cut_in_text_and_whole_as_a_document(tmp_path: Path) -> None:
    fields = "\n".join(f"            field_{n}: int" for n in range(60))
    text = f"""
        from fastapi import FastAPI
        from pydantic import BaseModel

        class Form(BaseModel):
{fields}

        app = FastAPI()

        @app.post("/forms")
        def send(form: Form): ...
    """
    document = shown(tmp_path, "/forms", text=text)
    assert len(document["parameters"][0]["fields"]) == 60
    page = route_text.render(Shown((document,), False, ()))
    assert "field_39: int" in page
    assert "field_40: int" not in page
    assert "... and 20 fields more: --format json" in page
