"""What SecAPI is made of. The order is the order of everything: opening, middleware from the outside in."""

from fastapi_architect.components.access import Access
from fastapi_architect.components.accounts import Accounts, AccountSettings
from fastapi_architect.components.api_keys import ApiKeys, ApiKeySettings
from fastapi_architect.components.audit_log import AuditLog, AuditOverview
from fastapi_architect.components.cache import CacheSettings, Caching
from fastapi_architect.components.celery_tasks import CelerySettings, CeleryTasks
from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.health_checks import HealthChecks, HealthSettings
from fastapi_architect.components.http_security import HttpSecurity, HttpSecuritySettings
from fastapi_architect.components.idempotency import Idempotency, IdempotencySettings
from fastapi_architect.components.mail import Mailing, MailSettings
from fastapi_architect.components.metrics import Metrics, MetricsSettings
from fastapi_architect.components.outbox import Outbox, OutboxSettings
from fastapi_architect.components.outgoing_http import OutgoingHttp, OutgoingHttpSettings
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.rate_limiting import RateLimiting, RateLimitSettings
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.request_limits import RequestLimits, RequestLimitSettings
from fastapi_architect.components.service import Component
from fastapi_architect.components.structured_logging import LoggingSettings, StructuredLogging
from fastapi_architect.components.tenancy import Tenancy, require_in_tenant
from fastapi_architect.components.uploads import UploadPolicy, Uploads, bytes_per_owner
from fastapi_architect.components.webhooks import Webhooks, WebhookSettings
from fastapi_architect.components.websockets import WebSockets

from .gates.component import Gates
from .kinds import UPLOADS
from .membership import TENANT
from .permissions import AUDIT_OF_SERVICE, OF_ACCOUNTS, OF_OPERATORS, ROLES
from .queues import QUEUES
from .reports.component import Reports
from .retention.component import Retention
from .scans.component import Scans
from .settings import ArchiveSettings, Queue, SecApiSettings, SocketSettings
from .work.counting import AttemptCounter
from .work.metrics import WorkMetrics

#: An account may do in its organisations what its role there says; keys are limited by their scopes besides.
ACCOUNT_ROLES = {
    "user": sorted(OF_ACCOUNTS),
    "operator": sorted(OF_ACCOUNTS | OF_OPERATORS | {"accounts:read", "accounts:manage"}),
}


def components() -> list[Component]:
    """Return the components with their settings; one that lacks a setting says which."""
    settings = SecApiSettings()
    database = Database(DatabaseSettings())
    return [
        StructuredLogging(LoggingSettings()),
        Metrics(MetricsSettings()),
        ProblemDetails(),
        HttpSecurity(HttpSecuritySettings()),
        RequestLimits(RequestLimitSettings()),
        HealthChecks(HealthSettings()),
        RateLimiting(RateLimitSettings()),
        database,
        RedisPool(RedisSettings()),
        OutgoingHttp(OutgoingHttpSettings()),
        *([CeleryTasks(_celery(settings))] if settings.queue is Queue.CELERY else []),
        Outbox(OutboxSettings(time_limit=settings.attempt_seconds), listeners=[AttemptCounter(database)]),
        Mailing(MailSettings()),
        Access(roles=ACCOUNT_ROLES),
        Accounts(AccountSettings(), new_account_roles=["user"]),
        ApiKeys(ApiKeySettings(), guard=require_in_tenant("api_keys:own")),
        Tenancy(ROLES, without=["member"]),
        AuditLog(guard=require_in_tenant("audit:read")),
        AuditOverview(AUDIT_OF_SERVICE),
        Caching(CacheSettings()),
        Idempotency(IdempotencySettings()),
        Uploads(
            ArchiveSettings(),
            database=database,
            policy=UploadPolicy(
                quota=bytes_per_owner(10 * settings.archive_bytes),
                kinds=tuple(UPLOADS.values()),
                max_file_bytes=settings.archive_bytes,
            ),
            guard=require_in_tenant("scans:submit"),
        ),
        WebSockets(SocketSettings()),
        Webhooks(WebhookSettings(), guard=require_in_tenant("webhooks:manage"), owner_setting=TENANT),
        Scans(settings),
        Gates(),
        Reports(settings),
        WorkMetrics(),
        Retention(settings),
    ]


def _celery(settings: SecApiSettings) -> CelerySettings:
    """Return the settings of workers; how long a task may take follows from how long a scan may."""
    limit = settings.attempt_seconds
    return CelerySettings(queues=QUEUES, soft_time_limit=limit, time_limit=limit + 30)
