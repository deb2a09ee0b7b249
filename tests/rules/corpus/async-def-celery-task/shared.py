"""`shared_task` and options make no difference."""

from celery import Celery, shared_task

app = Celery("shop", broker="redis://broker")


@shared_task(bind=True, max_retries=3)
async def send_mail(self: object, to: str) -> None:  # finding: async-def-celery-task
    print(to)


@app.task(name="reports.build")
async def build_report() -> None:  # finding: async-def-celery-task
    print("done")
