"""S291: somebody's authentication is reviewed. What the answer calls an exploit works, and no longer after its fix."""

from __future__ import annotations

from tests.stories.conftest import Story

BACKEND = {
    "main.py": """
        import secrets

        from fastapi import FastAPI, Request
        from fastapi.responses import JSONResponse

        KEY = secrets.token_hex()
        app = FastAPI()


        @app.middleware("http")
        async def authenticate(request: Request, call_next):
            if not request.url.path.startswith("/status"):
                if not secrets.compare_digest(request.headers.get("x-key", ""), KEY):
                    return JSONResponse({"detail": "Who are you?"}, 401)
            return await call_next(request)


        @app.get("/status")
        def status() -> str:
            return "up"


        @app.get("/status-of-admins")
        def status_of_admins() -> list[str]:
            return ["root"]


        @app.get("/books")
        def books() -> list[str]:
            return []
    """,
}

CALLED = """
from fastapi.testclient import TestClient
from main import app

client = TestClient(app)
print([client.get(path).status_code for path in ("/status", "/status-of-admins", "/books")])
"""


def test_s291_an_authentication_middleware_is_reviewed_exploited_and_fixed(story: Story) -> None:
    story.write(BACKEND)
    assert story.python(CALLED) == "[200, 200, 401]"

    found = story.ask("Can you review my authentication middleware?")

    said = found.answer.part("implementation")
    assert "middleware-path-allowlist-bypass (critical, CWE-288" in said
    assert "`main.py:12`" in said
    assert "/status-of-admins" in said
    story.replace("main.py", 'not request.url.path.startswith("/status")', 'request.url.path != "/status"')
    assert story.python(CALLED) == "[200, 401, 401]"
    again = story.ask("Can you review my authentication middleware?")
    assert "middleware-path-allowlist-bypass" not in again.answer.part("implementation")
