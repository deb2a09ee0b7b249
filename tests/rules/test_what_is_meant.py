"""What somebody seems to have meant is a reason to doubt: tentative. The twin without that sign stays as sure as it was."""

from __future__ import annotations

import pytest
from tests.rules.kit import confidences_of

from fastapi_architect.findings.severity import Confidence

_ACCOUNTS = """
    from fastapi import Depends, FastAPI, HTTPException, Request
    from pydantic import BaseModel

    app = FastAPI()


    class Account(BaseModel):
        email: str
        {fields}


    def current_user(request: Request) -> str:
        if request.headers.get("authorization") != "Bearer known":
            raise HTTPException(401)
        return "known"


    @app.get("/users", dependencies=[Depends(current_user)])
    def users() -> str:
        return open("users.txt").read()


    @app.post("/users")
    def add_user(account: Account) -> None:
        with open("users.txt", "a") as kept:
            kept.write(account.email)
"""


@pytest.mark.parametrize(
    ("fields", "confidence"),
    [
        ("password: str", Confidence.TENTATIVE),
        ("password1: str", Confidence.TENTATIVE),
        ("password: str; is_admin: bool = False", Confidence.FIRM),
        ("password: str; role: str", Confidence.FIRM),
        ("nickname: str", Confidence.FIRM),
    ],
)
def test_a_registration_may_be_open_unless_it_gives_rights(fields: str, confidence: Confidence) -> None:
    files = {"main.py": _ACCOUNTS.replace("{fields}", fields.replace("; ", "\n        "))}
    assert confidences_of("unauthenticated-state-changing-route", files) == [confidence]


_SAID = """
    from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

    router = APIRouter(prefix="/maps")


    def current_user(request: Request) -> str:
        if request.headers.get("authorization") != "Bearer known":
            raise HTTPException(401)
        return "known"


    @router.get("/1", dependencies=[Depends(current_user)])
    def one() -> str:
        return open("1.txt").read()


    @router.get("/2", dependencies=[Depends(current_user)])
    def two() -> str:
        return open("2.txt").read()


    @router.get("/3", dependencies=[Depends(current_user)])
    def three() -> str:
        return open("3.txt").read()


    @router.get("/4", dependencies=[Depends(current_user)])
    def four() -> str:
        return open("4.txt").read()


    @router.get("/all")
    def everything(
        # {comment}
        box: str,
    ) -> str:
        return open(box).read()


    app = FastAPI()
    app.include_router(router)
"""


@pytest.mark.parametrize(
    ("comment", "confidence"),
    [
        ("no permissions here: this is externally accessible", Confidence.TENTATIVE),
        ("public on purpose", Confidence.TENTATIVE),
        ("TODO must not stay public", Confidence.FIRM),
        ("the box to look into", Confidence.FIRM),
    ],
)
def test_a_comment_that_calls_a_route_public_is_a_reason_to_doubt(
    comment: str, confidence: Confidence
) -> None:
    files = {"main.py": _SAID.format(comment=comment)}
    assert confidences_of("router-auth-outlier", files) == [confidence]


_POOL = """
    from collections.abc import Iterator
    from typing import Annotated

    import httpx
    from fastapi import Depends, FastAPI
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    app = FastAPI()
    engine = create_engine("postgresql+psycopg://localhost/shop")


    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    @app.get("/books")
    def books(session: SessionDep) -> int:
        return session.scalar(text("SELECT 1")) or 0


    @app.get("/orders")
    def orders(session: SessionDep) -> int:
        return session.scalar(text("SELECT 2")) or 0


    @app.get("/parcels")
    def parcels(session: SessionDep) -> str:
        number = session.scalar(text("SELECT 3")) or 0
        return {answer}
"""


@pytest.mark.parametrize(
    ("answer", "confidence"),
    [
        ('httpx.get(f"https://parcels.example/{number}", timeout=9).text', Confidence.FIRM),
        ("str(number)", Confidence.TENTATIVE),
    ],
)
def test_a_small_pool_is_sure_to_hurt_where_connections_are_held_long(
    answer: str, confidence: Confidence
) -> None:
    text = _POOL.replace("{answer}", answer)
    files = {"main.py": text, "requirements.txt": "psycopg==3.3.9\n"}
    assert confidences_of("pool-capacity-mismatch", files) == [confidence]
    quick = text[text.index('    @app.get("/books")') : text.index('    @app.get("/orders")')]
    for number in range(3):
        files["main.py"] += quick.replace("books", f"books_{number}")
    assert confidences_of("pool-capacity-mismatch", files) == [Confidence.TENTATIVE]


