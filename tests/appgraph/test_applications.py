"""What an application registers, in which order and where: against what FastAPI and Starlette do with the same code."""

from __future__ import annotations

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.applications import Application, ApplicationReader
from fastapi_architect.appgraph.routers import Unresolved

START = """
from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware

async def plain(request): ...

app = FastAPI()
router = APIRouter(prefix="/r")
"""


def read(
    text: str, files: dict[str, str] | None = None
) -> tuple[dict[str, Application], tuple[Unresolved, ...]]:
    """Applications by name, and what could not be followed anywhere."""
    reader = ApplicationReader(program_of({"app.py": START + text, **(files or {})}))
    found = reader.applications()
    return {a.name: a for a in found}, (*reader.unresolved(), *(u for a in found for u in a.unresolved))


def operations(text: str) -> list[str]:
    return [str(o) for o in read(text)[0]["app"].operations]


def test_the_lowest_decorator_registers_first() -> None:
    assert operations("@app.get('/upper')\n@app.get('/lower')\ndef handler(): ...\n") == [
        "GET /lower",
        "GET /upper",
    ]


@pytest.mark.parametrize(
    ("registration", "expected"),
    [
        ("router.get('/x')(plain)", "GET /p/r/x"),
        ("router.get('')(plain)", "GET /p/r"),
        ("router.add_api_route('/x', plain, methods=['PUT', 'post'])", "POST|PUT /p/r/x"),
        ("router.api_route('/x', methods={'GET'})(plain)", "GET /p/r/x"),
        ("router.api_route('/x', methods=METHODS)(plain)", "? /p/r/x"),
        ("router.add_route('/x', plain)", "GET /p/x"),
        ("router.add_route('/x', plain, ['POST'])", "POST /p/x"),
        ("router.add_api_websocket_route('/x', plain)", "WEBSOCKET /p/r/x"),
        ("router.add_websocket_route('/x', plain)", "WEBSOCKET /p/x"),
        ("router.trace('/x')(plain)", "TRACE /p/r/x"),
        ("router.get(path='/x/')(plain)", "GET /p/r/x/"),
        ("router.get(unknown)(plain)", "GET /p/r/{?}"),
        ("router.get(unknown.rstrip('/') + '/{name:path}')(plain)", "GET /p/r/{?}/{name:path}"),
        ("router.get(f'/v{unknown}/{{name}}')(plain)", "GET /p/r/v{?}/{name}"),
        ("tail = unknown + '/tail'\nrouter.get('/head' + tail)(plain)", "GET /p/r/head{?}/tail"),
    ],
)
def test_a_router_registers_under_its_prefixes(registration: str, expected: str) -> None:
    """Starlette's own registrations do not get the router's prefix, only that of the inclusion."""
    assert operations(f"{registration}\napp.include_router(router, prefix='/p')\n") == [expected]


def test_mounts_in_mounts_stand_under_both_paths_and_a_routers_own_prefix_is_left_out() -> None:
    applications, _ = read("""
inner = FastAPI()
middle = FastAPI()
beside = FastAPI()
@inner.get("/leaf")
def leaf(): ...
middle.mount("/inner", inner)
router.mount("/beside", beside)
app.include_router(router, prefix="/p")
app.mount("/middle/", middle)
""")
    assert {name: a.mount_path for name, a in applications.items()} == {
        "app": "",
        "beside": "/p/beside",
        "inner": "/middle/inner",
        "middle": "/middle",
    }
    assert [str(o) for o in applications["inner"].operations] == ["GET /leaf"]


def test_applications_mounted_in_each_other_end() -> None:
    applications, _ = read("other = FastAPI()\napp.mount('/o', other)\nother.mount('/a', app)\n")
    assert set(applications) == {"app", "other"}


def test_dependencies_run_from_the_application_inwards() -> None:
    applications, _ = read("""
def of_app(): ...
def of_include(): ...
def of_router(): ...
def of_route(): ...
def of_parameter(): ...
shop = FastAPI(dependencies=[Depends(of_app)])
inner = APIRouter(dependencies=[Depends(of_router)])
@inner.get("/", dependencies=[Security(of_route, scopes=["read"])])
def handler(value=Depends(of_parameter)): ...
shop.include_router(inner, dependencies=[Depends(of_include)])
""")
    (operation,) = applications["shop"].operations
    assert [(d.name.removeprefix("app.of_"), d.level) for d in operation.dependencies] == [
        ("app", "application"),
        ("include", "include"),
        ("router", "router"),
        ("route", "route"),
        ("parameter", "parameter"),
    ]
    assert operation.dependencies[3].security_scopes == ("read",)


def test_the_middleware_added_last_is_outermost_and_listed_ones_are_innermost() -> None:
    applications, _ = read("""
class Own:
    def __call__(self, scope, receive, send): ...

shop = FastAPI(middleware=[Middleware(GZipMiddleware), Middleware(Own)])
shop.add_middleware(CORSMiddleware, allow_origins=["*"])

@shop.middleware("http")
async def timed(request, call_next): ...
""")
    stack = applications["shop"].middleware
    assert [(m.position, m.name.rpartition(".")[2]) for m in stack] == [
        (0, "timed"),
        (1, "CORSMiddleware"),
        (2, "GZipMiddleware"),
        (3, "Own"),
    ]
    assert sorted(stack[1].keywords) == ["allow_origins"]
    assert stack[3].function is not None


