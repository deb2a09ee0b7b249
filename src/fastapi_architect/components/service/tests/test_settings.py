"""Settings come from where they should, and a placeholder is no secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from fastapi_architect.components.service import (
    CommaSeparated,
    ComponentSettings,
    Environment,
    GeneratedSecret,
)

GOOD = "kJ8s-2nQzv_X4mLw7RtYp1BdHc9FgTe5"
TYPED = [
    "",
    "short",
    "a" * 40,
    "changeme" * 8,
    "your-secret-key-goes-here-0123456789",
    "test" + GOOD,
    "12" * 30,
]


class Demo(ComponentSettings):
    """DEMO_*: every kind of setting."""

    model_config = SettingsConfigDict(env_prefix="DEMO_")

    key: GeneratedSecret | None = None
    must: GeneratedSecret
    names: CommaSeparated = ()
    number: int = 1


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("ENVIRONMENT", "ENV_FILE", "SECRETS_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEMO_MUST", GOOD)


def test_a_forgotten_environment_means_production() -> None:
    assert Demo().environment is Environment.PRODUCTION
    assert not Demo().is_local


def test_an_environment_of_another_name_is_as_strict_as_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")

    assert Demo().environment is Environment.PRODUCTION


@pytest.mark.parametrize("secret", TYPED)
def test_a_typed_secret_is_refused_outside_of_local(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_MUST", secret)

    with pytest.raises(ValidationError) as refused:
        Demo()

    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("secret", TYPED[1:])
def test_a_typed_secret_that_may_be_left_out_is_refused_too(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_KEY", secret)

    with pytest.raises(ValidationError, match="DEMO_KEY"):
        Demo()


def test_a_typed_secret_will_do_for_a_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "local")
    monkeypatch.setenv("DEMO_MUST", "changeme")

    assert Demo().must.get_secret_value() == "changeme"


def test_a_missing_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_MUST")

    with pytest.raises(ValidationError, match="must"):
        Demo()


def test_a_refused_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_NUMBER", "hunter2")

    with pytest.raises(ValidationError) as refused:
        Demo()

    assert "hunter2" not in str(refused.value)
    assert GOOD not in repr(Demo(number=2))


def test_sources_win_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "DEMO_NUMBER").write_text("2\n")
    monkeypatch.setenv("SECRETS_DIRECTORY", str(secrets))
    numbers = [Demo().number]
    (tmp_path / ".env").write_text("DEMO_NUMBER=3\nSOMETHING_ELSE=1\n")
    numbers.append(Demo().number)
    (tmp_path / "other.env").write_text("DEMO_NUMBER=4\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "other.env"))
    numbers.append(Demo().number)
    monkeypatch.setenv("DEMO_NUMBER", "5")
    numbers.append(Demo().number)
    numbers.append(Demo(number=6).number)

    assert numbers == [2, 3, 4, 5, 6]


def test_several_names_stand_in_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_NAMES", " a.example.com, b.example.com,, ")

    assert Demo().names == ("a.example.com", "b.example.com")
    assert Demo(names=("c",)).names == ("c",)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEMO_KEY", "")
    (tmp_path / ".env").write_text("DEMO_NUMBER=\nDEMO_NAMES=\n")

    assert (Demo().key, Demo().number, Demo().names) == (None, 1, ())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Demo().__setattr__("number", 2)


def test_a_key_of_a_component_is_a_secret_everywhere() -> None:
    assert isinstance(Demo().must, SecretStr)
