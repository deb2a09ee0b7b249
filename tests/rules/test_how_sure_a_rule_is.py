"""Where a rule sees less than it would need to be sure, it says so: tentative, or less severe."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.kit import confidences_of, severities_of, weights_of

from fastapi_architect.findings.severity import Confidence, Severity

_PACKED = """
    import zipfile

    from fastapi import FastAPI, UploadFile

    app = FastAPI()


    @app.post("/archive")
    async def archive(upload: UploadFile) -> None:
        with zipfile.ZipFile("pages.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("page.txt", {content})
"""


def test_packing_text_that_was_just_made_is_tentative() -> None:
    files = {"main.py": _PACKED.format(content='"\\n".join(["one", "two"])')}
    assert confidences_of("cpu-bound-work-on-loop", files) == [Confidence.TENTATIVE]


def test_packing_an_upload_is_firm() -> None:
    files = {"main.py": _PACKED.format(content="await upload.read()")}
    assert confidences_of("cpu-bound-work-on-loop", files) == [Confidence.FIRM]


def test_money_that_is_only_shown_is_tentative() -> None:
    files = {
        "main.py": """
            from fastapi import FastAPI
            from pydantic import BaseModel

            app = FastAPI()


            class Statement(BaseModel):
                balance: float


            @app.get("/statement")
            def statement() -> Statement:
                return Statement(balance=0)
        """
    }
    assert confidences_of("money-as-float", files) == [Confidence.TENTATIVE]


_TWO_CATCHES = """
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import JSONResponse

    app = FastAPI()


    @app.get("/items")
    def items(page: int) -> object:
        try:
            if page < 0:
                raise HTTPException(400)
            return []
        except Exception:
            return JSONResponse({{}}, status_code={status})
"""


def test_an_http_error_told_as_another_error_is_important() -> None:
    files = {"main.py": _TWO_CATCHES.format(status=500)}
    assert severities_of("http-exception-swallowed", files) == [Severity.IMPORTANT]


def test_a_refusal_told_as_another_refusal_is_minor() -> None:
    files = {"main.py": _TWO_CATCHES.format(status=422)}
    assert severities_of("http-exception-swallowed", files) == [Severity.MINOR]


def test_an_http_error_told_as_success_is_critical() -> None:
    files = {"main.py": _TWO_CATCHES.format(status=200)}
    assert severities_of("http-exception-swallowed", files) == [Severity.CRITICAL]


_CLIENT = """
    import httpx
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("{path}")
    async def fetch() -> str:
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get("https://example.org")).text
"""


def test_a_client_for_each_sign_in_is_minor() -> None:
    files = {"main.py": _CLIENT.format(path="/oauth/callback")}
    assert severities_of("client-created-per-request", files) == [Severity.MINOR]


def test_a_client_for_each_reading_request_is_important() -> None:
    files = {"main.py": _CLIENT.format(path="/weather")}
    assert severities_of("client-created-per-request", files) == [Severity.IMPORTANT]


def test_a_client_for_each_probe_is_minor() -> None:
    for path in ("/healthcheck", "/readyz"):
        files = {"main.py": _CLIENT.format(path=path)}
        assert severities_of("client-created-per-request", files) == [Severity.MINOR]


def test_a_client_that_is_made_when_a_token_has_expired_is_minor() -> None:
    helper = _CLIENT.replace("fetch()", "refresh_token()").replace('    @app.get("{path}")\n', "")
    route = """

    @app.get("/weather")
    async def weather() -> str:
        return await {name}()
    """
    for name, severity in (("refresh_token", Severity.MINOR), ("forecast", Severity.IMPORTANT)):
        text = (helper + route).replace("refresh_token", name).replace("{name}", name)
        assert severities_of("client-created-per-request", {"main.py": text}) == [severity]


_REMEMBERED = """
    import httpx
    from fastapi import FastAPI

    app = FastAPI()


    class Rates:
        def __init__(self) -> None:
            self.rates = ""

        def read(self) -> str:
            if self.rates:
                return self.{kept}
            self.rates = self.load()
            return self.rates

        def load(self) -> str:
            with httpx.Client(timeout=5) as client:
                return client.get("https://rates.example").text


    rates = Rates()


    @app.get("/rates")
    def read_rates() -> str:
        return rates.read()
"""


def test_a_client_that_loads_what_is_then_kept_is_made_once() -> None:
    for kept, severities in (("rates", []), ("other", [Severity.IMPORTANT])):
        files = {"main.py": _REMEMBERED.format(kept=kept)}
        assert severities_of("client-created-per-request", files) == severities


_PAGE = """
    from fastapi import FastAPI
    from jinja2 import Environment

    app = FastAPI()
    LETTER = "Dear {{{{ name }}}}"


    @app.get("/letter")
    def letter(text: str) -> str:
        return Environment(autoescape=True).from_string({given}).render(name="Momo")
