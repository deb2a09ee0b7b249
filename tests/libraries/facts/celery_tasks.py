from celery import Celery, chain, group, shared_task
from celery.result import AsyncResult

app = Celery("app", broker="redis://")


@app.task(bind=True)
def send(self, address: str):
    self.retry(countdown=3)  # $ TaskRetry sure=False countdown=3


@shared_task
def add(left, right):
    return left + right


def routes(name: str):
    send.delay("a")  # $ Enqueue task=send kind=delay
    add.apply_async(args=[1, 2], kwargs={"x": 3}, countdown=5, serializer="pickle")  # $ Enqueue task=add args=1,2 kind=apply_async
    app.send_task(name, args=[1])  # $ Enqueue task_name=name args=1 kind=send_task
    add.s(1, 2).apply_async()  # $ Enqueue task=add args=1,2 kind=signature; Enqueue kind=apply_async
    group(add.s(1, 2), add.s(3, 4))  # $ Enqueue kind=group; Enqueue task=add args=1,2 kind=signature; Enqueue task=add args=3,4 kind=signature
    chain(add.si(1, 2), send.s("a"))  # $ Enqueue kind=chain; Enqueue task=add args=1,2 kind=signature; Enqueue task=send kind=signature
    add.delay(1, 2).get(timeout=3)  # $ Enqueue task=add args=1,2 kind=delay; ResultWait timeout=3 kind=get
    AsyncResult("id").get()  # $ ResultWait kind=get
    app.AsyncResult("id").state  # : str
    add.apply((1, 2))  # $ ResultWait kind=apply
    app.control.inspect().ping()  # $ WorkerInspection
