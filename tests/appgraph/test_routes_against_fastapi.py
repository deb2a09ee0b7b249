"""The exact oracle: each sample application is imported, FastAPI is asked for its routes, and the graph must agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ecosystem.accuracy import compare, static_operations

ROOT = Path(__file__).parents[2]

APPS: dict[str, dict[str, str]] = {
    "nested_routers_with_prefixes_and_guards": {
        "main.py": """
            from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

            def signed_in(authorization: str = Header()) -> str:
                if authorization != "x":
                    raise HTTPException(401)
                return authorization

            def admin(user: str = Depends(signed_in)) -> str:
                return user

            inner = APIRouter(prefix="/inner", dependencies=[Depends(admin)])

            @inner.get("/{item_id}")
            def read(item_id: int, q: str | None = None) -> int: return item_id

            outer = APIRouter(prefix="/outer")
            outer.include_router(inner, prefix="/more")

            @outer.post("")
            def create(body: dict) -> dict: return body

            app = FastAPI(dependencies=[Depends(signed_in)])
            app.include_router(outer, prefix="/v1")

            @app.get("/")
            def root() -> str: return ""
        """,
    },
    "factory_with_parameters": {
        "main.py": """
            from fastapi import APIRouter, FastAPI
            from pydantic import BaseModel

            class Book(BaseModel):
                title: str

            class Author(BaseModel):
                name: str

            def crud(prefix: str, schema: type[BaseModel]) -> APIRouter:
                router = APIRouter(prefix=prefix)

                @router.get("/")
                def everything(limit: int = 10): return []

                @router.post("/")
                def create(item: schema): return item

                return router

            app = FastAPI()
            app.include_router(crud("/books", Book))
            app.include_router(crud(prefix="/authors", schema=Author), prefix="/api")
        """,
    },
    "one_factory_called_by_several_modules": {
        "main.py": """
            from fastapi import FastAPI
            import books, shelves

            app = FastAPI()
            app.include_router(books.public)
            app.include_router(books.private)
            app.include_router(shelves.public)
            app.include_router(shelves.private, prefix="/v2")
        """,
        "routing.py": """
            from fastapi import APIRouter

            def routers(prefix="", tags=[]) -> tuple[APIRouter, APIRouter]:
                public = APIRouter(prefix=prefix, tags=tags)
                private = APIRouter(prefix=prefix, tags=tags)

                @private.get("/health")
                def health(): return {}

                return public, private
        """,
        "books.py": """
            from routing import routers
            public, private = routers()

            @public.get("/newest")
            def newest(): return []

            @private.get("/mine")
            def mine(): return []
        """,
        "shelves.py": """
            from routing import routers
            public, private = routers(prefix="/shelves")

            @public.get("/longest")
            def longest(): return []

            @private.get("/own")
            def own(): return []
        """,
    },
    "one_router_kept_by_its_factory": {
        "main.py": """
            from fastapi import FastAPI
            import pages
            from routing import admin, everything

            app = FastAPI()
            app.include_router(everything())
            app.include_router(admin(), prefix="/admin")
        """,
        "routing.py": """
            from functools import lru_cache
            from fastapi import APIRouter

            _router = APIRouter(prefix="/all")

            def everything() -> APIRouter: return _router

            @lru_cache
            def admin() -> APIRouter: return APIRouter()
        """,
        "pages.py": """
            from routing import admin, everything

            @everything().get("/pages")
            def pages(): return []

            @admin().get("/pages")
            def hidden_pages(): return []
        """,
    },
    "routers_in_loops_over_literals": {
        "main.py": """
            from fastapi import FastAPI
            import books, users

            app = FastAPI()
            for module, prefix in ((books, "/books"), (users, "/users")):
                app.include_router(module.router, prefix=prefix)

            VERSIONS = {"v1": [books.router], "v2": [books.router, users.router]}
            for version, routers in VERSIONS.items():
                for router in routers:
                    app.include_router(router, prefix=f"/{version}")
        """,
        "books.py": """
            from fastapi import APIRouter
            router = APIRouter()

            @router.get("/books")
            def books() -> list[str]: return []
        """,
        "users.py": """
            from fastapi import APIRouter
            router = APIRouter()

            @router.get("/users/{user_id}")
            def user(user_id: int) -> str: return ""
        """,
    },
    "subclassed_router": {
        "main.py": """
            from fastapi import APIRouter, FastAPI

            class Things(APIRouter):
                def __init__(self, name: str) -> None:
                    super().__init__(prefix=f"/{name}", tags=[name])
                    self.add_api_route("/", self.everything, methods=["GET"])
                    self.add_api_route("/{thing_id}", self.one, methods=["GET", "DELETE"])

                def everything(self, page: int = 1) -> list[str]: return []

                def one(self, thing_id: int) -> str: return ""

            app = FastAPI()
            app.include_router(Things("cars"))
            app.include_router(Things(name="boats"), prefix="/sea")
        """,
    },
    "every_kind_of_parameter": {
        "main.py": """
            from datetime import date
            from enum import Enum
            from typing import Annotated, Literal
            from uuid import UUID

            from fastapi import (
                BackgroundTasks, Body, Cookie, Depends, FastAPI, File, Form, Header, Path, Query, Request, Response, UploadFile,
            )
            from fastapi.security import OAuth2PasswordRequestForm
            from pydantic import BaseModel, Field

            app = FastAPI()

            class Color(Enum):
                RED = "red"

            class Item(BaseModel):
                name: str

            class Filters(BaseModel):
                q: str
                limit: int = Field(10, alias="max")
                tag: str | None = None

            Page = Annotated[int, Query(ge=1)]

            @app.get("/a/{item_id}/{rest:path}")
            def a(
                item_id: UUID, rest: str, request: Request, response: Response, tasks: BackgroundTasks, color: Color,
                size: Literal["s", "m"] = "s", page: Page = 1, day: date | None = None, words: list[str] = Query([]),
                x_token: str = Header(), session: Annotated[str | None, Cookie()] = None,
                user_agent: Annotated[str | None, Header()] = None, named: str = Query(alias="other"),
            ) -> None: ...

            @app.post("/b")
            def b(item: Item, more: Annotated[int, Body()], items: list[Item], anything: dict[str, int] | None = None) -> None: ...

            @app.post("/c")
            def c(file: UploadFile, title: Annotated[str, Form()], raw: bytes = File(b""), files: list[UploadFile] = []) -> None: ...

            @app.get("/d")
            def d(filters: Annotated[Filters, Query()]) -> None: ...

            @app.get("/e")
            def e(filters: Annotated[Filters, Depends()]) -> None: ...

            @app.post("/f")
            def f(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> None: ...

            @app.get("/g/{number}")
            def g(number: Annotated[int, Path(ge=0)], untyped, optional=None) -> None: ...
        """,
    },
    "aliases_and_callable_instances": {
        "main.py": """
            from fastapi import FastAPI
            from deps import CurrentUser, Pager, require

            app = FastAPI()

            @app.get("/me")
            def me(user: CurrentUser) -> str: return user

            @app.get("/list", dependencies=[require("admin")])
            def everything(pager: Pager) -> list[str]: return []
        """,
        "deps.py": """
            from typing import Annotated
            from fastapi import Depends, Query
            from fastapi.security import HTTPBearer

            bearer = HTTPBearer()

            def current_user(token: Annotated[object, Depends(bearer)]) -> str: return ""

            type_of_user = Annotated[str, Depends(current_user)]
            CurrentUser = type_of_user

            class Paging:
                def __init__(self, largest: int) -> None:
                    self.largest = largest

                def __call__(self, page: int = 1, size: int = Query(10)) -> int: return page

            Pager = Annotated[int, Depends(Paging(50))]

            class Role:
                def __init__(self, name: str) -> None: ...

                def __call__(self, user: CurrentUser) -> None: ...

            def require(name: str):
                return Depends(Role(name))
        """,
    },
    "registration_in_functions_and_mounts": {
        "main.py": """
            from fastapi import APIRouter, FastAPI

            def health() -> str: return "ok"

            def register(app: FastAPI, prefix: str = "/api") -> None:
                router = APIRouter(prefix=prefix)
                router.add_api_route("/health", health, methods=["GET"])
                router.get("/late")(health)
                app.include_router(router)

            def create_app(name: str = "x") -> FastAPI:
                app = FastAPI(title=name)
                register(app)
                register(app, prefix="/internal")

                @app.put("/inline/{key}")
                def inline(key: str, value: int) -> None: ...

                return app

            app = create_app()
        """,
    },
    "conditions_methods_and_status": {
        "main.py": """
            from fastapi import APIRouter, FastAPI, status

            PREFIX = "/p" + "q"
            router = APIRouter(prefix=PREFIX)

            @router.api_route("/both", methods=["GET", "POST"], status_code=status.HTTP_202_ACCEPTED)
            def both() -> None: ...

            @router.patch(path="/patch/{a}/{b}", tags=["x"])
            async def patch(a: int, b: float, c: bool = False) -> None: ...

            if True:
                @router.head("/head")
                def head() -> None: ...

            app = FastAPI()
            app.include_router(router=router, prefix="/outer")
        """,
    },
}


@pytest.mark.parametrize("name", APPS)
def test_the_graph_agrees_with_the_imported_application(name: str, tmp_path: Path) -> None:
    for path, text in APPS[name].items():
        (tmp_path / path).write_text(textwrap.dedent(text).lstrip("\n"))
    command = [
        sys.executable,
        str(ROOT / "ecosystem" / "oracle.py"),
        "main:app",
        "--directory",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    asked = subprocess.run(
        [*command, "--root", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert asked.returncode == 0, asked.stderr[-2000:]

    for comparison in compare(json.loads(asked.stdout), static_operations(tmp_path)):
        assert comparison.extras == (), comparison.subject
        assert comparison.misses == (), comparison.subject
