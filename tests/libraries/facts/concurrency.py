import asyncio
import functools
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from time import sleep as pause

import anyio
from asgiref.sync import async_to_sync

executor = ThreadPoolExecutor()  # $ ThreadStart kind=thread-pool


def work(count: int) -> int:
    time.sleep(count)  # $ BlockingCall kind=sleep
    pause(1)  # $ BlockingCall kind=sleep
    return count


async def one() -> str:
    await asyncio.sleep(1)
    return ""


async def main():
    await asyncio.to_thread(work, 1)  # : int  # $ ThreadOffload target=work
    await asyncio.to_thread(functools.partial(work, 1))  # : int  # $ ThreadOffload
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, work, 1)  # : int  # $ ThreadOffload target=work
    executor.submit(work, 1)  # $ ThreadOffload target=work
    task = asyncio.create_task(one())  # $ TaskSpawn kind=task coroutines=one()
    await task  # : str
    await asyncio.gather(one(), one())  # : tuple[str, str]  # $ TaskSpawn kind=gather coroutines=one(),one()
    async with asyncio.TaskGroup() as group:
        group.create_task(one())  # $ TaskSpawn kind=group coroutines=one()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)  # $ TaskSpawn kind=group coroutines=one
    await asyncio.wait_for(one(), timeout=3)  # : str  # $ Timeout seconds=3 awaited=one()
    items = asyncio.Queue(maxsize=10)  # $ Lock kind=queue is_async limit=10
    await items.get()  # $ AsyncWait kind=queue waited_for=items
    lock = asyncio.Lock()  # $ Lock kind=lock is_async
    await lock.acquire()  # $ AsyncWait kind=lock waited_for=lock


def outside():
    asyncio.run(one())  # : str  # $ LoopRun coroutine=one(); TaskSpawn kind=run coroutines=one()
    async_to_sync(one)()  # $ LoopRun coroutine=one
    threading.Thread(target=work, args=(1,)).start()  # $ ThreadStart kind=thread target=work
    queue.Queue().get()  # $ BlockingCall kind=lock; Lock kind=queue
    threading.Event().wait()  # $ BlockingCall kind=lock; Lock kind=event


@functools.lru_cache(maxsize=None)  # $ CacheDecorator size=None
def cached(key: str):
    return key