"""


def test_an_environment_for_a_text_that_differs_each_time_is_minor() -> None:
    for given, severity in (("text", Severity.MINOR), ("LETTER", Severity.IMPORTANT)):
        files = {"main.py": _PAGE.format(given=given)}
        assert severities_of("client-created-per-request", files) == [severity]


_LOOKED_UP = """
    from fastapi import Depends, FastAPI, HTTPException
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    app = FastAPI()
    engine = create_engine("sqlite://")


    def fetch(session: Session, name: str) -> object:
        return session.execute(text("SELECT 1 FROM plugins WHERE name = :name"), {{"name": name}}).first()


    def drop(session: Session, name: str) -> None:
        session.execute(text(f"DROP SCHEMA {{name}}"))


    @app.delete("/plugins/{{name}}")
    def remove(name: str) -> None:
        with Session(engine) as session:
            {check}
            drop(session, name)
"""


def test_a_name_that_was_looked_up_before_is_tentative_in_a_statement() -> None:
    check = "row = fetch(session, name)\n            if not row:\n                raise HTTPException(404)"
    files = {"main.py": _LOOKED_UP.format(check=check)}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.TENTATIVE]


def test_looking_up_something_else_in_the_same_session_changes_nothing() -> None:
    check = 'row = fetch(session, "core")\n            if not row:\n                raise HTTPException(404)'
    files = {"main.py": _LOOKED_UP.format(check=check)}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.CERTAIN]


def test_a_name_that_nobody_looked_up_is_certain_in_a_statement() -> None:
    files = {"main.py": _LOOKED_UP.format(check="pass")}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.CERTAIN]


def test_a_name_that_a_helper_looked_up_or_raised_for_is_tentative_in_a_statement() -> None:
    helper = """
    def require(session: Session, name: str):
        row = fetch(session, name)
        if row is None:
            raise HTTPException(404)
        return row
    """
    files = {"main.py": _LOOKED_UP.format(check="require(session, name)") + helper}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.TENTATIVE]


_FOLDERS = """
    import shutil
    from pathlib import Path
    from fastapi import FastAPI

    app = FastAPI()
    PLUGINS = {{}}

    @app.delete("/plugins/{{name}}")
    def remove(name: str):
        {check}
            shutil.rmtree(Path("/srv/plugins") / name)
"""


def test_one_part_of_a_path_is_firm_where_a_folder_is_removed_unless_its_lookup_decides() -> None:
    rule = "path-traversal-read-or-delete"
    files = {"main.py": _FOLDERS.format(check="if name:")}
    assert confidences_of(rule, files) == [Confidence.FIRM]
    known = "known = PLUGINS.get(name)\n        if getattr(known, 'removable', False):"
    assert confidences_of(rule, {"main.py": _FOLDERS.format(check=known)}) == [Confidence.TENTATIVE]


def test_asking_whether_the_path_itself_is_there_is_no_lookup() -> None:
    check = "path = get_path(name)\n        if path.exists():"
    source = """
    def get_path(name: str) -> Path:
        return Path("/srv/plugins") / name
    """
    files = {"main.py": _FOLDERS.format(check=check).replace('Path("/srv/plugins") / name', "path") + source}
    assert confidences_of("path-traversal-read-or-delete", files) == [Confidence.FIRM]


_VERIFIED = """
    from abc import ABC, abstractmethod
    from pathlib import Path
    from fastapi import FastAPI
    from fastapi.responses import FileResponse

    app = FastAPI()

    class Names(ABC):
        @abstractmethod
        def read(self, sent: str) -> str:
            ...

    class PlainNames(Names):
        def read(self, sent: str) -> str:
            return sent.strip()
    {other}
    class Registry:
        names: Names

    @app.get("/files")
    def send(name: str):
        return FileResponse(Path("/srv/files") / Registry.names.read(name))
"""


def test_what_the_only_implementation_returns_is_certain() -> None:
    assert confidences_of("path-traversal-read-or-delete", {"main.py": _VERIFIED.format(other="")}) == [
        Confidence.CERTAIN
    ]


def test_what_one_of_several_implementations_returns_is_tentative() -> None:
    other = """
    class SignedNames(Names):
        def read(self, sent: str) -> str:
            return unsigned(sent).path
    """
    files = {"main.py": _VERIFIED.format(other=other)}
    assert confidences_of("path-traversal-read-or-delete", files) == [Confidence.TENTATIVE]


_CHECKED = """
    from pathlib import Path
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import FileResponse
    {import_}
    app = FastAPI()
    {check}
    @app.get("/files")
    def send(name: str):
        if not validate_name(name):
            raise HTTPException(404)
        return FileResponse(Path("/srv/files") / name)
