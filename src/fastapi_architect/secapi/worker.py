"""The workers: `celery --app fastapi_architect.secapi.worker worker`."""

from fastapi_architect.components.celery_tasks import create_worker

from .registry import components

celery_app = create_worker(components())
