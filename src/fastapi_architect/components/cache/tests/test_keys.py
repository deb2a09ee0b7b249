"""Who may see what lies under a key?"""

from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter

from fastapi_architect.components.cache import CachedValue
from fastapi_architect.components.service import Principal

NUMBER = CachedValue("number", int, ttl=60)
ANN = Principal(UUID(int=1), frozenset({"read"}))


def test_a_key_that_does_not_say_who_may_see_it_is_none() -> None:
    with pytest.raises(TypeError, match="who may see"):
        NUMBER.key(1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="who may see"):
        NUMBER.key(1, shared=False)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="who may see"):
        NUMBER.key(1, shared=True, principal=ANN)  # type: ignore[call-overload]


def test_each_audience_has_a_place_of_its_own() -> None:
    ben = Principal(UUID(int=2), frozenset({"read"}))
    promoted = Principal(ANN.id, frozenset({"read", "write"}))
    elsewhere = Principal(ANN.id, ANN.permissions, tenant_id=UUID(int=9))
    names = {
        NUMBER.key(1, shared=True).name,
        NUMBER.key(1, tenant=ANN.id).name,
        *(NUMBER.key(1, principal=who).name for who in (ANN, ben, promoted, elsewhere)),
    }
    assert len(names) == 6


def test_parts_do_not_run_into_each_other() -> None:
    keys: list[tuple[str | int, ...]] = [
        ("a:b", "c"),
        ("a", "b:c"),
        ("a:b:c",),
        (1,),
        ("1",),
        ("a", ""),
        ("a",),
    ]
    assert len({NUMBER.key(*parts, shared=True).name for parts in keys}) == len(keys)


def test_a_key_has_one_length_whatever_a_client_asks_for() -> None:
    assert len(NUMBER.key("x" * 1_000_000, shared=True).name) == len(NUMBER.key("", shared=True).name)
    assert "\n" not in NUMBER.key("a\r\nDEL *", shared=True).name


def test_a_deployment_that_changes_the_type_does_not_read_old_values() -> None:
    class Before(BaseModel):
        title: str

    class After(BaseModel):
        title: str
        author: str = "unknown"

    before = CachedValue("book", Before, ttl=60).key(1, shared=True)
    after = CachedValue("book", After, ttl=60).key(1, shared=True)
    assert before.name != after.name


def test_what_json_cannot_carry_is_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    class Credentials(BaseModel):
        password: SecretStr

    kind = CachedValue("credentials", Credentials, ttl=60)
    assert kind.dump(Credentials(password=SecretStr("secret"))) is None
    assert "do not survive JSON" in caplog.text


def test_values_may_be_of_any_type_that_pydantic_knows() -> None:
    kind = CachedValue[list[tuple[int, str]]]("pairs", TypeAdapter(list[tuple[int, str]]), ttl=60)
    data = kind.dump([(1, "a")])
    assert data is not None
    assert kind.load(data) == [(1, "a")]


@pytest.mark.parametrize("lifetime", [{"ttl": 0}, {"ttl": 1, "stale_for": -1}, {"ttl": 1, "negative_ttl": 0}])
def test_a_lifetime_is_positive(lifetime: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lifetime"):
        CachedValue("number", int, **lifetime)
