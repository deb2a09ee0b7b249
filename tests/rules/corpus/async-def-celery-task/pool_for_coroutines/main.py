"""The worker is started with a pool that runs coroutines; its package stands among the requirements."""

from celery import Celery

app = Celery("shop", broker="redis://broker")


@app.task
async def send_mail(to: str) -> None:
    print(to)
