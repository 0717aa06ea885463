"""A TCP door in front of the PostgreSQL server of the tests, which can be shut in the ways a network breaks."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

from sqlalchemy.engine import make_url

from tests.databases import server


class Proxy:
    """Forwards 127.0.0.1:`port` to the server. `drop` swallows everything silently, `refuse` cuts and refuses, `restore` mends."""

    def __init__(self) -> None:
        url = make_url(server())
        self._folder = url.query.get("host")
        self._target = (url.host or "127.0.0.1", url.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: list[socket.socket] = []
        self._closed = False
        self._spawn(self._accept)

    def url(self, of: str) -> str:
        """The URL of a database on the server, through this door."""
        url = make_url(of).set(host="127.0.0.1", port=self.port)
        return url.difference_update_query(["host"]).render_as_string(hide_password=False)

    def drop(self) -> None:
        self._flowing.clear()

    def refuse(self) -> None:
        with contextlib.suppress(OSError):  # wakes the thread that is in accept, which close alone does not
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for held in self._sockets:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def restore(self) -> None:
        self._flowing.set()
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._spawn(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.refuse()
        self._flowing.set()

    def _spawn(self, work: object, *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name="proxy", daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        listener = self._listener
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                behind = self._connect()
                self._sockets += [client, behind]
                self._spawn(self._pump, client, behind)
                self._spawn(self._pump, behind, client)

    def _connect(self) -> socket.socket:
        if isinstance(self._folder, str):
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(str(Path(self._folder) / ".s.PGSQL.5432"))
            return behind
        return socket.create_connection(self._target)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                if self._closed:
                    break
                sink.sendall(data)
        for held in (source, sink):
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