"""


def test_a_check_whose_body_asks_nothing_makes_no_difference() -> None:
    check = """
    def validate_name(name: str) -> bool:
        return (Path("/srv/files") / name).exists()
    """
    files = {"main.py": _CHECKED.format(import_="", check=check)}
    assert confidences_of("path-traversal-read-or-delete", files) == [Confidence.CERTAIN]


def test_a_check_that_is_not_in_the_tree_or_asks_more_than_is_understood_is_tentative() -> None:
    outside = {"main.py": _CHECKED.format(import_="from names import validate_name", check="")}
    assert confidences_of("path-traversal-read-or-delete", outside) == [Confidence.TENTATIVE]
    check = """
    def validate_name(name: str) -> bool:
        return sum(each == "." for each in name) < 2
    """
    inside = {"main.py": _CHECKED.format(import_="", check=check)}
    assert confidences_of("path-traversal-read-or-delete", inside) == [Confidence.TENTATIVE]


_LISTED = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Report(Base):
        __tablename__ = "reports"

        id: Mapped[int] = mapped_column(primary_key=True)


    @app.get("{path}")
    def reports(limit: int = 10) -> list[int]:
        with Session(engine) as session:
            return [report.id for report in session.scalars(select(Report).limit(limit))]
"""


def test_an_unbounded_page_for_administrators_is_minor() -> None:
    files = {"main.py": _LISTED.format(path="/admin/reports")}
    assert severities_of("list-endpoint-without-pagination", files) == [Severity.MINOR]


def test_an_unbounded_page_for_everybody_is_important() -> None:
    files = {"main.py": _LISTED.format(path="/reports")}
    assert severities_of("list-endpoint-without-pagination", files) == [Severity.IMPORTANT]


_REQUEST = """
    import requests
    from fastapi import FastAPI

    app = FastAPI()


    def fetch() -> str:
        return requests.get("https://example.org").text


    @app.get("/page")
    def page() -> str:
        return {body}
"""


def test_a_call_that_no_request_is_seen_to_reach_is_tentative_without_a_limit() -> None:
    files = {"main.py": _REQUEST.format(body='""')}
    assert confidences_of("outbound-call-without-timeout", files) == [Confidence.TENTATIVE]


def test_a_call_in_a_request_is_certain_without_a_limit() -> None:
    files = {"main.py": _REQUEST.format(body="fetch()")}
    assert confidences_of("outbound-call-without-timeout", files) == [Confidence.CERTAIN]


_BUCKET = """
    import boto3
    from fastapi import FastAPI

    app = FastAPI()
    shared = boto3.Session()


    @app.get("/files/{{key}}")
    def file(key: str) -> dict[str, object]:
        session = boto3.Session(profile_name=key)
        return {session}.client("s3").head_object(Bucket="files", Key=key)
"""


def test_a_client_of_the_callers_own_session_is_tentative() -> None:
    files = {"main.py": _BUCKET.format(session="session")}
    assert confidences_of("client-created-per-request", files) == [Confidence.TENTATIVE]


def test_a_client_that_is_reached_through_a_helper_is_tentative() -> None:
    direct = _BUCKET.format(session="shared")
    helper = (
        direct.replace('return shared.client("s3")', "return storage()")
        + '\n\n    def storage() -> object:\n        return shared.client("s3")\n'
    )
    assert confidences_of("client-created-per-request", {"main.py": helper}) == [Confidence.TENTATIVE]


def test_a_client_of_the_shared_session_is_sure() -> None:
    files = {"main.py": _BUCKET.format(session="shared")}
    assert Confidence.TENTATIVE not in confidences_of("client-created-per-request", files)
    assert confidences_of("client-created-per-request", files) != []


_BY_IDS = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.{method}("/books")
    def books(ids: list[int]) -> int:
        return len(ids)
"""


def test_a_list_in_the_body_of_a_delete_that_is_sent_in_the_query_is_tentative() -> None:
    call = 'def delete(client) -> None:\n    client.delete("/books", params={"ids": [1]})\n'
    files = {"main.py": _BY_IDS.format(method="delete"), "client.py": call}
    assert confidences_of("body-inferred-on-get-or-query-model-misread", files) == [Confidence.TENTATIVE]


def test_a_list_in_the_body_of_a_get_is_certain() -> None:
    files = {"main.py": _BY_IDS.format(method="get")}
    assert confidences_of("body-inferred-on-get-or-query-model-misread", files) == [Confidence.CERTAIN]


_ENGINE = """
    import asyncio

    from fastapi import FastAPI
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    app = FastAPI()


    async def load() -> None:
        engine = create_async_engine("sqlite+aiosqlite:///shop.db")
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        finally:
            {finish}


    @app.post("/imports")
    {start}