_GET = """
    from celery import Celery
    from fastapi import FastAPI

    queue = Celery("shop", broker="redis://cache")
    app = FastAPI()


    @app.get("{path}")
    def start() -> None:
        queue.send_task("elsewhere")
"""


@pytest.mark.parametrize(
    ("path", "confidence"),
    [
        ("/health", Confidence.TENTATIVE),
        ("/task/example", Confidence.TENTATIVE),
        ("/healthy-meals", Confidence.CERTAIN),
        ("/tasks", Confidence.CERTAIN),
    ],
)
def test_a_get_that_shows_something_is_a_reason_to_doubt(path: str, confidence: Confidence) -> None:
    files = {"main.py": _GET.replace("{path}", path)}
    assert confidences_of("unsafe-method-semantics", files) == [confidence]


@pytest.mark.parametrize(
    ("name", "confidence"), [("csrf_token", Confidence.TENTATIVE), ("session_token", Confidence.CERTAIN)]
)
def test_the_cookie_of_a_csrf_check_is_no_session(name: str, confidence: Confidence) -> None:
    files = {
        "main.py": f"""
            from fastapi import FastAPI, Response

            app = FastAPI()


            @app.post("/login")
            def log_in(response: Response) -> None:
                response.set_cookie("{name}", "t0k3n", httponly=True)
        """
    }
    assert confidences_of("insecure-session-cookie", files) == [confidence]


_ATTEMPTS = """
    from fastapi import FastAPI

    app = FastAPI()
    redis_client = None
    store = None
    failed_attempts: dict[str, int] = {}


    @app.post("/login")
    async def log_in(name: str) -> None:
        if {asked} is not None:
            await {asked}.incr(name)
        else:
            failed_attempts[name] = failed_attempts.get(name, 0) + 1
"""
_WORKERS = "services:\n  api:\n    image: shop\n    command: uvicorn main:app --workers 4\n"


@pytest.mark.parametrize(
    ("asked", "confidence"), [("redis_client", Confidence.TENTATIVE), ("store", Confidence.FIRM)]
)
def test_what_stands_in_for_redis_is_a_reason_to_doubt(asked: str, confidence: Confidence) -> None:
    files = {"main.py": _ATTEMPTS.replace("{asked}", asked), "compose.yaml": _WORKERS}
    assert confidences_of("process-local-state-with-many-workers", files) == [confidence]


@pytest.mark.parametrize(
    ("said", "confidence"),
    [
        ("A key for local development only, never for production.", Confidence.TENTATIVE),
        ("The key that partners know us by.", Confidence.FIRM),
    ],
)
def test_a_credential_that_is_said_to_be_for_development_is_a_reason_to_doubt(
    said: str, confidence: Confidence
) -> None:
    key = "AKIA" + "Q3EGRZ7XVYTJ2HKM"
    files = {"main.py": f'from fastapi import FastAPI\n\napp = FastAPI()\n# {said}\nACCESS_KEY = "{key}"\n'}
    assert confidences_of("hardcoded-credential", files) == [confidence]


_FILTERED = """
    from fastapi import Body, FastAPI
    from pydantic import BaseModel

    app = FastAPI()


    class Filter(BaseModel):
        title: str = ""


    @app.get("/books")
    def books({parameter}) -> str:
        return {answer}
"""


@pytest.mark.parametrize(
    ("parameter", "answer", "confidence"),
    [
        ("wanted: Filter = None", 'str(wanted) + "!"', Confidence.FIRM),
        ("wanted: Filter = None", '"all"', Confidence.TENTATIVE),
        ("wanted: Filter", 'str(wanted) + "!"', Confidence.TENTATIVE),
        ("wanted: list[int]", 'str(wanted) + "!"', Confidence.CERTAIN),
        ("wanted: list[int] = Body()", 'str(wanted) + "!"', Confidence.TENTATIVE),
    ],
)
def test_a_body_that_callers_have_to_send_is_a_reason_to_doubt(
    parameter: str, answer: str, confidence: Confidence
) -> None:
    text = _FILTERED.replace("{parameter}", parameter).replace("{answer}", answer)
    found = confidences_of("body-inferred-on-get-or-query-model-misread", {"main.py": text})
    assert found == [confidence]


