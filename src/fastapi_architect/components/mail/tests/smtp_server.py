"""A real SMTP server, as small as can be, which refuses whom a test wants refused."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class SmtpServer(socketserver.ThreadingTCPServer):
    """Keeps the messages that it took."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.messages: list[str] = []
        self.recipients: list[str] = []
        #: What somebody who listens on the way would have.
        self.passwords: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Session(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        # A client that wanted encryption hangs up.
        with suppress(ConnectionError):
            self.converse()

    def converse(self) -> None:
        self.say("220 test")
        for line in self.rfile:
            command = line.decode(errors="replace").strip()
            verb = command[:4].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "DATA":
                self.take()
            elif verb == "EHLO":
                self.say("250-test")
                self.say("250 AUTH PLAIN")
            elif verb == "AUTH":
                self.server.passwords.append(command)
                self.say("235 welcome")
            elif verb == "RCPT" and "nobody" in command:
                self.say("550 there is no such person")
            elif verb == "RCPT" and "busy" in command:
                self.say("451 try again later")
            else:
                if verb == "RCPT":
                    self.server.recipients.append(command)
                self.say("250 fine")

    def take(self) -> None:
        self.say("354 go on")
        lines: list[str] = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.decode())
        self.server.messages.append("".join(lines))
        self.say("250 taken")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
