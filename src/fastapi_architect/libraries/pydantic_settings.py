"""pydantic-settings and its kin: settings read from the environment."""

from __future__ import annotations

from fastapi_architect.concepts.configuration import EnvironmentFileLoad, EnvironmentRead
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.table import Argument, describe

library = Library(
    packages=("pydantic_settings", "decouple", "environs", "dotenv"),
    aliases={
        "pydantic.BaseSettings": "pydantic_settings.BaseSettings",
        "pydantic.env_settings.BaseSettings": "pydantic_settings.BaseSettings",
        "pydantic.v1.BaseSettings": "pydantic_settings.BaseSettings",
        "pydantic_settings.main.*": "pydantic_settings",
        "dotenv.main.*": "dotenv",
    },
    bases={"pydantic_settings.BaseSettings": ("pydantic.BaseModel",)},
)
describe(
    library,
    EnvironmentRead,
    ["decouple.config"],
    variable=Argument(0, "option"),
    default=Argument(1, "default"),
)
describe(
    library,
    EnvironmentRead,
    "str int bool list json float url __call__",
    owner="environs.Env",
    duck={"__call__": ("env",)},
    variable=Argument(0, "name"),
    default=Argument(1, "default"),
)
describe(
    library,
    EnvironmentFileLoad,
    ["dotenv.load_dotenv", "dotenv.dotenv_values"],
    path=Argument(0, "dotenv_path"),
)
describe(library, EnvironmentFileLoad, ["environs.Env.read_env"], path=Argument(0, "path"))
