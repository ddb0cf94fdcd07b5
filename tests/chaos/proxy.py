"""A network that fails: what connects to it reaches a server, until it is cut, slow or stops short."""

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

_CHUNK = 4096
_SLOW_CHUNK, _SLOW_PAUSE_S = 65_536, 0.02


class Proxy:
    """Listens on a port of its own while its block lasts.

    Args:
        port: of the server.

    Attributes:
        port: its own.
        fault: ``""`` passes everything on; ``cut`` resets each connection after `after` bytes of the answer,
            ``short`` closes it there; ``slow`` passes on little at a time; ``down`` accepts nothing.
        after: bytes of each answer that get through.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.fault = ""
        self.after = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client:
            if self.fault == "down":
                _reset(client)
                return
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._server)) as server,
            ):
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                self._answer(server, client)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        sent = 0
        while data := server.recv(_SLOW_CHUNK if self.fault == "slow" else _CHUNK):
            if self.fault == "slow":
                time.sleep(_SLOW_PAUSE_S)
            if self.fault in ("cut", "short") and sent + len(data) > self.after:
                client.sendall(data[: self.after - sent])
                if self.fault == "cut":
                    _reset(client)
                client.shutdown(socket.SHUT_RD if self.fault == "cut" else socket.SHUT_RDWR)
                return
            client.sendall(data)
            sent += len(data)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
