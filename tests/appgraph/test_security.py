"""What guards an operation, said in comments on the lines that register it.

`# $ none` is the level; `# $ user guarded_by=current_user` adds the last name of what guards it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree

CASES = {
    "schemes": """
        from typing import Annotated
        from fastapi import Depends, FastAPI, HTTPException
        from fastapi.security import HTTPBearer

        bearer = HTTPBearer()
        maybe = HTTPBearer(auto_error=False)

        def optional_user(found=Depends(maybe)):
            return found

        def strict_user(found=Depends(maybe)):
            if found is None:
                raise HTTPException(401)
            return found

        app = FastAPI()

        @app.get("/scheme", dependencies=[Depends(bearer)])  # $ user guarded_by=HTTPBearer
        def scheme(): ...

        @app.get("/optional")  # $ optional guarded_by=optional_user
        def optional(user=Depends(optional_user)): ...

        @app.get("/strict")  # $ user guarded_by=strict_user
        def strict(user=Depends(strict_user)): ...

        @app.get("/open")  # $ none
        def nobody(): ...
    """,
    "marks": """
        from fastapi import Depends, FastAPI, HTTPException, Request

        MARK = "__open__"

        def public(endpoint):
            setattr(endpoint, MARK, True)
            return endpoint

        def guarded(endpoint):
            endpoint.needs_login = True
            return endpoint

        def is_public(endpoint):
            return getattr(endpoint, MARK, False) is True

        def ask(request: Request):
            if "authorization" not in request.headers:
                raise HTTPException(401)

        def deny_by_default(request: Request):
            if not is_public(request.scope.get("endpoint")):
                ask(request)

        def deny_early(request: Request):
            if getattr(request.scope["endpoint"], "__open__", False):
                return
            ask(request)

        def ask_where_marked(request: Request):
            if hasattr(request.scope["route"].endpoint, "needs_login"):
                ask(request)

        app = FastAPI(dependencies=[Depends(deny_by_default)])

        @app.get("/open")  # $ none
        @public
        def opened(): ...

        @app.get("/forgotten")  # $ user guarded_by=deny_by_default
        def forgotten(): ...

        @app.get("/other-mark")  # $ user guarded_by=deny_by_default
        @guarded
        def other_mark(): ...

        early = FastAPI(dependencies=[Depends(deny_early)])

        @early.get("/open")  # $ none
        @public
        def opened_early(): ...

        @early.get("/forgotten")  # $ user guarded_by=deny_early
        def forgotten_early(): ...

        late = FastAPI(dependencies=[Depends(ask_where_marked)])

        @late.get("/marked")  # $ user guarded_by=ask_where_marked
        @guarded
        def marked(): ...

        @late.get("/unmarked")  # $ none
        def unmarked(): ...
    """,
    "functions": """
        from typing import Annotated
        from fastapi import Depends, FastAPI, Header, HTTPException, Request
        from library import FastAPIUsers

        users = FastAPIUsers()

        def token_header(x_token: Annotated[str, Header()]):
            if x_token != "fake":
                raise HTTPException(400)

        def csrf_header(x_csrf_token: Annotated[str, Header()]):
            if x_csrf_token != "fake":
                raise HTTPException(403)

        def idempotency(idempotency_key: Annotated[str, Header()]):
            if not idempotency_key:
                raise HTTPException(400)

        def from_session(request: Request):
            if "user" not in request.session:
                raise HTTPException(303, headers={"Location": "/login"})

        def require_admin(user=Depends(token_header)):
            if not user.is_admin:
                raise HTTPException(403)

        app = FastAPI()

        @app.get("/header", dependencies=[Depends(token_header)])  # $ user guarded_by=token_header
        def header(): ...

        @app.get("/csrf", dependencies=[Depends(csrf_header)])  # $ none
        def csrf(): ...

        @app.get("/idempotent", dependencies=[Depends(idempotency)])  # $ none
        def idempotent(): ...

        @app.get("/session", dependencies=[Depends(from_session)])  # $ user guarded_by=from_session
        def session(): ...

        @app.get("/admin", dependencies=[Depends(require_admin)])  # $ admin guarded_by=require_admin
        def admin(): ...

        @app.get("/library", dependencies=[Depends(users.current_user())])  # $ user guarded_by=current_user
        def library(): ...

        @app.get("/library-optional", dependencies=[Depends(users.current_user(optional=True))])  # $ optional guarded_by=current_user
        def library_optional(): ...
    """,
    "values whose type says nothing": """
        from collections.abc import Callable
        from fastapi import Depends, FastAPI, Security

        def copied(function: Callable) -> Callable:
            return function

        def check(): ...

        verify_client = copied(check)
        counted = copied(check)
        app = FastAPI()

        @app.get("/scopes", dependencies=[Security(verify_client, scopes=["items:read"])])  # $ scoped guarded_by=Callable
        def scopes(): ...

        @app.get("/counted", dependencies=[Depends(counted)])  # $ none
        def count(): ...
    """,
    "decorators": """
        from functools import wraps
        from fastapi import Depends, FastAPI, HTTPException, Request
        from starlette.authentication import requires

        def login_required(function):
            @wraps(function)
            async def inner(request: Request):
                if not request.session.get("user"):
                    raise HTTPException(401)
                return await function(request)
            return inner

        def require_nothing(function):
            return function

        app = FastAPI()

        @app.get("/own")  # $ user guarded_by=login_required
        @login_required
        async def own(request: Request): ...

        @app.get("/starlette")  # $ user guarded_by=requires
        @requires("authenticated")
        async def starlette(request: Request): ...

        def in_scope(scope):
            def decorator(function):
                @wraps(function)
                async def inner(request: Request):
                    if scope not in request.auth.scopes:
                        refuse(request)
                    return await function(request)
                return inner
            return decorator

        def refuse(request):
            raise HTTPException(status_code=403)

        def route_in_scope(method, path, scope):
            def decorator(function):
                return method(path)(in_scope(scope)(function))
            return decorator

        def translated(function):
            @wraps(function)
            async def inner(request: Request):
                try:
                    return await function(request)
                except PermissionError as error:
                    raise HTTPException(403) from error
            return inner

        class Refused(Exception):
            def __init__(self, message, status_code):
                self.status_code = status_code

        def current(request: Request):
            if not request.headers.get("Authorization"):
                raise Refused("who is there?", status_code=401)

        @app.get("/scope")  # $ scoped guarded_by=in_scope
        @in_scope("write")
        async def scope(request: Request): ...

        @app.get("/translated")  # $ none
        @translated
        async def translate(request: Request): ...

        @app.get("/own-error", dependencies=[Depends(current)])  # $ user guarded_by=current
        async def own_error(request: Request): ...

        @app.get("/nothing")  # $ none
        @require_nothing
        async def nothing(request: Request): ...
    """,
    "middleware and its paths": """
        from fastapi import FastAPI, Request
        from fastapi.responses import JSONResponse
        from starlette.middleware.base import BaseHTTPMiddleware

        class KeyMiddleware(BaseHTTPMiddleware):
            def __init__(self, app, public=("/health",)):
                super().__init__(app)
                self.public = set(public)

            def is_public(self, path):
                for prefix in ("/static/", "/docs"):
                    if path.startswith(prefix):
                        return True
                return path in self.public

            async def dispatch(self, request: Request, call_next):
                if request.method == "OPTIONS" or self.is_public(request.url.path):
                    return await call_next(request)
                if request.headers.get("X-API-Key") != "k":
                    return JSONResponse({}, status_code=401)
                return await call_next(request)

        app = FastAPI()
        app.add_middleware(KeyMiddleware, public=["/health", "/version"])

        @app.get("/items/{item_id}")  # $ user guarded_by=KeyMiddleware
        def items(item_id: int): ...

        @app.get("/version")  # $ none
        def version(): ...

        @app.get("/docs-of-others")  # $ none
        def docs(): ...

        @app.options("/items")  # $ none
        def preflight(): ...

        @app.websocket("/feed")  # $ none
        async def feed(websocket): ...
    """,
    "factories that declare less than they return": """
        from inspect import Signature
        from typing import Any

        from fastapi import Depends, FastAPI, Header, HTTPException

        def policy(may: str) -> Any:
            def checked(authorization: str = Header()):
                if authorization != may:
                    raise HTTPException(403)
            return checked

        class Getter:
            def __call__(self, words): ...

        def getter(word: str) -> Getter:
            class Signed(Getter):
                def __call__(self, authorization: str = Header()):
                    if authorization != word:
                        raise HTTPException(401)
            return Signed()

        app = FastAPI()

        @app.get("/account")  # $ scoped guarded_by=checked
        def account(allowed=Depends(policy("can_read"))): ...

        @app.get("/words")  # $ user guarded_by=Signed
        def words(found=Depends(getter("w"))): ...
    """,
    "middleware of one area, as plain ASGI": """
        from fastapi import FastAPI
        from fastapi.responses import JSONResponse
        from starlette.datastructures import Headers

        class PartnerKeys:
            def __init__(self, app):
                self.app = app

            async def __call__(self, scope, receive, send):
                if scope["type"] not in ("http", "websocket") or not scope["path"].startswith("/partners/"):
                    await self.app(scope, receive, send)
                    return
                if Headers(scope=scope).get("X-Partner-Key") != "k":
                    await JSONResponse({}, status_code=401)(scope, receive, send)
                    return
                await self.app(scope, receive, send)

        app = FastAPI()
        app.add_middleware(PartnerKeys)

        @app.get("/partners/books")  # $ user guarded_by=PartnerKeys
        def books(): ...

        @app.websocket("/partners/feed")  # $ user guarded_by=PartnerKeys
        async def feed(websocket): ...

        @app.get("/books")  # $ none
        def public_books(): ...
    """,
}

_FACT = re.compile(r"# \$ (\w+)(?: guarded_by=(\w+))?$")


@pytest.mark.parametrize("name", CASES)
def test_levels_and_guards_are_those_in_the_comments(name: str, tmp_path: Path) -> None:
    import textwrap

    text = textwrap.dedent(CASES[name]).lstrip("\n")
    (tmp_path / "main.py").write_text(text)
    graph = reading.read(SourceTree.open(tmp_path), Config(), cache=False).graph
    expected, actual = {}, {}
    for number, line in enumerate(text.split("\n"), 1):
        fact = _FACT.search(line)
        if fact is not None:
            expected[number] = (fact[1], fact[2] or "")
    for operation in graph.operations:
        access = graph.access(operation)
        guard = max(access.guards, key=lambda g: g.level, default=None)
        line = operation.registration[1].location(operation.registration[0]).line
        actual[line] = (access.level.label, guard.name.rpartition(".")[2] if guard else "")

    assert expected == actual
