"""Said in `conf.update`, by the old names, and for one message."""

from celery import Celery

mail = Celery("mail", broker="redis://localhost:6379/1")
mail.conf.update(task_serializer="pickle", timezone="UTC")  # finding: celery-pickle-serializer
old = Celery("old", broker="redis://localhost:6379/2")
old.conf.update(CELERY_ACCEPT_CONTENT=["application/x-python-serialize"])  # finding: celery-pickle-serializer
plain = Celery("plain", broker="redis://localhost:6379/3")


@plain.task
def archive(order: object) -> None:
    print(order)


def keep(order: object) -> None:
    archive.apply_async(args=[order], serializer="pickle")  # finding: celery-pickle-serializer
