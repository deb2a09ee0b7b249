# ruff: noqa: E501 - samples of code
"""Settings, their environment variables and defaults, and which database they lead to."""

import os
from textwrap import dedent
from types import ModuleType

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.database import find_database
from fastapi_architect.appgraph.deployment import find_deployment
from fastapi_architect.appgraph.dialects import find_dialects, main_dialect
from fastapi_architect.appgraph.project_files import ProjectFiles
from fastapi_architect.appgraph.settings import find_settings

PYDANTIC_2 = """
from functools import lru_cache
from typing import Annotated
from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_", env_file=(".env", ".env.local"), extra="ignore")
    debug: bool = False
    secret_key: str = "changeme"
    jwt_secret: SecretStr = SecretStr("not-so-secret")
    api_token: str
    database_url: str = Field("postgresql://u@h/d", validation_alias="DB_URL")
    redis: str = Field(default="redis://r", validation_alias=AliasChoices("REDIS_URL", "CACHE_URL"))
    admin_password: str = "admin"

    @field_validator("secret_key")
    @classmethod
    def check(cls, v):
        if v == "changeme":
            raise ValueError("change it")
        return v

    @model_validator(mode="after")
    def enforce(self):
        self.refuse("admin_password", self.admin_password)
        return self

    def refuse(self, name, value):
        raise ValueError(name)

settings = Settings()

@lru_cache
def get_settings():
    return Settings(debug=True)
"""


def settings_of(text: str):
    return find_settings(program_of(text))


def test_settings_know_their_environment_variables_and_defaults():
    found = settings_of(PYDANTIC_2).classes[0]
    actual = {s.name: (s.environment, s.value, s.required, s.is_secret, s.looks_like) for s in found.settings}
    assert actual == {
        "debug": (("SHOP_DEBUG",), False, False, False, ""),
        "secret_key": (("SHOP_SECRET_KEY",), "changeme", False, True, "placeholder"),
        "jwt_secret": (("SHOP_JWT_SECRET",), "not-so-secret", False, True, "text"),
        "api_token": (("SHOP_API_TOKEN",), None, True, True, ""),
        "database_url": (("DB_URL",), "postgresql://u@h/d", False, False, "url"),
        "redis": (("REDIS_URL", "CACHE_URL"), "redis://r", False, False, "url"),
        "admin_password": (("SHOP_ADMIN_PASSWORD",), "admin", False, True, "placeholder"),
    }
    assert (found.prefix, found.env_files) == ("SHOP_", (".env", ".env.local"))


def test_the_environment_variables_are_those_that_pydantic_settings_reads(monkeypatch):
    pytest.importorskip("pydantic_settings")
    found = settings_of(PYDANTIC_2).classes[0]
    module = ModuleType("settings_sample")
    text = dedent(PYDANTIC_2).replace("settings = Settings()", "").replace("raise ValueError(name)", "pass")
    exec(text, module.__dict__)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for index, setting in enumerate(found.settings):
        if setting.name != "debug":
            monkeypatch.setenv(setting.environment[0], f"value-{index}")
    read = module.Settings()
    for index, setting in enumerate(found.settings):
        if setting.name != "debug":
            value = getattr(read, setting.name)
            assert getattr(value, "get_secret_value", lambda v=value: v)() == f"value-{index}"


def test_validators_that_refuse_a_setting_are_known_through_the_methods_they_call():
    found = settings_of(PYDANTIC_2).classes[0]
    actual = {s.name: [v.function.name for v in s.refused_by] for s in found.settings if s.refused_by}
    assert actual == {"secret_key": ["check"], "admin_password": ["enforce"]}


def test_instances_are_module_variables_and_cached_functions():
    actual = [
        (i.variable, i.function.name if i.function else None, i.is_cached, i.overrides)
        for i in settings_of(PYDANTIC_2).instances
    ]
    assert actual == [("settings", None, False, ()), ("", "get_settings", True, ("debug",))]


def test_settings_of_pydantic_1_name_their_variables_in_the_field():
    found = find_settings(
        program_of("""
        from pydantic import BaseSettings, Field
        class Settings(BaseSettings):
            url: str = Field(..., env="DATABASE_URL")
            many: str = Field("x", env=["A", "B"])
            class Config:
                env_prefix = "app_"
                env_file = ".env"
        """),
        pydantic_major=1,
    ).classes[0]
    assert {s.name: (s.environment, s.required) for s in found.settings} == {
        "url": (("DATABASE_URL",), True),
        "many": (("A", "B"), False),
    }
    assert found.env_files == (".env",)


def test_variables_read_outside_of_settings_classes_are_found_with_their_defaults():
    found = settings_of("""
        import os
        from os import environ
        from starlette.config import Config
        config = Config(".env")
        SECRET_KEY = os.getenv("SECRET_KEY", "secret")
        URL = os.environ.get("URL") or "sqlite:///x"
        NEEDED = os.environ["NEEDED"]
        os.environ["WRITTEN"] = "1"
        DEBUG = config("DEBUG", cast=bool, default=False)
        TOKEN = config("TOKEN")
        class Plain:
            password: str = environ.get("PASSWORD", "x")
        def later():
            return os.getenv("LATER")
        """).variables
    actual = [(v.name, v.value, v.required, v.variable, v.at_import, v.is_secret) for v in found]
    assert actual == [
        ("SECRET_KEY", "secret", False, "SECRET_KEY", True, True),
        ("URL", "sqlite:///x", False, "URL", True, False),
        ("NEEDED", None, True, "NEEDED", True, False),
        ("DEBUG", False, False, "DEBUG", True, False),
        ("TOKEN", None, True, "TOKEN", True, True),
        ("PASSWORD", "x", False, "password", True, True),
        ("LATER", None, False, "", False, False),
    ]


@pytest.mark.parametrize(
    ("code", "files", "expected", "sources"),
    [
        ('from sqlalchemy import create_engine\ne = create_engine("postgresql://h/d")', {"requirements.txt": "aiosqlite"}, "postgresql", ["engine", "package"]),
        ("import os\nURL = os.getenv('DATABASE_URL', 'mysql+pymysql://h/d')", {}, "mysql", ["settings"]),
        ("", {"compose.yml": "services:\n  db:\n    image: postgres:16\n"}, "postgresql", ["compose"]),
        ("", {".env": "DATABASE_URL=sqlite:///x.db\n", "requirements.txt": "asyncpg"}, "postgresql", ["environment", "package"]),
        ("", {}, "unknown", []),
        ("from sqlalchemy.dialects.postgresql import JSONB\nfrom sqlalchemy.dialects import mysql", {"requirements.txt": "asyncpg"}, "postgresql", ["types", "types", "package"]),
        ('from sqlalchemy import create_engine\nconnector = create_engine("mssql://h/d")', {".env": "URL=postgresql://h/d", "requirements.txt": "asyncpg"}, "postgresql", ["engine", "environment", "package"]),
    ],
)  # fmt: skip
def test_the_dialect_is_joined_from_all_that_names_a_database(code, files, expected, sources):
    program = program_of(code)
    evidence = find_dialects(
        find_database(program),
        find_settings(program),
        find_deployment(ProjectFiles(files)),
        (),
        program,
    )
    assert (main_dialect(evidence), [e.source for e in evidence]) == (expected, sources)
