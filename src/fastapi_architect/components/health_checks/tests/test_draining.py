"""A real process that is about to end says so to the platform, and finishes what it has begun."""

import http.client
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from fastapi_architect.components.health_checks.tests import serving
from fastapi_architect.components.testing.servers import ADDRESS, free_port


def get(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(ADDRESS, port, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_readiness_fails_first_and_then_the_process_ends() -> None:
    port = free_port()
    environment = os.environ | {"ENVIRONMENT": "local", "SERVE_PORT": str(port), "SERVE_DRAIN_SECONDS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)  # these tests lie where pytest found them
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {serving.__name__} import main; main()"], env=environment
    )
    try:
        _wait_until_ready(port)
        with ThreadPoolExecutor() as others:
            under_way = others.submit(get, port, "/slow")
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            answers = get(port, "/health/ready"), get(port, "/health/live"), get(port, "/quick")
            code = process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()

    assert answers == ((503, '{"status":"draining"}'), (200, '{"status":"alive"}'), (200, '"quick"'))
    assert under_way.result() == (200, '"slow"')
    assert code == 0


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if get(port, "/health/ready")[0] == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