def test_what_runs_at_start_and_stop_is_found() -> None:
    applications, _ = read("""
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    yield

def opened(): ...

shop = FastAPI(lifespan=lifespan, on_shutdown=[opened])

@shop.on_event("startup")
def started(): ...

shop.add_event_handler("startup", opened)
""")
    found = applications["shop"].lifespan
    assert found.function is not None
    assert found.function.name == "lifespan"
    assert [f.name for f, _ in found.startup if f is not None] == ["started", "opened"]
    assert [f.name for f, _ in found.shutdown if f is not None] == ["opened"]


def test_routers_that_only_a_loop_over_modules_includes_are_floating() -> None:
    applications, unresolved = read(
        """
import importlib
for name in ("users",):
    app.include_router(importlib.import_module(name).router)
""",
        {
            "users.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/u')\ndef u(): ...\n"
        },
    )
    assert [(str(o), o.floating) for o in applications["app"].operations] == [("GET /u", True)]
    assert [u.reason for u in unresolved] == [
        "the included router could not be followed to an APIRouter of this tree"
    ]


def test_a_class_based_view_brings_its_dependencies() -> None:
    applications, _ = read("""
from fastapi_utils.cbv import cbv

def get_session(): ...
def get_user(): ...

@cbv(router)
class Users:
    session: object = Depends(get_session)

    def __init__(self, user=Depends(get_user)): ...

    @router.get("/users/{key}")
    def read(self, key: int): ...

app.include_router(router)
""")
    (operation,) = applications["app"].operations
    assert [d.name for d in operation.dependencies] == ["app.get_session", "app.get_user"]
    assert [(p.name, p.kind) for p in operation.parameters] == [("key", "path")]
    assert operation.view is not None


def test_a_decorator_of_the_program_that_registers_is_followed() -> None:
    assert operations("""
def protected(register, path):
    def around(handler):
        return register(path, dependencies=[])(handler)
    return around

@protected(router.get, "/x")
def handler(): ...

app.include_router(router)
""") == ["GET /r/x"]


def test_a_router_that_includes_itself_ends() -> None:
    assert operations(
        "@router.get('/x')\ndef x(): ...\nrouter.include_router(router)\napp.include_router(router)\n"
    ) == ["GET /r/x"]


def test_inclusions_that_double_are_cut_off_and_said() -> None:
    lines = ["r0 = APIRouter()", "@r0.get('/x')", "def x(): ..."]
    for n in range(1, 16):
        lines.append(f"r{n} = APIRouter()")
        lines += [f"r{n}.include_router(r{n - 1}, prefix='/{side}')" for side in "ab"]
    applications, unresolved = read("\n".join([*lines, "app.include_router(r15)", ""]))
    assert len(applications["app"].operations) == 10_000
    assert [u.reason for u in unresolved] == ["more than 10000 operations; what follows is not read"]


def test_dependencies_that_double_are_walked_once() -> None:
    lines = ["def d0(): ..."]
    lines += [f"def d{n}(a=Depends(d{n - 1}), b=Depends(d{n - 1})): ..." for n in range(1, 24)]
    applications, _ = read("\n".join([*lines, "@app.get('/')", "def h(a=Depends(d23)): ...", ""]))
    (operation,) = applications["app"].operations
    assert len({d.name for d in operation.all_dependencies()}) == 24
    assert len(list(operation.all_dependencies())) == 47


@pytest.mark.parametrize(
    "text",
    [
        "@app.get()\ndef a(): ...\napp.add_api_route()\napp.include_router()\napp.mount()\napp.add_middleware()\n",
        "@app.middleware()\nasync def m(): ...\n@app.exception_handler()\ndef e(): ...\n@app.on_event()\ndef o(): ...\n",
        "@app.get(*a, **k)\ndef a(*args: Depends(a), **kw: int): ...\napp.include_router(*a, **k)\nDepends(*a)\n",
        "app.add_api_route('/x', lambda x: x)\n@app.get('/w', dependencies=[Depends(lambda: 1), Depends()])\ndef h(): ...\n",
        "(r := APIRouter()).get('/x')(print)\nif (a := FastAPI()) and a.get('/y'): ...\n",
        "class A:\n    class B:\n        @app.get('/x')\n        class C:\n            @app.get('/y')\n            def f(): ...\n",
        (
            "class A(B): ...\nclass B(A): ...\nx = y\ny = x\n@app.get(x)\ndef h(a: A, b: x) -> 'h': ...\n"
            "r = r2\nr2 = r\napp.include_router(r)\n"
        ),
        "def a(x=Depends(b)): ...\ndef b(x=Depends(a)): ...\n@app.get('/')\ndef h(x=Depends(a)): ...\n",
        (
            "class R(APIRouter):\n"
            "    def __init__(): super().__init__()\n    def f(): self.get('/x')(f)\napp.include_router(R())\n"
        ),
        (
            "r = APIRouter(prefix=3, tags=5, dependencies={1: 2})\n"
            "@r.api_route(1, methods=3)\ndef f(): ...\napp.include_router(r, prefix=b'x')\n"
        ),
    ],
)
def test_odd_code_is_read_without_a_fault(text: str) -> None:
    applications, _ = read(text)
    assert "app" in applications


