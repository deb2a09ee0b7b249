"""Which passwords are accepted, and how they are hashed."""

import pytest

from fastapi_architect.components.accounts.common_passwords import is_common
from fastapi_architect.components.accounts.passwords import PasswordHashing
from fastapi_architect.components.accounts.tests.example import CountingHasher


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Passw0rd!!!!",
        "P@ssw0rd2026",
        "passwordpassword",
        "123456789012",
        "000000000000",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "qwertyuiop123",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "iloveyou1234",
        "letmein123456",
        "Summer2026!!",
        "Welcome-2025!",
        "administrator1",
        "changeme1234",
        "monkeydragon",
        "correcthorsebatterystaple",
        "ada@example.com",
        "ada.lovelace.2026",
        "bookshop12345",
        "zyxwvu987654"[::-1],
    ],
)
def test_what_everybody_tries_is_refused(password: str) -> None:
    assert is_common(password, ["ada.lovelace@example.com", "ada", "bookshop"])


@pytest.mark.parametrize(
    "password",
    [
        "four unrelated words here",
        "entirely different phrase now",
        "tXq8-vL2m-9RwZ",
        "Gurkensalat im Regen",
        "мой дядя самых честных правил",
        "kj3h4kj5h3k4j",
        "ein kleines blaues Haus",
        "0d3c5f6e0b1d4b629d7a",
        "Zq3mYkT1h0cVx8uWb5nJr2dL",
    ],
)
def test_there_are_no_rules_on_which_characters(password: str) -> None:
    assert not is_common(password, ["ada.lovelace@example.com", "ada", "bookshop"])


@pytest.mark.anyio
async def test_without_a_hash_the_same_work_is_done_and_the_answer_is_no() -> None:
    hasher = CountingHasher()
    hashing = PasswordHashing(hasher)
    await hashing.prepare()
    stored = await hashing.hash("four unrelated words here")
    hasher.hashed = hasher.verified = 0

    assert not await hashing.verify(None, "four unrelated words here")
    assert (hasher.hashed, hasher.verified) == (0, 1)
    assert await hashing.verify(stored, "four unrelated words here")
    assert (hasher.hashed, hasher.verified) == (0, 2)


@pytest.mark.anyio
async def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    hashing = PasswordHashing(CountingHasher())

    assert await hashing.verify(await hashing.hash("gl\u00fccklich genug"), "glu\u0308cklich genug")


@pytest.mark.anyio
@pytest.mark.parametrize("stored", ["", "nonsense", "$argon2id$v=19$broken", "$2b$12$" + "x" * 53])
def test_a_hash_that_cannot_be_read_fits_no_password(stored: str) -> None:
    assert not PasswordHashing(CountingHasher())._fits(stored, "anything")
