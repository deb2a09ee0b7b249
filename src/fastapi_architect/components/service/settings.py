"""Where settings come from, and which are refused.

Each component has a class of its own with a prefix of its own. Earlier sources win: arguments, environment variables, the
file named by ENV_FILE (`.env`), the directory named by SECRETS_DIRECTORY (one file a setting, as containers mount them).
"""

import os
from enum import StrEnum
from typing import Annotated, Self, get_args

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

PLACEHOLDERS = (
    "change",
    "secret",
    "password",
    "placeholder",
    "example",
    "default",
    "your",
    "test",
    "dev",
    "local",
)


class Environment(StrEnum):
    """Where the service runs. Production is the default, so that a forgotten variable means strict."""

    LOCAL = "local"
    PRODUCTION = "production"

    @classmethod
    def _missing_(cls, value: object) -> Self:
        """Any other name, such as `staging`, is as strict as production: only `local` lets go."""
        return cls.PRODUCTION


class _Generated:
    """Marks a secret that a machine has to make."""


GENERATED = _Generated()
#: A key that nobody can guess; outside of local development a typed placeholder is refused.
GeneratedSecret = Annotated[SecretStr, Field(min_length=1), GENERATED]


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


#: Several names in one variable: `a.example.com, b.example.com`.
CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class ComponentSettings(BaseSettings):
    """The settings of one component: frozen, because a setting that changes at run time is state."""

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        # `TOKEN=` in a file means: none; the line stands there to be found.
        env_ignore_empty=True,
    )

    environment: Annotated[Environment, Field(validation_alias="ENVIRONMENT")] = Environment.PRODUCTION

    @property
    def is_local(self) -> bool:
        """Whether this is a developer's machine."""
        return self.environment is Environment.LOCAL

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the two places whose names stand in the environment."""
        return (
            init_settings,
            env_settings,
            DotEnvSettingsSource(settings_cls, env_file=os.environ.get("ENV_FILE", ".env")),
            SecretsSettingsSource(settings_cls, secrets_dir=os.environ.get("SECRETS_DIRECTORY")),
        )

    @model_validator(mode="after")
    def secrets_are_generated(self) -> Self:
        """Refuse a key that somebody typed: a service with a well-known key is worse than one that does not start."""
        if self.is_local:
            return self
        for name, field in type(self).model_fields.items():
            if is_generated(field) and _is_placeholder(getattr(self, name)):
                variable = f"{self.model_config.get('env_prefix', '')}{name}".upper()
                raise ValueError(
                    f'generate {variable}: python -c "import secrets; print(secrets.token_urlsafe(48))"'
                )
        return self


def is_generated(field: FieldInfo) -> bool:
    """Tell whether the field is a `GeneratedSecret`, or one that may be left out."""
    return GENERATED in field.metadata or _names_generated(field.annotation)


def _names_generated(annotation: object) -> bool:
    return annotation is GENERATED or any(_names_generated(part) for part in get_args(annotation))


def _is_placeholder(secret: SecretStr | None) -> bool:
    if secret is None:
        return False
    value = secret.get_secret_value()
    return len(value) < 32 or len(set(value)) < 12 or value.lower().startswith(PLACEHOLDERS)
