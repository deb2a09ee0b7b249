"""Worker processes, each of which may die without taking the others with it."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait

logger = logging.getLogger(__name__)

#: Seconds between two looks, and before a process that died is replaced.
PAUSE = 1.0


def run_processes(count: int, work: Callable[[threading.Event], None]) -> None:
    """Run `work` in so many processes until SIGTERM or SIGINT, and replace those that die.

    One process works on one event: an event that kills its process costs no other event an attempt.

    Args:
        count: how many.
        work: is given an event that is set when it should end. It runs after the fork, and opens its own connections.
    """
    stop = stop_on_signal()
    context = multiprocessing.get_context("fork")
    running: list[multiprocessing.process.BaseProcess] = []
    while not stop.is_set():
        alive = [process for process in running if process.is_alive()]
        if len(alive) < len(running):
            logger.error("worker processes died", extra={"died": len(running) - len(alive)})
            stop.wait(PAUSE)
        running = alive
        while len(running) < count and not stop.is_set():
            fresh = context.Process(target=_work, args=(work, os.getpid()))
            fresh.start()
            running.append(fresh)
        wait([process.sentinel for process in running], timeout=PAUSE)
    for process in running:
        process.terminate()
    for process in running:
        process.join()


def stop_on_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _work(work: Callable[[threading.Event], None], parent: int) -> None:
    stop = stop_on_signal()
    threading.Thread(target=_end_with, args=(parent, stop), daemon=True).start()
    work(stop)


def _end_with(parent: int, stop: threading.Event) -> None:
    """Stop when the parent is gone, killed without a chance to say so."""
    while not stop.wait(PAUSE):
        if os.getppid() != parent:
            stop.set()