"""


def test_an_engine_that_is_disposed_of_is_tentative() -> None:
    start = "async def start() -> None:\n        await load()"
    files = {"main.py": _ENGINE.format(finish="await engine.dispose()", start=start)}
    assert confidences_of("engine-created-per-call", files) == [Confidence.TENTATIVE]


def test_an_engine_of_its_own_event_loop_is_tentative() -> None:
    start = "def start() -> None:\n        asyncio.run(load())"
    files = {"main.py": _ENGINE.format(finish="print()", start=start)}
    assert confidences_of("engine-created-per-call", files) == [Confidence.TENTATIVE]


def test_an_engine_that_is_left_behind_is_certain() -> None:
    start = "async def start() -> None:\n        await load()"
    files = {"main.py": _ENGINE.format(finish="print()", start=start)}
    assert confidences_of("engine-created-per-call", files) == [Confidence.CERTAIN]


_PAGES = """
    from fastapi import Depends, FastAPI
    from jinja2 import Environment

    app = FastAPI()


    class Letters:
        def __init__(self) -> None:
            self.environment = Environment(autoescape=True)
            {then}


    @app.get("/letters")
    def letters(letters: Letters = Depends()) -> str:
        return "none"
"""


def test_an_environment_that_compiles_nothing_is_minor() -> None:
    files = {"main.py": _PAGES.format(then="")}
    assert severities_of("client-created-per-request", files) == [Severity.MINOR]


def test_an_environment_that_compiles_at_once_is_important() -> None:
    files = {"main.py": _PAGES.format(then='self.page = self.environment.from_string("Hello")')}
    assert severities_of("client-created-per-request", files) == [Severity.IMPORTANT]


def test_a_script_without_a_time_limit_is_minor_and_tentative() -> None:
    files = {
        "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
        "scripts/load.py": """
            import requests


            async def main() -> None:
                print(requests.get("https://maps.example").text)
        """,
    }
    assert weights_of("outbound-call-without-timeout", files) == [(Severity.MINOR, Confidence.TENTATIVE)]


_SETTINGS = """
    from fastapi import FastAPI
    from pydantic_settings import BaseSettings

    app = FastAPI()


    class Settings(BaseSettings):
        console_admin_password: str = "changeme"


    settings = Settings()
    {use}
"""


def test_a_placeholder_that_no_code_reads_opens_nothing() -> None:
    files = {"main.py": _SETTINGS.format(use="")}
    assert confidences_of("placeholder-or-weak-secret-default", files) == []


def test_a_placeholder_that_is_dumped_with_all_settings_is_tentative() -> None:
    files = {"main.py": _SETTINGS.format(use="print(settings.model_dump())")}
    assert confidences_of("placeholder-or-weak-secret-default", files) == [Confidence.TENTATIVE]


def test_a_placeholder_that_is_read_is_firm() -> None:
    for use in (
        "password = settings.console_admin_password",
        'p = getattr(settings, "console_admin_password")',
    ):
        files = {"main.py": _SETTINGS.format(use=use)}
        assert confidences_of("placeholder-or-weak-secret-default", files) == [Confidence.FIRM]


_TOKENS = """
    from fastapi import FastAPI
    from jose import jwt

    app = FastAPI()
    KEY = open("key").read()


    @app.get("/me")
    def me(token: str) -> str:
        return jwt.decode(token, KEY, algorithms={algorithms})["sub"]
"""


def test_a_hole_with_published_keys_is_minor_where_secrets_are_shared() -> None:
    files = {"main.py": _TOKENS.format(algorithms='["HS256"]'), "requirements.txt": "python-jose==3.3.0\n"}
    weights = weights_of("unmaintained-or-vulnerable-auth-dependency", files)
    assert weights == [(Severity.MINOR, Confidence.TENTATIVE)]


def test_a_hole_with_published_keys_is_important_where_they_are_used() -> None:
    files = {"main.py": _TOKENS.format(algorithms='["RS256"]'), "requirements.txt": "python-jose==3.3.0\n"}
    weights = weights_of("unmaintained-or-vulnerable-auth-dependency", files)
    assert weights == [(Severity.IMPORTANT, Confidence.CERTAIN)]


_SORTED = """
    from typing import ClassVar

    from fastapi import Depends, FastAPI, Query
    from pydantic import BaseModel, field_validator
    from sqlalchemy import create_engine, text

    engine = create_engine("sqlite://")
    app = FastAPI()


    class ListParams(BaseModel):
        sort_by: str = Query(default="title")
        sortable: ClassVar[list[str]] = []

        @field_validator("sort_by")
        def known(cls, value: str) -> str:
            if cls.sortable and value not in cls.sortable:
                raise ValueError("unknown")
            return value


    class BookParams(ListParams):
        sortable: ClassVar[list[str]] = ["title", "year"]


    @app.get("/books")
    def books(params: BookParams = Depends()) -> list[str]:
        with engine.connect() as connection:
            statement = text(f"SELECT title FROM books ORDER BY {params.sort_by}")
            return list(connection.scalars(statement))
