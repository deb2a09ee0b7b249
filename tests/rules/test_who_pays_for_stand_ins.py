"""What only stands in for the real thing while somebody develops, or stands in a script, is tentative."""

from __future__ import annotations

import pytest
from tests.rules.kit import confidences_of

from fastapi_architect.findings.severity import Confidence

_SERVICES = """
    import time
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        mock_mails: bool = {default}
        has_relay: bool = False


    settings = Settings()
    app = FastAPI()


    class Mailer:
        async def send(self) -> str:
            return "sent"


    class {name}(Mailer):
        async def send(self) -> str:
            time.sleep(1)
            return "slept"


    def get_mailer() -> Mailer:
        {made}


    @app.post("/mails")
    async def send_mail(mailer: Annotated[Mailer, Depends(get_mailer)]) -> str:
        return await mailer.send()
"""
_SWITCHED = """if settings.mock_mails:
            return {name}()
        return Mailer()"""

_CONFIGURED = _SWITCHED.replace("mock_mails", "has_relay")


@pytest.mark.parametrize(
    ("name", "made", "default", "expected"),
    [
        ("MockMailer", "return MockMailer()", False, Confidence.TENTATIVE),
        ("SleepyMailer", _SWITCHED, False, Confidence.TENTATIVE),
        ("SleepyMailer", _SWITCHED, True, Confidence.FIRM),
        ("SleepyMailer", _CONFIGURED, False, Confidence.FIRM),
        ("SleepyMailer", "return SleepyMailer()", False, Confidence.FIRM),
        ("StubbornMailer", "return StubbornMailer()", False, Confidence.FIRM),
    ],
)
def test_what_stands_in_is_tentative(name: str, made: str, default: bool, expected: Confidence) -> None:
    text = _SERVICES.format(name=name, made=made.format(name=name), default=default)
    found = confidences_of("blocking-sleep-in-async", {"main.py": text})
    assert [c if c is Confidence.TENTATIVE else Confidence.FIRM for c in found] == [expected]


_SCRIPT = """
    import os


    def prepare() -> None:
        os.environ.setdefault("ENCRYPTION_KEY", "44OLJ/s4OjYSyzVk9FtOk6033GrFS4Q4KWBdEstPrgU=")


    {end}
"""
_MAIN = """if __name__ == "__main__":
        prepare()"""


@pytest.mark.parametrize(
    ("path", "app", "end", "expected"),
    [
        ("scripts/try_billing.py", "", _MAIN, Confidence.TENTATIVE),
        ("scripts/try_billing.py", "from scripts.try_billing import prepare", _MAIN, Confidence.FIRM),
        ("billing.py", "", _MAIN, Confidence.FIRM),
        ("scripts/try_billing.py", "", "", Confidence.FIRM),
    ],
)
def test_what_a_script_falls_back_to_is_tentative(
    path: str, app: str, end: str, expected: Confidence
) -> None:
    files = {
        "main.py": f"from fastapi import FastAPI\n{app}\n\napp = FastAPI()\n",
        "scripts/__init__.py": "",
        path: _SCRIPT.format(end=end),
    }
    assert confidences_of("hardcoded-credential", files) == [expected]
