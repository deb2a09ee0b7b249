"""A TCP proxy that loses, delays or swallows what goes through it: networks do."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class FaultProxy:
    """Stands between a client and a server on this machine.

    Args:
        target_port: where the server listens.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._swallowed: set[socket.socket] = set()
        #: New connections are accepted and never answered.
        self.swallows = False
        #: The connection is closed in place of an answer.
        self.loses_answers = False
        #: Seconds that each answer is late.
        self.delay = 0.0
        #: How many connections were accepted.
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def forget_connections(self) -> None:
        """Swallow everything on the connections of now, as a router does that lost its table; new ones work."""
        self._swallowed.update(socket for pair in self._pairs for socket in pair)

    def close(self) -> None:
        """Stop listening, and close everything."""
        self._listener.close()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            server = socket.create_connection(self._target)
            self._pairs.append((client, server))
            if self.swallows:
                self._swallowed.update((client, server))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source in self._swallowed:
                    continue
                if answers and self.loses_answers:
                    break
                if answers and self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def fault_proxy(target_port: int) -> Iterator[FaultProxy]:
    """Yield a proxy, and close it at the end."""
    proxy = FaultProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