_READS = """
    from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

    router = APIRouter(prefix="/shop")


    def current_user(request: Request) -> str:
        if request.headers.get("authorization") != "Bearer known":
            raise HTTPException(401)
        return "known"


    @router.METHOD("/1", dependencies=[Depends(current_user)])
    def one() -> str:
        return open("1.txt").read()


    @router.METHOD("/2", dependencies=[Depends(current_user)])
    def two() -> str:
        return open("2.txt").read()


    @router.METHOD("/3", dependencies=[Depends(current_user)])
    def three() -> str:
        return open("3.txt").read()


    @router.METHOD("/4", dependencies=[Depends(current_user)])
    def four() -> str:
        return open("4.txt").read()


    @router.get("/PATH")
    def everything(of: str) -> str:
        BODY
        return open(of).read()


    app = FastAPI()
    app.include_router(router)
"""


@pytest.mark.parametrize(
    ("method", "path", "body", "confidence"),
    [
        ("get", "orders", "pass", Confidence.FIRM),
        ("post", "orders", "pass", Confidence.TENTATIVE),
        ("get", "plans", "pass", Confidence.TENTATIVE),
        ("get", "static/{of}", "pass", Confidence.TENTATIVE),
        ("get", "orders", "if of != 'word': raise HTTPException(403)", Confidence.TENTATIVE),
        ("get", "orders", "if of != 'word': raise HTTPException(404)", Confidence.FIRM),
    ],
)
def test_a_read_that_may_be_for_everybody_is_a_reason_to_doubt(
    method: str, path: str, body: str, confidence: Confidence
) -> None:
    text = _READS.replace("METHOD", method).replace("PATH", path).replace("BODY", body)
    assert confidences_of("router-auth-outlier", {"main.py": text}) == [confidence]


_UNPACKED = """
    import zipfile
    from pathlib import Path

    import cv2
    from fastapi import FastAPI, UploadFile

    app = FastAPI()
    FOLDER = Path("pages")


    @app.post("/pages")
    async def pages({parameter}) -> str:
        {work}
        return "done"
"""


@pytest.mark.parametrize(
    ("parameter", "work", "confidence"),
    [
        ("", "zipfile.ZipFile('pages.zip').extractall(FOLDER)", Confidence.FIRM),
        (
            "",
            "if not FOLDER.is_dir(): zipfile.ZipFile('pages.zip').extractall(FOLDER)",
            Confidence.TENTATIVE,
        ),
        ("name: str", "cv2.imread(name)", Confidence.TENTATIVE),
        ("file: UploadFile", "cv2.imread(file.filename)", Confidence.FIRM),
    ],
)
def test_work_that_is_kept_or_of_the_services_own_pictures_is_a_reason_to_doubt(
    parameter: str, work: str, confidence: Confidence
) -> None:
    text = _UNPACKED.replace("{parameter}", parameter).replace("{work}", work)
    assert confidences_of("cpu-bound-work-on-loop", {"main.py": text}) == [confidence]


@pytest.mark.parametrize(
    ("said", "confidence"),
    [("This token does not expire.", Confidence.TENTATIVE), ("Who it is.", Confidence.FIRM)],
)
def test_a_token_that_is_said_to_have_no_end_is_a_reason_to_doubt(said: str, confidence: Confidence) -> None:
    files = {
        "main.py": f"""
            import os

            import jwt
            from fastapi import FastAPI

            app = FastAPI()
            KEY = os.environ["KEY"]


            @app.post("/token")
            def token(name: str) -> str:
                # {said}
                claims = {{"sub": name}}
                return jwt.encode(claims, KEY, algorithm="HS256")
        """
    }
    assert confidences_of("jwt-without-expiry", files) == [confidence]