ROUTERS = {
    "items.py": """
from fastapi import APIRouter
router = APIRouter(prefix="/items")

@router.get("/{number}")
def item(number: int): ...
""",
    "api.py": """
from fastapi import APIRouter
import items
api = APIRouter(prefix="/api")
api.include_router(items.router)
""",
}


def test_routers_of_a_tree_without_an_application_are_told_once_and_as_floating() -> None:
    reader = ApplicationReader(program_of(ROUTERS))
    assert reader.applications() == ()
    strays = reader.strays()
    assert strays is not None
    assert [(str(o), o.floating) for o in strays.operations] == [("GET /api/items/{number}", True)]


def test_routers_beside_an_application_that_does_not_include_them_are_dead_code() -> None:
    main = "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef home(): ...\n"
    reader = ApplicationReader(program_of({**ROUTERS, "main.py": main}))
    [application] = reader.applications()
    assert [str(o) for o in application.operations] == ["GET /"]


def test_a_tree_without_routers_has_no_strays() -> None:
    assert ApplicationReader(program_of({"main.py": "print('hello')\n"})).strays() is None


LENT = {
    "pages.py": """
        from fastapi import APIRouter, FastAPI

        inner = APIRouter(prefix="/inner")

        @inner.get("/leaf")
        def leaf(): ...

        def register(app: FastAPI) -> None:
            app.include_router(inner, prefix="/p")
            add(app, "/x")

        def add(app: FastAPI, prefix: str) -> None:
            @app.get(prefix + "/{name}")
            def page(name: str): ...

        class Plugin:
            def __init__(self, app):
                self.app = app

            def setup(self):
                @self.app.post("/plugin")
                def plugin(): ...

        def without_annotations(server, cache):
            @server.get("/unannotated")
            def unannotated(): ...

            @cache.get("key")
            def no_route(): ...
    """
}


def test_what_is_registered_on_a_parameter_is_known_where_nobody_passes_an_application() -> None:
    reader = ApplicationReader(program_of(LENT))
    assert reader.applications() == ()
    strays = reader.strays()
    assert strays is not None
    assert {(str(o), o.floating) for o in strays.operations} == {
        ("GET /p/inner/leaf", True),
        ("GET /x/{name}", True),
        ("POST /plugin", True),
        ("GET /unannotated", True),
    }


def test_what_is_registered_on_a_parameter_belongs_to_the_application_that_is_passed() -> None:
    main = "import pages\nfrom fastapi import FastAPI\napp = FastAPI()\npages.register(app)\n"
    reader = ApplicationReader(program_of({**LENT, "main.py": main}))
    [application] = reader.applications()
    assert [str(o) for o in application.operations] == ["GET /p/inner/leaf", "GET /x/{name}"]
    strays = reader.strays()
    assert strays is not None
    assert [str(o) for o in strays.operations] == ["POST /plugin", "GET /unannotated"]


PARTS = """
class Part:
    def install(self, app: FastAPI) -> None:
        pass

{classes}

def install(app: FastAPI, parts: list[Part]) -> None:
    for part in reversed(parts):
        part.install(app)

install(app, [{made}])
"""


@pytest.mark.parametrize("count", [2, 30])
def test_a_list_of_parts_installs_the_routes_of_each(count: int) -> None:
    classes = "\n".join(
        f"class Part{n}(Part):\n    def install(self, app: FastAPI) -> None:\n        app.add_api_route('/{n}', plain)\n"
        for n in range(count)
    )
    made = ", ".join(f"Part{n}()" for n in range(count))

    assert set(operations(PARTS.format(classes=classes, made=made))) == {f"GET /{n}" for n in range(count)}


@pytest.mark.parametrize("count", [2, 30])
def test_a_part_that_nobody_makes_installs_nothing(count: int) -> None:
    classes = "\n".join(
        f"class Part{n}(Part):\n    def install(self, app: FastAPI) -> None:\n        app.add_api_route('/{n}', plain)\n"
        for n in range(count)
    )

    assert operations(PARTS.format(classes=classes, made="Part0()")) == ["GET /0"]


def test_handlers_that_a_loop_installs_are_known_by_their_errors() -> None:
    app = read(
        """
def on_value(request, error): ...
def on_key(request, error): ...

HANDLERS = {ValueError: on_value, KeyError: on_key}

for kind, handler in HANDLERS.items():
    app.add_exception_handler(kind, handler)
"""
    )[0]["app"]

    found = [
        (getattr(h.exception, "id", ""), h.handler.name if h.handler else "") for h in app.exception_handlers
    ]
    assert found == [("ValueError", "on_value"), ("KeyError", "on_key")]
