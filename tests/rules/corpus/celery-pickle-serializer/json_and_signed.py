"""JSON by default, said again, and messages that are signed."""

from celery import Celery

SERIALIZER = "json"
default = Celery("default", broker="redis://localhost:6379/1")
said = Celery("said", broker="redis://localhost:6379/2")
said.conf.update(task_serializer=SERIALIZER, accept_content=["json", "msgpack"], result_serializer="json")
signed = Celery("signed", broker="redis://localhost:6379/3")
signed.conf.update(task_serializer="auth", accept_content=["auth"])