"""


def test_a_value_that_a_validator_of_an_inherited_class_sees_is_tentative_in_a_statement() -> None:
    files = {"main.py": _SORTED}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.TENTATIVE]


def test_a_value_that_no_validator_sees_is_certain_in_a_statement() -> None:
    files = {"main.py": _SORTED.replace('@field_validator("sort_by")', '@field_validator("other")')}
    assert confidences_of("sql-injection-raw-statement", files) == [Confidence.CERTAIN]


def test_a_duplicate_that_was_looked_for_first_is_tentative_and_minor() -> None:
    files = {
        "main.py": """
            from fastapi import FastAPI, HTTPException
            from sqlalchemy import create_engine, func, select
            from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

            app = FastAPI()
            engine = create_engine("sqlite://")


            class Base(DeclarativeBase): ...


            class Member(Base):
                __tablename__ = "members"
                id: Mapped[int] = mapped_column(primary_key=True)
                name: Mapped[str] = mapped_column(unique=True)


            def member_by_name(session: Session, name: str) -> Member | None:
                conditions = [func.lower(Member.name) == name.lower()]
                return session.scalar(select(Member).where(*conditions))


            @app.post("/members")
            def join(name: str) -> None:
                with Session(engine) as session:
                    if member_by_name(session, name) is not None:
                        raise HTTPException(409)
                    session.add(Member(name=name))
                    session.commit()
        """
    }
    assert weights_of("integrity-error-unhandled", files) == [(Severity.MINOR, Confidence.TENTATIVE)]


_REPORTED = """
    from typing import Optional

    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    app = FastAPI()


    class Report(BaseModel):
        host: str
        state: Optional[str] = Field(max_length=20)


    @app.post("/reports")
    def report(given: Report) -> str:
        return given.host
"""
_COLLECTOR = """
    from main import Report


    def collect() -> Report:
        return Report(host="a", {given})
"""


def test_a_field_that_the_projects_own_client_sends_is_tentatively_required() -> None:
    rule = "optional-field-required-or-none-mismatch"
    assert confidences_of(rule, {"main.py": _REPORTED}) == [Confidence.FIRM]
    for given, confidence in (("state=None", Confidence.TENTATIVE), ("stat=1", Confidence.FIRM)):
        files = {"main.py": _REPORTED, "collector.py": _COLLECTOR.format(given=given)}
        assert confidences_of(rule, files) == [confidence]


def _corpus(rule: str, name: str) -> dict[str, str]:
    path = Path(__file__).parent / "corpus" / rule / f"{name}.py"
    return {path.name: path.read_text(encoding="utf-8")}


def test_a_value_with_doubled_quotes_is_tentative() -> None:
    rule = "sql-injection-raw-statement"
    assert confidences_of(rule, _corpus(rule, "doubled_quotes")) == [Confidence.TENTATIVE]


def test_the_key_of_a_client_is_tentative_and_that_of_a_server_firm() -> None:
    rule = "placeholder-or-weak-secret-default"
    assert confidences_of(rule, _corpus(rule, "client_key")) == [Confidence.TENTATIVE, Confidence.FIRM]


def test_a_route_for_administrators_is_tentative_where_nobody_has_a_role() -> None:
    rule = "privileged-route-without-role-check"
    assert confidences_of(rule, _corpus(rule, "no_people")) == [Confidence.TENTATIVE]


def test_what_was_made_for_another_answer_is_minor() -> None:
    rule = "response-model-bypassed"
    assert severities_of(rule, _corpus(rule, "made_for_answers")) == [Severity.MINOR, Severity.IMPORTANT]


_UNSENT = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        paid: Mapped[bool]


    def open_orders() -> list[Order]:
        with Session(engine) as session:
            return list(session.scalars(select(Order).where(not Order.paid)))
"""


def test_a_mistaken_operator_in_a_function_that_nobody_names_is_tentative() -> None:
    rule = "python-operator-in-sql-expression"
    assert confidences_of(rule, {"main.py": _UNSENT}) == [Confidence.TENTATIVE]
    job = "from main import open_orders\n\nprint(open_orders())\n"
    assert confidences_of(rule, {"main.py": _UNSENT, "job.py": job}) == [Confidence.CERTAIN]


_REPEATED = """
    import asyncio
    import logging
    from contextlib import asynccontextmanager

    from fastapi import FastAPI

    logger = logging.getLogger(__name__)


    async def sweep() -> None:
        raise NotImplementedError


    async def repeat() -> None:
        while True:
            BODY


    @asynccontextmanager
    async def lifespan(_: FastAPI):
        asyncio.create_task(repeat())
        yield


    app = FastAPI(lifespan=lifespan)
"""

_GUARDED = """try:
                await sweep()
            except Exception:
                logger.exception("sweep")
            await asyncio.sleep(60)"""


