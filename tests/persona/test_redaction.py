"""What must not leave this machine, and what looks like it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.redaction import Redaction, environment_values
from fastapi_architect.workbench.workspace import Workspace


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://shop:pa55-word@db.shop.net/x", "pa55-word"),
        ("redis://:only-password@cache:6379", "only-password"),
        ('password: str = "correct-horse"', "correct-horse"),
        ('SECRET_KEY = "a8f7b2c9"', "a8f7b2c9"),
        ('{"client_secret": "zzzz1234"}', "zzzz1234"),
        ('STRIPE_API_KEY="abcd-1234"', "abcd-1234"),
        ('Settings(jwt_secret=SecretStr("s3same-0pen"))', "s3same-0pen"),
        ("Authorization: Bearer abcdef1234567890abcdef", "abcdef1234567890abcdef"),
        ("key AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE"),
        ("token ghp_" + "a1B2c3" * 6, "ghp_"),
        ("sk-proj-" + "a1B2c3" * 6, "sk-proj-"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "eyJzdWIi"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "MIIE"),
        ("https://hooks.slack.com/services/T0000/B0000/XXXXabcdXXXX", "XXXXabcd"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    hidden = Redaction().redact(text)
    assert secret not in hidden
    assert "[hidden: " in hidden
    assert Redaction().redact(hidden) == hidden
    assert Redaction().kinds_in(hidden) == []


@pytest.mark.parametrize(
    "text",
    [
        'tokenUrl="/auth/token"',
        "password: str",
        "token: Annotated[str, Header()]",
        'secret = "{{ vault_secret }}"',
        "api_key: SecretStr  # no default",
        "postgresql://app:{password}@db/x",
        "git@github.com:shop/shop.git",
        "http://localhost:8000/docs",
        "`app/main.py:12` hardcoded-signing-secret",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redaction().redact(text) == text


def test_known_values_are_hidden_in_every_form_in_which_they_travel() -> None:
    secret = 'p@ss"w<o\\rd/ü'
    redaction = Redaction({secret: "DB_PASSWORD of .env"})
    for form in (
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(secret).replace("<", "\\u003c"),
        "p%40ss%22w%3Co%5Crd%2F%C3%BC",
    ):
        assert "[hidden: DB_PASSWORD of .env]" in redaction.redact(f"x {form} y")


def test_a_short_value_is_hidden_as_a_word_only() -> None:
    redaction = Redaction({"abcd": "PIN of .env"})
    assert redaction.redact("abcd abcdef") == "[hidden: PIN of .env] abcdef"


def test_values_of_an_environment_file_are_secrets_unless_they_are_plainly_none() -> None:
    text = (
        "# comment\nDEBUG=true\nPORT=8000\nLOG_LEVEL=INFO\nHOST=db.internal\nURL=https://shop.example.net/x\n"
        "export JWT_SECRET=foo-bar # c\nDATABASE_URL=postgresql://shop:h%40nter2@db/shop\n"
        "SMTP='horse battery staple'\nOPAQUE=Zx81-Zx81-Zx81-Zx81\n"
        'PEM="-----BEGIN KEY-----\nabcdefghijklmnopqrst\n-----END KEY-----"\n'
    )
    values = {value for value, *_ in environment_values(text, ".env")}
    assert {
        "foo-bar",
        "postgresql://shop:h%40nter2@db/shop",
        "h%40nter2",
        "h@nter2",
        "horse battery staple",
    } <= values
    assert {"Zx81-Zx81-Zx81-Zx81", "abcdefghijklmnopqrst"} <= values
    assert not {"true", "8000", "INFO", "db.internal", "https://shop.example.net/x"} & values


def test_an_example_file_holds_placeholders() -> None:
    assert list(environment_values("SECRET_KEY=changeme\nNAME=shop-of-books\n", ".env.example")) == []
    assert list(environment_values("SECRET_KEY=q8Zr1-real-7Tb\n", ".env.example")) != []


def test_the_secrets_of_a_project_are_known(shop: Path) -> None:
    """In files that git ignores, in code, in code whose finding is silenced, and under a name that says nothing."""
    (shop / ".gitignore").write_text(".env\n")
    (shop / ".env").write_text("DB_PASSWORD=hunter2-in-env\n")
    (shop / "app/sign.py").write_text(
        'import jwt\n\nNOTHING = "q8Zr1-signs-7Tb"  # architect: allow(hardcoded-signing-secret): a test\n\n\n'
        'def sign() -> str:\n    return jwt.encode({}, NOTHING, algorithm="HS256")\n'
    )
    (shop / "app/keys.py").write_text(
        'import jwt\n\nLONG = """\nk3y-over-several-lines\n"""\nURL = "postgresql://shop:in-the-url-9x@db.shop.net/shop"\n\n\n'
        'def sign() -> str:\n    return jwt.encode({}, LONG.strip(), algorithm="HS256")\n'
    )
    (shop / "pyproject.toml").write_text('[tool.fastapi-architect]\nignore = ["security"]\n')
    redaction = Hands(Workspace(shop)).redaction
    assert redaction.redact("in-the-url-9x") == "[hidden: the secret at app/keys.py:6]"
    assert "k3y-over" not in redaction.redact("key: k3y-over-several-lines")
    assert redaction.redact("hunter2-in-env q8Zr1-signs-7Tb") == (
        "[hidden: DB_PASSWORD of .env] [hidden: the secret at app/sign.py:3]"
    )


def test_a_setting_does_not_leave_and_is_no_secret_of_an_answer(shop: Path) -> None:
    (shop / ".env").write_text("REGION=eu-west-1\nLLM=qwen3-coder:30b\nAPI_TOKEN=eu-west-9x\n")
    redaction = Hands(Workspace(shop)).redaction
    assert redaction.redact("eu-west-1 eu-west-9x") == "[hidden: REGION of .env] [hidden: API_TOKEN of .env]"
    assert redaction.kinds_in("deploy to eu-west-1") == []
    assert redaction.kinds_in("use eu-west-9x") == ["API_TOKEN of .env"]
    told = redaction.without("qwen3-coder:30b")
    assert told.redact("qwen3-coder:30b eu-west-1") == "qwen3-coder:30b [hidden: REGION of .env]"
    assert told.kinds_in("eu-west-1") == []
