"""Applications of Starlette alone: lists of routes, endpoint classes, routers with methods of their own."""

from __future__ import annotations

from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.applications import Application, ApplicationReader

START = """
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

async def home(request): ...
async def socket(websocket): ...
"""


def plain(text: str) -> dict[str, Application]:
    """Starlette applications by name."""
    reader = ApplicationReader(program_of(START + text))
    reader.applications()
    return {each.name: each for each in reader.plain_applications()}


def operations(text: str) -> list[str]:
    return [str(o) for o in plain(text)["app"].operations]


def test_a_list_of_routes_is_read_with_its_mounts() -> None:
    found = plain("""
inner = Router(routes=[Route("/leaf", home)])
app = Starlette(routes=[
    Route("/", home),
    Route("/both", endpoint=home, methods=["GET", "POST"]),
    WebSocketRoute("/ws", socket),
    Mount("/shop", routes=[Route("/{name}", home), Mount("/inner", app=inner)]),
    Mount("/static", app=StaticFiles(directory="static"), name="static"),
])
""")["app"]
    assert [(str(o), o.kind, [p.kind for p in o.parameters]) for o in found.operations] == [
        ("GET /", "plain", ["request"]),
        ("GET|POST /both", "plain", ["request"]),
        ("WEBSOCKET /ws", "websocket", ["websocket"]),
        ("GET /shop/{name}", "plain", ["request"]),
        ("GET /shop/inner/leaf", "plain", ["request"]),
    ]
    assert [(m.path, m.kind) for m in found.mounts] == [("/static", "static")]


def test_a_list_that_is_built_up_is_read_to_its_end() -> None:
    assert operations("""
def pages(base):
    found = [Route(base + "/page", home)]
    found.append(Route("/appended", home))
    return found

more = Router()
more.add_route("/added", home)
routes = [Route("/first", home)]
routes += pages("/base")
routes.extend([*more.routes])
app = Starlette(routes=routes)
""") == ["GET /first", "GET /base/page", "GET /appended", "GET /added"]


def test_each_method_of_an_endpoint_class_is_an_operation() -> None:
    assert [
        (str(o), o.handler_name, [p.kind for p in o.parameters])
        for o in plain("""
class Users(HTTPEndpoint):
    async def get(self, request): ...
    async def delete(self, request): ...
    def helper(self): ...

class Chat(WebSocketEndpoint):
    async def on_connect(self, websocket): ...
    async def on_receive(self, websocket, data): ...

app = Starlette(routes=[Route("/users", Users), WebSocketRoute("/chat", Chat)])
""")["app"].operations
    ] == [
        ("GET /users", "app.Users.get", ["request"]),
        ("DELETE /users", "app.Users.delete", ["request"]),
        ("WEBSOCKET /chat", "app.Chat.on_receive", ["websocket", "body"]),
    ]


OWN_ROUTER = """
class APIRouter(Router):
    def __init__(self, prefix=""):
        self.prefix = prefix
        super().__init__()

    def get(self, path):
        def decorator(func):
            async def answer(request):
                return await func(request)
            self.add_route(self.prefix + path, answer, methods=["GET"])
            return func
        return decorator

    def include_router(self, router, prefix=""):
        self.mount(self.prefix + prefix, app=router)

items = APIRouter(prefix="/items")

@items.get("/{number}")
async def item(request): ...

def all_routes(base):
    root = APIRouter(prefix=base)
    root.include_router(items, prefix="/api")
    return root.routes
"""


def test_decorators_of_a_router_class_register_what_they_decorate() -> None:
    """What their bodies register is told once, at the decorated function."""
    [item] = plain(OWN_ROUTER + "\napp = Starlette(routes=all_routes('/base'))\n")["app"].operations
    assert (str(item), item.handler_name) == ("GET /base/api/items/{number}", "app.item")


def test_a_tree_with_routers_of_starlette_alone_has_strays() -> None:
    reader = ApplicationReader(program_of(START + OWN_ROUTER))
    assert reader.applications() == ()
    assert reader.plain_applications() == ()
    strays = reader.strays()
    assert strays is not None
    assert {(str(o), o.floating) for o in strays.operations} == {("GET /{?}/api/items/{number}", True)}


def test_what_stands_before_a_mounted_application_is_not_known() -> None:
    found = plain("""
inner = Starlette(routes=[Route("/leaf", home)])
guarded = Starlette(routes=[
    Route("/open", home),
    Route("/route", home, middleware=[Middleware(object)]),
    Mount("/mount", routes=[Route("/below", home)], middleware=[Middleware(object)]),
])
outer = FastAPI()
outer.mount("/inner", inner)
""")
    assert found["inner"].mount_path == "/inner"
    assert [(str(o), o.floating) for name in ("inner", "guarded") for o in found[name].operations] == [
        ("GET /leaf", True),
        ("GET /open", False),
        ("GET /route", True),
        ("GET /mount/below", True),
    ]


def test_middleware_in_a_list_that_is_built_up_is_known() -> None:
    found = plain("""
class Own:
    def __init__(self, app): ...

stack = []
stack.append(Middleware(Own))
app = Starlette(routes=[Route("/", home)], middleware=stack)
""")["app"]
    assert [m.name for m in found.middleware] == ["app.Own"]


def test_a_route_that_is_appended_to_the_list_of_an_application_is_known() -> None:
    reader = ApplicationReader(
        program_of(
            START
            + """
class Handlers:
    async def post(self, request): ...

handlers = Handlers()
outer = FastAPI()
outer.router.routes.append(Route("/appended", home))
outer.router.routes.insert(0, Mount("/mounted", app=handlers.post))
outer.routes.append(WebSocketRoute("/ws", socket))
beside = []
beside.append(Route("/beside", home))
"""
        )
    )
    [outer] = reader.applications()
    assert [str(o) for o in outer.operations] == ["GET /appended", "WEBSOCKET /ws"]
    assert [m.path for m in outer.mounts] == ["/mounted"]
