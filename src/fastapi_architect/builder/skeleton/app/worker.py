"""The workers: `celery --app app.worker worker`, or `python -m app.components.celery_tasks worker`."""

from app.components.celery_tasks import create_worker
from app.registry import components

celery_app = create_worker(components())
