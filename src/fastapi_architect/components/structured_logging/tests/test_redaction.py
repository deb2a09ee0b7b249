"""No secret of these shapes gets into a log, and ordinary values do."""

import time
from typing import Any

import pytest

from fastapi_architect.components.structured_logging.redaction import LONGEST_TEXT, MASK, Redaction

PLANTED = "pl4nted-S3cret_value"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.pl4nted-S3cret_value"

redaction = Redaction()


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new-password",
        "userPassword",
        "DB_PASSWORD",
        "token",
        "accessToken",
        "refresh_token",
        "authorization",
        "Proxy-Authorization",
        "cookie",
        "Set-Cookie",
        "X-Api-Key",
        "apiKey",
        "apikey",
        "APIKey",
        "client_secret",
        "private_key",
        "session_id",
        "sessionId",
        "X-CSRF-Token",
        "stripe_signature",
        "ticket",
        "otp",
    ],
)
def test_a_field_with_the_name_of_a_secret_is_masked(name: str) -> None:
    assert redaction.field(name, PLANTED) == MASK
    assert redaction.value({"outer": [{name: PLANTED}]}) == {"outer": [{name: MASK}]}


@pytest.mark.parametrize(
    "name", ["title", "cache_key", "author", "tokenizer", "monkey", "pinned", "secretary", "key", "passenger"]
)
def test_an_ordinary_field_is_kept(name: str) -> None:
    assert redaction.field(name, "value") == "value"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {PLANTED}",
        f"headers={{'authorization': 'Bearer {PLANTED}', 'accept': '*/*'}}",
        f"[(b'authorization', b'Basic {PLANTED}')]",
        f"sent bearer {PLANTED} to them",
        f"Cookie: theme=dark; session={PLANTED}",
        f'{{"set-cookie": "session={PLANTED}; HttpOnly"}}',
        f"GET /callback?code={PLANTED}&state={PLANTED}",
        f"https://api.example/files?expires=1&sig={PLANTED}",
        f"https://api.example/?access_token={PLANTED}#x",
        f"https://api.example/?api_key={PLANTED}",
        f"X-Api-Key: {PLANTED}",
        f"postgresql+psycopg://shop:{PLANTED}@db:5432/shop",
        f"redis://:{PLANTED}@cache/0",
        f"{{'password': '{PLANTED}', 'name': 'Ada'}}",
        f'{{"new_password":"{PLANTED}"}}',
        f"password={PLANTED}",
        f"DB_PASSWORD: {PLANTED}",
        f"client_secret = '{PLANTED}'",
        f"could not verify {JWT}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{PLANTED}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{PLANTED}",
        f"smtp://mail:{PLANTED}@smtp.example:587",
        f"token: {PLANTED} expired",
        f"Field required [type=missing, input_value={{'a': '{PLANTED}', ...}}, input_type=dict]",
    ],
)
def test_a_secret_in_a_text_is_masked(text: str) -> None:
    cleaned = redaction.text(text)

    assert PLANTED not in cleaned
    assert MASK in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "book read",
        "GET /api/v1/auth/login 200",
        "the token expired",
        "basic plan chosen",
        "https://api.example/books?page=2&order=title",
        "see https://example.com:8443/path",
        "password was changed",
        "2 tokens were revoked",
    ],
)
def test_an_ordinary_text_is_kept(text: str) -> None:
    assert redaction.text(text) == text


@pytest.mark.parametrize(
    "value",
    [
        [(b"authorization", PLANTED.encode()), (b"accept", b"*/*")],
        {"headers": [["cookie", PLANTED]]},
        {"a": {"b": {"c": {"d": {"e": {"f": {"password": PLANTED}}}}}}},
        {"set": {f"password={PLANTED}"}},
        ValueError(f"bad token={PLANTED}"),
        {f"https://x.example/?token={PLANTED}": 1},
        b"Authorization: Bearer " + PLANTED.encode(),
    ],
)
def test_a_secret_inside_of_a_structure_is_masked(value: object) -> None:
    assert PLANTED not in str(redaction.value(value))


def test_names_of_ones_own_are_masked() -> None:
    assert Redaction(["IBAN"]).field("customer_iban", "DE00") == MASK


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ((1, "a"), [1, "a"]),
    ],
)
def test_values_that_json_knows_stay_what_they_are(value: object, expected: Any) -> None:
    assert redaction.value(value) == expected


def test_what_cannot_be_shown_does_not_lose_the_record() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert redaction.value(Broken()) == "<Broken that cannot be shown>"


def test_a_structure_that_holds_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert len(str(redaction.value(loop))) < 100


def test_a_huge_text_is_cut_and_keeps_its_end() -> None:
    text = redaction.text("x" * 100_000 + " Bearer " + PLANTED + " and the end")

    assert len(text) < LONGEST_TEXT + 200
    assert text.endswith("the end")
    assert PLANTED not in text


@pytest.mark.parametrize(
    "piece",
    [
        "input_value=",
        "token",
        "password=",
        "eyJ",
        "eyJaaaaaaaa.",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "Authorization:",
        "&code=",
        "'",
        "a.-_",
    ],
)
def test_no_text_of_a_stranger_costs_much_time(piece: str) -> None:
    hostile = ("token" + piece * LONGEST_TEXT)[:LONGEST_TEXT]
    started = time.process_time()

    redaction.text(hostile)

    assert time.process_time() - started < 1.0  # a quadratic pattern takes minutes
