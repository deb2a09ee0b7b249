"""Where the database is that `architect serve prepare-database` makes, and who may make it."""

from pydantic import SecretStr

from fastapi_architect.components.service import ComponentSettings


class PreparationSettings(ComponentSettings):
    """The three roles of a database. Only the last one is known to the service itself."""

    superuser_url: SecretStr
    database_owner_url: SecretStr
    database_url: SecretStr


def urls() -> tuple[str, str, str]:
    """Return the URLs of a superuser, of the owner of the tables, and of the application."""
    settings = PreparationSettings()
    found = (settings.superuser_url, settings.database_owner_url, settings.database_url)
    superuser, owner, application = (each.get_secret_value() for each in found)
    return superuser, owner, application