def test_a_loop_that_catches_everything_and_sleeps_keeps_itself() -> None:
    rule = "fire-and-forget-task"
    for body, confidence in (
        (_GUARDED, Confidence.TENTATIVE),
        (_GUARDED.replace("except Exception", "except ValueError"), Confidence.CERTAIN),
        (_GUARDED.replace('logger.exception("sweep")', "raise"), Confidence.CERTAIN),
        ("await sweep()\n            await asyncio.sleep(60)", Confidence.CERTAIN),
    ):
        assert confidences_of(rule, {"main.py": _REPEATED.replace("BODY", body)}) == [confidence], body


_HANDED_ON = """
    from typing import Any

    from sqlalchemy import JSON
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.orm.attributes import flag_modified


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        details: Mapped[dict[str, Any]] = mapped_column(JSON)


    def save(session: Session, book: Book) -> None:
        ANNOUNCED
        session.commit()


    def rename(session: Session, book: Book, name: str) -> None:
        book.details["name"] = name
        save(session, book)


    rename(Session(), Book(), "new")
"""


def test_a_change_that_is_announced_further_down_is_tentative() -> None:
    rule = "in-place-json-mutation-lost"
    for text, confidence in (
        ('flag_modified(book, "details")', Confidence.TENTATIVE),
        ("session.add(book)", Confidence.FIRM),
    ):
        assert confidences_of(rule, {"main.py": _HANDED_ON.replace("ANNOUNCED", text)}) == [confidence]


def test_a_change_that_nothing_behind_it_saves_is_tentative() -> None:
    rule = "in-place-json-mutation-lost"
    saved = _HANDED_ON.replace("ANNOUNCED", "session.add(book)")
    for text, confidence in (
        (
            saved.replace("save(session, book)\n\n\n    rename", "session.commit()\n\n\n    rename"),
            Confidence.FIRM,
        ),
        (
            saved.replace("save(session, book)\n\n\n    rename", "print(book)\n\n\n    rename"),
            Confidence.TENTATIVE,
        ),
    ):
        assert confidences_of(rule, {"main.py": text}) == [confidence]


_NAMED_TEST = """
    import sqlite3

    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    app = FastAPI()
    connection = sqlite3.connect(":memory:")


    @app.get("{path}", response_class=HTMLResponse)
    def {name}(page: str) -> str:
        try:
            return connection.execute("SELECT text FROM pages WHERE name = ?", (page,)).fetchone()[0]
        except Exception as exc:
            return f"<p>{{exc}}</p>"
"""


def test_a_page_that_has_test_in_its_name_is_no_test_of_a_connection() -> None:
    files = {"main.py": _NAMED_TEST.format(path="/pages", name="page_test")}
    assert confidences_of("exception-text-returned-to-client", files) == [Confidence.FIRM]


def test_why_a_connection_fails_is_what_its_test_tells() -> None:
    files = {"main.py": _NAMED_TEST.format(path="/connection/test", name="test_connection")}
    assert confidences_of("exception-text-returned-to-client", files) == [Confidence.TENTATIVE]


_SWITCHED = """
    import os
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        environment: str = "production"
        debug: bool = False
        auth_enabled: bool = True
        skip_login: bool = True


    settings = Settings()
    AUTH_DISABLED = os.environ.get("AUTH_DISABLED", "").lower() in {{"1", "true"}}
    STAGE = os.getenv("STAGE", "dev")


    def current_user(authorization: Annotated[str, Header()]) -> str:
        if {test}:
            return "admin"
        if authorization != "Bearer t":
            raise HTTPException(401)
        return "alice"


    app = FastAPI()


    @app.get("/me")
    def me(user: Annotated[str, Depends(current_user)]) -> str:
        return user
"""


@pytest.mark.parametrize(
    "test", ["settings.debug", "not settings.auth_enabled", "AUTH_DISABLED", 'settings.environment == "dev"']
)
def test_a_switch_that_is_off_by_default_is_tentative(test: str) -> None:
    files = {"main.py": _SWITCHED.format(test=test)}
    assert confidences_of("auth-bypass-flag", files) == [Confidence.TENTATIVE]


@pytest.mark.parametrize("test", ["settings.skip_login", 'STAGE != "production"'])
def test_a_switch_that_is_on_by_default_is_firm(test: str) -> None:
    files = {"main.py": _SWITCHED.format(test=test)}
    assert confidences_of("auth-bypass-flag", files) == [Confidence.FIRM]


_REFUSED = """
    import logging
    import os
    import secrets

    import jwt
    from fastapi import FastAPI, Header, HTTPException

    app = FastAPI()
    logger = logging.getLogger(__name__)
    sessions = {{}}
    SHOW = os.getenv("SHOW_TOKENS", "false") == "true"


    def find_session(token): ...


    @app.get("/me")
    def authenticate({name}: str = Header()) -> str:
        {body}
        return jwt.decode({name}, "k", algorithms=["HS256"])["sub"]
"""


def _logged(body: str, name: str = "token") -> list[Confidence]:
    lines = body.replace("\n", "\n        ")
    return confidences_of("sensitive-data-logged", {"main.py": _REFUSED.format(body=lines, name=name)})


