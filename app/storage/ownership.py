"""Which engine has which store: locks of the database's own, that are free again the moment their holder is gone.

On PostgreSQL advisory locks of a session kept for nothing else; beside a local file the operating system's file locks. A store that has
an owner is safe even without: whoever routes decides under the store's lock, on what is there then (desk/routing.py). The lock saves the
work of deciding twice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol

from filelock import FileLock, Timeout

from app.storage.database import PROCESS, SILENCE_MS, Database, postgres_arguments
from app.storage.faults import explain

if TYPE_CHECKING:
    import psycopg

Purpose = Literal["engine", "world"]
"""To route a store, or to be its simulated outside world."""
_CLASSES: dict[Purpose, tuple[int, int]] = {"engine": (7312, 7313), "world": (7314, 7315)}
"""Of advisory locks: who has a store (one), who would take it (all of them, shared)."""
_STORE_LOCK = 7311
"""The advisory locks of recorder.lock_store."""
_TELLS_OF_COPY = 140_000
"""The first version of PostgreSQL that says how far rows that are being sent have come."""
_STALLED_SECONDS = 15.0
"""So long nothing has moved of who stopped while they were sending rows. What moves is counted by 64 kB: seconds of a slow line."""
_NOT_OURS = "42501"
"""The SQLSTATE of who may not end a connection."""

_ASK_SECONDS = 1.0
_HUNG_SECONDS = 30.0
"""An engine that has not come round for so long hangs, though its process lives: it comes round every second, and waits for no more than
the ends of some threads in between (desk/serving.py). While it waits for the server, the server knows that it is there."""
_CLOSING_SECONDS = 1.0


class Ownership(Protocol):
    """One thread at a time; all raise FaultError when the database is lost, and with it whatever was held."""

    def stores(self) -> dict[int, str]:
        """{id: code} of all stores, in order of creation; on a server without waiting for a connection that others work on."""

    def hold(self, stores: Collection[int]) -> frozenset[int]:
        """Takes what is free of these stores, up to a fair share, and answers what is held."""

    def surplus(self) -> frozenset[int]:
        """What is held beyond a fair share, for another to take: stop the work, then `release`."""

    def release(self, store: int) -> None: ...
    def close(self) -> None: ...


def ownership(database: Database, purpose: Purpose = "engine") -> Ownership:
    return _FileOwnership(database, purpose) if database.is_sqlite else _ServerOwnership(database, purpose)


class _FileOwnership:
    """Whoever comes first has all: one computer gains nothing from sharing."""

    def __init__(self, database: Database, purpose: Purpose) -> None:
        assert database.path is not None
        self._database, self._path, self._purpose = database, database.path, purpose
        self._held: dict[int, FileLock] = {}

    def stores(self) -> dict[int, str]:
        return {id: code for id, code, *_ in self._database.stores()}

    def hold(self, stores: Collection[int]) -> frozenset[int]:
        for store in stores:
            if store not in self._held:
                lock = FileLock(f"{self._path}.{self._purpose}-{store}.lock", blocking=False, thread_local=False)
                try:
                    lock.acquire()
                except Timeout:
                    continue
                except OSError as error:
                    raise explain(error) or error from error
                self._held[store] = lock
        return frozenset(self._held)

    def surplus(self) -> frozenset[int]:
        return frozenset()

    def release(self, store: int) -> None:
        lock = self._held.pop(store, None)
        if lock is not None:
            lock.release()

    def close(self) -> None:
        for store in list(self._held):
            self.release(store)


class _ServerOwnership:
    """A thread of its own asks the server something every second, however busy the rest of the process is: so others see that it lives."""

    def __init__(self, database: Database, purpose: Purpose) -> None:
        self._database = database
        self._owner, self._candidates = _CLASSES[purpose]
        self._connection: psycopg.Connection[Any] | None = None
        self._held: set[int] = set()
        self._share = 1
        self._candidate: set[int] = set()
        self._shared: frozenset[int] = frozenset()
        self._sending: dict[tuple[Any, ...], float] = {}
        self._guard = threading.RLock()
        """Of the connection."""
        self._closed = threading.Event()
        self._used = 0.0
        self._asking: threading.Thread | None = None

    def stores(self) -> dict[int, str]:
        return dict(self._ask("SELECT id, code FROM stores ORDER BY id"))

    def hold(self, stores: Collection[int]) -> frozenset[int]:
        for store in sorted(self._candidate.difference(stores)):
            self._ask("SELECT pg_advisory_unlock_shared(%s, %s)", self._candidates, store)
            self._candidate.discard(store)
        for store in sorted(set(stores) - self._candidate):
            self._ask("SELECT pg_advisory_lock_shared(%s, %s)", self._candidates, store)
            self._candidate.add(store)
        rivals: dict[int, int] = dict(
            self._ask(
                "SELECT objid::bigint, count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY objid",
                self._candidates,
            )
        )
        if self._owner == _CLASSES["engine"][0] and max(rivals.values(), default=1) > 1:
            self._end_silent()
        if self._owner == _CLASSES["engine"][0]:
            self._end_stalled()
        self._share = math.ceil(sum(1 / max(1, rivals.get(store, 1)) for store in stores))
        self._shared = frozenset(store for store in stores if rivals.get(store, 1) > 1)
        for store in stores:
            # A store that nobody has is taken whatever the share: better two too many than one without.
            if store not in self._held and self._ask("SELECT pg_try_advisory_lock(%s, %s)", self._owner, store)[0][0]:
                self._held.add(store)
        return frozenset(self._held)

    def _end_silent(self) -> None:
        """Ends those that hang: they have asked nothing for a while, though each asks every second, and their computers answer for them.

        With all their connections: one may have stopped in the middle of a transaction, and holds up all who write to the store.
        """
        found = self._ask(
            "WITH silent AS (SELECT DISTINCT a.pid, a.application_name "
            "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'advisory' AND l.classid IN (%s, %s) AND l.objsubid = 2 AND l.granted "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND a.state = 'idle' AND a.state_change < clock_timestamp() - %s * interval '1 ms') "
            "SELECT a.pid FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() "
            "AND pg_has_role(a.usesysid, 'USAGE') AND EXISTS (SELECT 1 FROM silent s WHERE s.pid = a.pid "
            "OR (a.application_name LIKE %s AND s.application_name = a.application_name))",
            self._owner,
            self._candidates,
            SILENCE_MS,
            PROCESS + " %",
        )
        ended = [self._end(pid) for (pid,) in found]
        if any(ended):
            self._ask("SELECT pg_sleep(0.1)")

    def _end_stalled(self) -> None:
        """Ends those who hold a store's lock and stopped while they were sending rows: to the server they are not idle (database.py)."""
        assert self._connection is not None
        if self._connection.info.server_version < _TELLS_OF_COPY:
            return
        now = time.monotonic()
        found: list[tuple[Any, ...]] = self._ask(
            "SELECT DISTINCT a.pid, a.query_start, p.bytes_processed FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "LEFT JOIN pg_stat_progress_copy p ON p.pid = a.pid WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objsubid = 2 "
            "AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.state = 'active' "
            "AND a.wait_event = 'ClientRead' AND pg_has_role(a.usesysid, 'USAGE')",
            _STORE_LOCK,
        )
        before, self._sending = self._sending, {}
        for sending in found:
            since = self._sending[sending] = before.get(sending, now)
            if sending in before and now - since >= _STALLED_SECONDS:
                self._end(sending[0])

    def _end(self, pid: int) -> bool:
        """Ends a connection, if that is ours to do."""
        return bool(self._ask("SELECT pg_terminate_backend(%s)", pid, unless=_NOT_OURS))

    def surplus(self) -> frozenset[int]:
        beyond = len(self._held) - self._share
        return frozenset(sorted(self._held & self._shared)[:beyond]) if beyond > 0 else frozenset()

    def release(self, store: int) -> None:
        if store in self._held:
            self._held.discard(store)
            self._ask("SELECT pg_advisory_unlock(%s, %s)", self._owner, store)

    def close(self) -> None:
        self._closed.set()
        if self._guard.acquire(timeout=_CLOSING_SECONDS):  # else the asking waits for a server that hangs, and closes afterwards
            try:
                self._lose()
            finally:
                self._guard.release()

    def _keep_asking(self) -> None:
        import psycopg

        while not self._closed.wait(_ASK_SECONDS):
            with self._guard:
                if self._connection is not None and time.monotonic() - self._used < _HUNG_SECONDS:
                    with suppress(psycopg.Error):  # whoever uses it next is told
                        self._connection.execute("SELECT 1")
        with self._guard:
            self._lose()

    def _lose(self) -> None:
        self._held.clear()
        self._candidate.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, statement: str, *parameters: int | str, unless: str | None = None) -> list[Any]:
        """What the server answers; nothing where it refuses with the SQLSTATE `unless`."""
        with self._guard:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return self._connection.execute(statement, parameters).fetchall()
            except Exception as error:
                if unless is not None and getattr(error, "sqlstate", None) == unless:
                    return []
                self._lose()
                raise explain(error) or error from error
            finally:
                self._used = time.monotonic()

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg  # only those who use a server pay for it

        _, parameters = self._database.engine.dialect.create_connect_args(self._database.url)
        # As soon as the server lets go of us we let go of the server.
        arguments = {**parameters, **postgres_arguments(self._database.url), "tcp_user_timeout": SILENCE_MS}
        connection = psycopg.connect(**arguments, autocommit=True)
        if self._asking is None:
            self._asking = threading.Thread(target=self._keep_asking, name="ownership", daemon=True)
            self._asking.start()
        return connection
