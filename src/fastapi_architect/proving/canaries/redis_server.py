"""A small Redis in memory that every connection to port 6379 reaches.

It speaks the protocol on loopback, so that any client works unchanged: sync, async, pipelines, transactions.
It is a recording stand-in and not a real server, on purpose: keys expire when the demonstration says that
time has passed, never by the clock, and it needs no binary. Lua scripts are not run; what it does not know
it refuses.
"""

from __future__ import annotations

import fnmatch
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

_HANDSHAKE = ("CLIENT", "SELECT", "AUTH", "WATCH", "UNWATCH", "READONLY", "CONFIG")


@dataclass(frozen=True, slots=True)
class Simple:
    """An answer that is a word."""

    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error."""

    text: str


class RedisServer:
    """The server and its one database.

    Attributes:
        commands: every command received, as lists of text, in order; handshakes left out.
        data: key to value: bytes, a dict (hash), a list, or a set.
        port: where it listens on 127.0.0.1.
    """

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.data: dict[str, Any] = {}
        self._expires: dict[str, float] = {}
        self._now = 0.0
        self._lock = threading.RLock()
        self._server: socketserver.ThreadingTCPServer | None = None

    @property
    def port(self) -> int:
        """Where it listens; it starts at the first question."""
        if self._server is None:
            outer = self

            class Handler(socketserver.StreamRequestHandler):
                def handle(self) -> None:
                    outer.converse(self.rfile, self.wfile)

            self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = self._server.server_address
        return int(address[1])

    def ttl(self, key: str) -> float | None:
        """Seconds until a key expires; None when it never does or does not exist."""
        return self._expires[key] - self._now if key in self._expires else None

    def pass_time(self, seconds: float) -> None:
        """Let time pass: keys expire."""
        with self._lock:
            self._now += seconds
            for key in [k for k, at in self._expires.items() if at <= self._now]:
                self._remove(key)

    def forget(self) -> None:
        """Lose everything, as after an eviction or a restart without persistence."""
        with self._lock:
            self.data.clear()
            self._expires.clear()

    def converse(self, reading: BufferedIOBase, writing: BufferedIOBase) -> None:
        """Answer one connection until it closes."""
        queued: list[list[bytes]] | None = None
        protocol = 2
        while (command := _read_command(reading)) is not None:
            name = command[0].decode().upper()
            if name == "HELLO":
                protocol = int(command[1]) if len(command) > 1 else protocol
                reply: Any = {
                    b"server": b"redis",
                    b"version": b"7.2.0",
                    b"proto": protocol,
                    b"mode": b"standalone",
                }
            elif name == "MULTI":
                queued, reply = [], True
            elif name == "EXEC" and queued is not None:
                with self._lock:
                    reply = [self.execute(each) for each in queued]
                queued = None
            elif name == "DISCARD":
                queued, reply = None, True
            elif queued is not None:
                queued.append(command)
                reply = Simple("QUEUED")
            else:
                reply = self.execute(command)
            writing.write(_encode(reply, protocol))
            writing.flush()

    def execute(self, command: list[bytes]) -> Any:
        """Run one command; its answer, as a value to encode."""
        name = command[0].decode().upper()
        if name in _HANDSHAKE:
            return True
        if name == "PING":
            return Simple("PONG")
        if name == "INFO":
            return b"redis_version:7.2.0\r\n"
        with self._lock:
            self.commands.append([name, *(word.decode("utf-8", "replace") for word in command[1:])])
            function: Callable[..., Any] | None = getattr(self, f"_{name.lower()}", None)
            if function is None or name == "REMOVE":
                return Refusal(f"ERR unknown command '{name}': the proof's Redis does not know it")
            try:
                return function(command[1:])
            except (TypeError, AttributeError):
                return Refusal("WRONGTYPE Operation against a key holding the wrong kind of value")
            except (ValueError, IndexError) as error:
                return Refusal(f"ERR {error}")

    def _remove(self, key: str) -> bool:
        self._expires.pop(key, None)
        return self.data.pop(key, None) is not None

    # Each command takes its arguments as bytes and returns a value to encode.

    def _get(self, words: list[bytes]) -> Any:
        value = self.data.get(_text(words[0]))
        return _only_bytes(value)

    def _set(self, words: list[bytes]) -> Any:
        key, value, options = _text(words[0]), words[1], [_text(w).upper() for w in words[2:]]
        old = self.data.get(key)
        if ("NX" in options and old is not None) or ("XX" in options and old is None):
            return old if "GET" in options else None
        self.data[key] = value
        if "KEEPTTL" not in options:
            self._expires.pop(key, None)
        for unit, factor in (("EX", 1.0), ("PX", 0.001)):
            if unit in options:
                self._expires[key] = self._now + int(options[options.index(unit) + 1]) * factor
        return old if "GET" in options else True

    def _setnx(self, words: list[bytes]) -> Any:
        return int(self._set([*words, b"NX"]) is True)

    def _setex(self, words: list[bytes]) -> Any:
        return self._set([words[0], words[2], b"EX", words[1]])

    def _getdel(self, words: list[bytes]) -> Any:
        value = self._get(words)
        self._remove(_text(words[0]))
        return value

    def _mget(self, words: list[bytes]) -> Any:
        return [self._get([word]) for word in words]

    def _mset(self, words: list[bytes]) -> Any:
        for key, value in zip(words[::2], words[1::2], strict=True):
            self._set([key, value])
        return True

    def _del(self, words: list[bytes]) -> Any:
        return sum(self._remove(_text(word)) for word in words)

    _unlink = _del

    def _exists(self, words: list[bytes]) -> Any:
        return sum(_text(word) in self.data for word in words)

    def _expire(self, words: list[bytes]) -> Any:
        key, options = _text(words[0]), [_text(w).upper() for w in words[2:]]
        if key not in self.data or ("NX" in options and key in self._expires):
            return 0
        self._expires[key] = self._now + int(words[1])
        return 1

    def _pexpire(self, words: list[bytes]) -> Any:
        return self._expire([words[0], str(int(words[1]) // 1000).encode()])

    def _persist(self, words: list[bytes]) -> Any:
        return int(self._expires.pop(_text(words[0]), None) is not None)

    def _ttl(self, words: list[bytes]) -> Any:
        key = _text(words[0])
        left = self.ttl(key)
        return (-1 if key in self.data else -2) if left is None else int(left)

    def _incrby(self, words: list[bytes]) -> Any:
        key = _text(words[0])
        value = int(self.data.get(key, b"0")) + int(words[1])
        self.data[key] = str(value).encode()
        return value

    def _incr(self, words: list[bytes]) -> Any:
        return self._incrby([words[0], b"1"])

    def _decr(self, words: list[bytes]) -> Any:
        return self._incrby([words[0], b"-1"])

    def _decrby(self, words: list[bytes]) -> Any:
        return self._incrby([words[0], str(-int(words[1])).encode()])

    def _hset(self, words: list[bytes]) -> Any:
        stored = self.data.setdefault(_text(words[0]), {})
        before = len(stored)
        stored.update(zip(words[1::2], words[2::2], strict=True))
        return len(stored) - before

    def _hget(self, words: list[bytes]) -> Any:
        return self.data.get(_text(words[0]), {}).get(words[1])

    def _hgetall(self, words: list[bytes]) -> Any:
        return dict(self.data.get(_text(words[0]), {}))

    def _hdel(self, words: list[bytes]) -> Any:
        stored = self.data.get(_text(words[0]), {})
        return sum(stored.pop(word, None) is not None for word in words[1:])

    def _rpush(self, words: list[bytes]) -> Any:
        stored = self.data.setdefault(_text(words[0]), [])
        stored.extend(words[1:])
        return len(stored)

    def _lpush(self, words: list[bytes]) -> Any:
        stored = self.data.setdefault(_text(words[0]), [])
        stored[:0] = reversed(words[1:])
        return len(stored)

    def _lpop(self, words: list[bytes]) -> Any:
        stored = self.data.get(_text(words[0]))
        return stored.pop(0) if stored else None

    def _rpop(self, words: list[bytes]) -> Any:
        stored = self.data.get(_text(words[0]))
        return stored.pop() if stored else None

    def _llen(self, words: list[bytes]) -> Any:
        return len(self.data.get(_text(words[0]), []))

    def _lrange(self, words: list[bytes]) -> Any:
        stored, first, last = self.data.get(_text(words[0]), []), int(words[1]), int(words[2])
        return stored[first : None if last == -1 else last + 1]

    def _sadd(self, words: list[bytes]) -> Any:
        stored = self.data.setdefault(_text(words[0]), set())
        before = len(stored)
        stored.update(words[1:])
        return len(stored) - before

    def _srem(self, words: list[bytes]) -> Any:
        stored = self.data.get(_text(words[0]), set())
        before = len(stored)
        stored.difference_update(words[1:])
        return before - len(stored)

    def _smembers(self, words: list[bytes]) -> Any:
        return set(self.data.get(_text(words[0]), set()))

    def _sismember(self, words: list[bytes]) -> Any:
        return int(words[1] in self.data.get(_text(words[0]), set()))

    def _keys(self, words: list[bytes]) -> Any:
        return [key.encode() for key in sorted(self.data) if fnmatch.fnmatchcase(key, _text(words[0]))]

    def _scan(self, words: list[bytes]) -> Any:
        options = [_text(word) for word in words[1:]]
        names = [option.upper() for option in options]
        pattern = options[names.index("MATCH") + 1] if "MATCH" in names else "*"
        return [b"0", self._keys([pattern.encode()])]

    def _flushdb(self, _words: list[bytes]) -> Any:
        self.forget()
        return True

    _flushall = _flushdb

    def _dbsize(self, _words: list[bytes]) -> Any:
        return len(self.data)

    def _publish(self, _words: list[bytes]) -> Any:
        return 0


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _only_bytes(value: Any) -> Any:
    if value is not None and not isinstance(value, bytes):
        message = "not a string"
        raise TypeError(message)
    return value


def _read_command(reading: BufferedIOBase) -> list[bytes] | None:
    """One command in RESP, None when the connection is closed."""
    try:
        head = reading.readline()
        if not head.startswith(b"*"):
            return None
        words = []
        for _ in range(int(head[1:])):
            length = int(reading.readline()[1:])
            words.append(reading.read(length))
            reading.readline()
    except (OSError, ValueError):
        return None
    return words


def _encode(value: Any, protocol: int) -> bytes:
    """A value in RESP 2 or 3; True is OK."""
    if value is None:
        return b"$-1\r\n" if protocol == 2 else b"_\r\n"
    if value is True:
        return b"+OK\r\n"
    if isinstance(value, Simple):
        return f"+{value.text}\r\n".encode()
    if isinstance(value, Refusal):
        return f"-{value.text}\r\n".encode()
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, dict):
        items = [each for pair in value.items() for each in pair]
        head = b"*%d\r\n" % len(items) if protocol == 2 else b"%%%d\r\n" % len(value)
        return head + b"".join(_encode(each, protocol) for each in items)
    if isinstance(value, (list, set)):
        mark = b"~" if isinstance(value, set) and protocol == 3 else b"*"
        members = sorted(value) if isinstance(value, set) else value
        return mark + b"%d\r\n" % len(value) + b"".join(_encode(each, protocol) for each in members)
    return b"$%d\r\n%s\r\n" % (len(value), value)