@pytest.mark.parametrize(
    "body",
    [
        'if token.count(".") != 2:\n    logger.info("malformed %s", token)\n    raise HTTPException(401)',
        'if "." not in token:\n    logger.info("malformed %s", token)\n    return ""',
        'session = find_session(token)\nif session is None:\n    logger.info("not known %s", token)\n    raise HTTPException(401)',
        "try:\n    jwt.decode(token, 'k', algorithms=['HS256'])\nexcept jwt.PyJWTError:\n    logger.info('bad %s', token)\n    raise",
        'if SHOW:\n    logger.info("token %s", token)',
    ],
)
def test_a_token_that_was_refused_is_tentative(body: str) -> None:
    assert _logged(body) == [Confidence.TENTATIVE]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('if token.count(".") == 2:\n    logger.info("token %s", token)', "token"),
        (
            'if find_session(password) is None:\n    logger.info("wrong %s", password)\n    raise HTTPException(401)',
            "password",
        ),
        ('if sessions:\n    logger.info("token %s", token)\n    raise HTTPException(401)', "token"),
    ],
)
def test_a_token_that_may_be_good_and_a_password_are_firm(body: str, name: str) -> None:
    assert _logged(body, name) == [Confidence.FIRM]


_FIRST_START = """
    import logging
    import secrets

    from fastapi import FastAPI

    app = FastAPI()
    logger = logging.getLogger(__name__)


    def add_admin() -> None:
        password = {made}
        logger.info("the password of admin is %s", password)


    {before}add_admin()
"""


def test_a_password_that_is_made_and_shown_at_the_first_start_is_tentative() -> None:
    files = {"main.py": _FIRST_START.format(made="secrets.token_hex(16)", before="")}
    assert confidences_of("sensitive-data-logged", files) == [Confidence.TENTATIVE]


def test_a_password_that_a_request_makes_is_firm() -> None:
    before = '@app.post("/admins")\n    def admins() -> None:\n        '
    files = {"main.py": _FIRST_START.format(made="secrets.token_hex(16)", before=before)}
    assert confidences_of("sensitive-data-logged", files) == [Confidence.FIRM]


_CONNECTED = """
    from fastapi import FastAPI, Header, HTTPException
    from pydantic_settings import BaseSettings

    app = FastAPI()


    class {name}(BaseSettings):
        {address}: str = "localhost"
        {secret}: str = "password"


    settings = {name}()


    @app.get("/")
    def read(password: str = Header()) -> str:
        if password != settings.{secret}:
            raise HTTPException(401)
        return settings.{address}
"""


def test_a_password_beside_the_address_of_a_service_is_tentative() -> None:
    for name, address, secret, confidence in (
        ("QueueSettings", "host", "password", Confidence.TENTATIVE),
        ("Settings", "queue_host", "queue_password", Confidence.TENTATIVE),
        ("Settings", "host", "password", Confidence.FIRM),
        ("Settings", "queue_host", "admin_password", Confidence.FIRM),
    ):
        files = {"main.py": _CONNECTED.format(name=name, address=address, secret=secret)}
        assert confidences_of("placeholder-or-weak-secret-default", files) == [confidence], (name, secret)


_LONG = """
    import os

    from fastapi import FastAPI

    app = FastAPI()


    def make_name(name: str) -> str:
{lines}
        return "fixed" if len(name) > 3 else name


    @app.get("/files")
    def read(name: str) -> str:
        with open(os.path.join("/srv", make_name(name))) as file:
            return file.read()
"""


def test_what_a_long_function_makes_of_its_argument_is_tentative() -> None:
    for lines, confidence in ((3, Confidence.CERTAIN), (300, Confidence.TENTATIVE)):
        files = {"main.py": _LONG.format(lines='        print("step")\n' * lines)}
        assert confidences_of("path-traversal-read-or-delete", files) == [confidence]


_CHOSEN = """
    import os
    import secrets

    from fastapi import APIRouter, FastAPI
    from pydantic_settings import BaseSettings

    app = FastAPI()


    class Settings(BaseSettings):
        stress: bool = False
        shown: bool = True


    settings = Settings()
    STRESS = os.environ.get("STRESS") in ("1", "true")
    STRESS_TEXT = bool(os.getenv("STRESS_TEXT", ""))
    SHOWN = os.getenv("SHOWN", "true").lower() == "true"


    def add_routes(app: FastAPI) -> None:
        {guard}
        router = APIRouter()

        @router.get("/token")
        def token(length: int) -> str:
            return secrets.token_hex(length)

        app.include_router(router)


    {calls}add_routes(app)
"""


