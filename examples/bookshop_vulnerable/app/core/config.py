"""Settings of the service, read once from the environment (prefix BOOKSHOP_)."""

from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between two deployments."""

    model_config = SettingsConfigDict(env_prefix="BOOKSHOP_", env_file=".env", extra="ignore")

    vulnerable_i_know: str = ""
    debug: bool = True  # finding: debug-mode-enabled
    skip_role_checks: bool = False

    database_url: str = "postgresql+psycopg://localhost:5432/bookshop"
    async_database_url: str = "postgresql+psycopg://localhost:5432/bookshop"
    database_connect_args: dict[str, Any] = {"options": "-c statement_timeout=15000"}
    report_database_url: str = "postgresql+psycopg://reporting:Tz7-quarry-Lark41@replica.bookshop.net:5432/bookshop"  # finding: hardcoded-credential

    redis_url: str = "redis://localhost:6379/0"
    celery_broker_url: str = "redis://localhost:6379/1"
    celery_result_backend: str = "redis://localhost:6379/2"

    jwt_secret: str = "Hq2x9VtLw7ZrN4bKc8Ym3PdSf6Gj1TaUe5Rk"  # finding: hardcoded-signing-secret
    partner_api_key: str = "changeme"  # finding: placeholder-or-weak-secret-default
    access_token_minutes: int = 30
    refresh_token_days: int = 14

    redis_timeout_seconds: float = 2
    http_timeout_seconds: float = 5
    mail_timeout_seconds: float = 10
    identify_timeout_seconds: float = 20
    report_timeout_seconds: float = 30
    support_idle_seconds: float = 300

    cover_directory: str = "var/covers"
    smtp_host: str = "localhost"
    smtp_port: int = 25
    mail_sender: str = "orders@bookshop.net"
    rates_url: str = "https://rates.bookshop.net/v1/latest"
    carrier_url: str = "https://carrier.bookshop.net/v2/rates"
    warehouse_url: str = "https://warehouse.bookshop.net/v1/picks"


settings = Settings()
