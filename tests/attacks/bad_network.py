"""A TCP proxy that treats the bytes between two programs as a bad network, or a bad peer, does."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

DISHONEST = ("drop", "flip", "insert", "twice")
"""No network does this to TCP; a peer may."""

FAULTS = ("cut", "reset", "stall", "delay", "trickle", *DISHONEST)


@dataclass(frozen=True)
class Fault:
    """What happens to one direction of a connection, once so many bytes have passed."""

    kind: str
    to_server: bool
    after_bytes: int
    seed: int

    @property
    def dishonest_to_server(self) -> bool:
        """Whether the server may be told what the client did not say."""
        return self.to_server and self.kind in DISHONEST


class BadNetwork:
    """Forwards connections to a port of this machine; each meets the next of the given faults."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.refuses = False
        self.faults: list[Fault] = []
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._take, daemon=True).start()

    def heal(self) -> None:
        """End every connection that there is, and harm no other one."""
        self.faults, self.refuses = [], False
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for end in list(self._open):
            _close(end)

    def close(self) -> None:
        self.refuses = True
        _close(self._listening)
        self.cut()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refuses:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._port), 5)
            except OSError:
                _close(client)
                continue
            fault = self.faults.pop(0) if self.faults else None
            self._open |= {client, server}
            for source, target, to_server in ((client, server, True), (server, client, False)):
                here = fault if fault is not None and fault.to_server == to_server else None
                given = (source, target, here)
                threading.Thread(target=self._forward, args=given, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, fault: Fault | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(4096):
                if fault is not None and passed + len(data) > fault.after_bytes:
                    whole = max(0, fault.after_bytes - passed)
                    target.sendall(data[:whole])
                    _harm(fault, data[whole:], source, target)
                else:
                    target.sendall(data)
                passed += len(data)
        for end in (source, target):
            _close(end)
            self._open.discard(end)


def _harm(fault: Fault, data: bytes, source: socket.socket, target: socket.socket) -> None:
    """Do to `data` what the fault is. Raises `OSError` where that is the end."""
    chance = np.random.default_rng(fault.seed)
    at = int(chance.integers(0, len(data)))
    match fault.kind:
        case "cut":
            raise OSError
        case "reset":
            for end in (source, target):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise OSError
        case "stall":
            # Whoever has had enough of it ends the connection; so does `heal`.
            while source.recv(4096):
                pass
        case "delay":
            time.sleep(float(chance.uniform(0.01, 0.4)))
            target.sendall(data)
        case "trickle":
            for byte in data[:200]:
                target.sendall(bytes([byte]))
                time.sleep(0.001)
            target.sendall(data[200:])
        case "drop":
            target.sendall(data[:at] + data[at + int(chance.integers(1, 40)) :])
        case "flip":
            target.sendall(
                data[:at] + bytes([data[at] ^ int(chance.integers(1, 256))]) + data[at + 1 :]
            )
        case "insert":
            target.sendall(data[:at] + chance.bytes(int(chance.integers(1, 40))) + data[at:])
        case "twice":
            target.sendall(data + data[at:])


def _close(end: socket.socket) -> None:
    # Who waits for it on another thread is not woken by `close` alone.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