def test_a_size_that_clients_choose_behind_a_switch_that_is_off_is_tentative() -> None:
    for guard, calls, confidence in (
        ("", "", Confidence.FIRM),
        ("if not STRESS: return", "", Confidence.TENTATIVE),
        ("if not settings.stress: return", "", Confidence.TENTATIVE),
        ("", "if STRESS_TEXT: ", Confidence.TENTATIVE),
        ("", 'if os.getenv("STRESS", "false").lower() == "true": ', Confidence.TENTATIVE),
        ("if not SHOWN: return", "", Confidence.FIRM),
        ("if not settings.shown: return", "", Confidence.FIRM),
        ("if STRESS: return", "", Confidence.FIRM),
        ("", "if SHOWN: ", Confidence.FIRM),
    ):
        files = {"main.py": _CHOSEN.format(guard=guard, calls=calls)}
        assert confidences_of("client-chosen-size-unbounded", files) == [confidence], (guard, calls)


def test_a_switch_that_the_deployment_turns_on_changes_nothing() -> None:
    files = {"main.py": _CHOSEN.format(guard="if not STRESS: return", calls="")}
    for name, confidence in (("STRESS", Confidence.FIRM), ("PORT", Confidence.TENTATIVE)):
        files["docker-compose.yml"] = (
            f"services:\n  app:\n    image: app\n    environment:\n      {name}: '1'\n"
        )
        assert confidences_of("client-chosen-size-unbounded", files) == [confidence], name


_EXPIRES = """
    import jwt
    from fastapi import FastAPI

    app = FastAPI()


    class Caller:
        def __init__(self, user_id: str, token: str) -> None:
            self.user_id = user_id
            self.token = token

        def is_expired(self) -> bool:
            claims = jwt.decode(self.token, options={{"verify_signature": False}})
            {check}
            return claims["exp"] < 0


    @app.get("/")
    def read(user: str, token: str) -> bool:
        return Caller(user, token).is_expired()
"""


def test_claims_that_are_compared_with_what_is_known_are_tentative() -> None:
    for check, confidence in (
        ('assert claims["sub"] == self.user_id', Confidence.TENTATIVE),
        ('self.user_id = claims["sub"]', Confidence.FIRM),
        ('assert claims["sub"] == self.user_id; self.role = claims["role"]', Confidence.FIRM),
        ('assert claims["role"] == "admin"', Confidence.FIRM),
    ):
        files = {"main.py": _EXPIRES.format(check=check)}
        assert confidences_of("jwt-signature-not-verified", files) == [confidence], check


_KEPT = """
    import re

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    RUNNING = dict(alice="http://a")
    KEPT: dict[str, str] = {{}}


    def address_of(name: str) -> str:
        name = name.split("/")[-1]
        {check}
        return "http://a"


    @app.get("/workers/{{name}}")
    def read(name: str) -> str:
        {above}
        KEPT[name] = "kept"
        return KEPT[name]
"""


def test_keys_that_a_lookup_above_has_found_are_tentative() -> None:
    lookup = "address = find(name)\n        if address == '': raise ValueError(name)"
    for check, above, confidence in (
        ("pass", "address_of(name)", Confidence.FIRM),
        (lookup, "address_of(name)", Confidence.TENTATIVE),
        (lookup, "address_of('alice')", Confidence.FIRM),
        ("if not re.match('a', name): raise ValueError", "address_of(name)", Confidence.FIRM),
        ("pass", "if name not in RUNNING: raise HTTPException(404)", Confidence.TENTATIVE),
        ("pass", "if len(name) > 9: raise HTTPException(404)", Confidence.FIRM),
        (
            "pass",
            "row = RUNNING[name]\n        if row is None: raise HTTPException(404)",
            Confidence.TENTATIVE,
        ),
    ):
        files = {"main.py": _KEPT.format(check=check, above=above)}
        assert confidences_of("unbounded-in-memory-growth", files) == [confidence], (check, above)


_SEARCHED = """
    from datetime import datetime

    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    engine = create_engine("postgresql://shop")


    class Base(DeclarativeBase):
        pass


    class Parcel(Base):
        __tablename__ = "parcels"

        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str]
        sent_at: Mapped[datetime]


    {made}


    app = FastAPI({startup})


    @app.get("/parcels/{{number}}")
    def find_parcel(number: str) -> int | None:
        with Session(engine) as session:
            return session.scalar(select(Parcel.id).where(Parcel.number == number))
"""
_MAKER = "def make_tables() -> None:\n        Base.metadata.create_all(engine)"


@pytest.mark.parametrize(
    ("made", "startup", "sure"),
    [
        ("", "", Confidence.TENTATIVE),
        (_MAKER, "", Confidence.TENTATIVE),
        (_MAKER, "on_startup=[make_tables]", Confidence.FIRM),
        ("Base.metadata.create_all(engine)", "", Confidence.FIRM),
    ],
)
def test_an_index_is_missed_for_sure_only_where_the_project_makes_its_tables(
    made: str, startup: str, sure: Confidence
) -> None:
    files = {"main.py": _SEARCHED.format(made=made, startup=startup)}
    assert confidences_of("missing-index-for-query-predicate", files) == [sure]
