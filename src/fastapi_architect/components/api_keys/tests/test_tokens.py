"""What a key looks like."""

from fastapi_architect.components.api_keys.tokens import ALPHABET, checksum, hint_of, looks_right, new_key


def test_keys_differ_and_look_right() -> None:
    keys = {new_key("shop") for _ in range(1000)}

    assert len(keys) == 1000
    assert all(looks_right(key, "shop") for key in keys)


def test_a_key_of_another_service_does_not_look_right() -> None:
    assert not looks_right(new_key("bank"), "shop")


def test_every_single_wrong_letter_is_found() -> None:
    key = new_key("shop")
    for place in range(5, len(key)):
        for letter in ALPHABET:
            if letter != key[place]:
                assert not looks_right(key[:place] + letter + key[place + 1 :], "shop")


def test_a_prefix_may_hold_underscores() -> None:
    key = new_key("shop_live")

    assert looks_right(key, "shop_live")
    assert not looks_right(key, "shop")
    assert hint_of(key).startswith("shop_live_")


def test_the_checksum_has_six_letters() -> None:
    assert {len(checksum(text)) for text in ("", "a", "shop_x")} == {6}
