"""Requests over kept-alive connections, and the CPU that a server spends on them."""

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Server:
    """A uvicorn process and the request that is sent to it."""

    name: str
    port: int
    #: As uvicorn takes it: a module and an application in it, or a function that makes one.
    application: str
    environment: dict[str, str]
    directory: Path
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "uvicorn", self.application, "--port", str(self.port)]
        command += ["--no-access-log", "--log-level", "warning"]
        if self.application.endswith("create_app"):
            command.append("--factory")
        self._process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                asyncio.run(self._connect())
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def cpu(self) -> float:
        """Seconds of CPU that the process has used (user and system)."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    async def _connect(self) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()

    async def send(self, requests: int, *, connections: int = 4) -> int:
        """Send about so many requests over so many connections, and return how many were sent.

        Raises:
            RuntimeError: an answer is not 200.
        """
        lines = [f"GET {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        share = max(1, requests // connections)
        await asyncio.gather(*(self._send_on_one(request, share) for _ in range(connections)))
        return share * connections

    async def _send_on_one(self, request: bytes, count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for _ in range(count):
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 200 " not in head.split(b"\r\n", 1)[0]:
                    raise RuntimeError(f"{self.name} answered {head.decode()}")
                await reader.readexactly(_length(head))
        finally:
            writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError("the answer has no Content-Length")
