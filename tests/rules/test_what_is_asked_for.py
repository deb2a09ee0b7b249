"""A secret that a client has to ask for weighs less than one that goes out with every answer."""

from __future__ import annotations

import textwrap

import pytest
from tests.rules.kit import findings_of, rule_named

from fastapi_architect.findings.severity import Confidence, Severity

_APPLICATION = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    app = FastAPI()


    class Creds(BaseModel):
        private_key: str | None = None


    class Wish(BaseModel):
        name: str
        include_creds: bool = False
        verbose: bool = False


    def find(name: str, wanted: bool, include_creds: bool) -> Creds:
        if {test}:
            return Creds()
        return Creds(private_key="s3cret")


    @app.post("/repos/get")
    def get_repo(body: Wish) -> Creds:
        return find(body.name, body.verbose, body.include_creds)
"""


@pytest.mark.parametrize(
    ("test", "weight"),
    [
        ("not include_creds", (Severity.MINOR, Confidence.TENTATIVE)),
        ("not wanted", (Severity.CRITICAL, Confidence.CERTAIN)),
    ],
)
def test_a_wish_that_decides_lowers_the_weight(test: str, weight: tuple[Severity, Confidence]) -> None:
    known = rule_named("sensitive-field-in-response")
    assert known is not None
    (finding,) = findings_of({"main.py": textwrap.dedent(_APPLICATION).format(test=test)}, known)
    assert (finding.severity, finding.confidence) == weight


@pytest.mark.parametrize(
    ("name", "severity"),
    [("BackendWithCreds", Severity.MINOR), ("Backend", Severity.CRITICAL)],
)
def test_a_model_that_is_named_for_its_secrets_lowers_the_weight(name: str, severity: Severity) -> None:
    text = f"""
        from fastapi import FastAPI
        from pydantic import BaseModel

        app = FastAPI()


        class {name}(BaseModel):
            private_key: str


        @app.post("/backends")
        def create_backend(name: str) -> {name}:
            return {name}(private_key="s3cret")
    """
    known = rule_named("sensitive-field-in-response")
    assert known is not None
    (finding,) = findings_of({"main.py": textwrap.dedent(text)}, known)
    assert finding.severity == severity
