"""Change notices: what has been committed to a store, as soon as it has been, on both databases.

The table `changes` is the truth: every batch adds a row under the store's next revision. PostgreSQL's NOTIFY and SQLite's
`data_version` only say when to look. Revisions follow one another without a gap, so whoever knows the last one it saw can tell
whether it has everything; where the log does not reach back that far, one notice says that anything may have changed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from app.storage.database import Database, postgres_arguments
from app.storage.faults import explain, unreachable

TOPICS = frozenset(
    {"agents", "clicks", "commands", "messages", "orders", "past", "presence", "routing", "sessions", "settings", "visitors"}
)
"""Everything a notice can speak of. "past" comes with others: figures of days before the store's today are others now."""

POLL_SECONDS = 0.015
"""Between two looks at a local file's version; with the waking up, about 1 % of a core."""
_PROBE_SECONDS = 1.0
"""A server that has said nothing for so long is asked: packets may be dropped without either end being told."""
_PATIENCE_SECONDS = 2.0
"""A question unanswered for so long is given up together with its connection."""
_OPENING_SECONDS = 6.0
_GRACE_SECONDS = 0.9
_FILE_SECONDS = 1.0
"""Between two looks at whether a local file is still where it was."""
"""How far beyond its timeout `wait` may go for an answer."""


class Notice(NamedTuple):
    """One commit. `agents` are the ids of those whose sessions, presence or counters it touched; None: could be any."""

    store_id: int
    revision: int
    topics: frozenset[str]
    agents: tuple[int, ...] | None


class Notices:
    """The notices of one store, from now on, on a connection of its own. One thread at a time.

    Raises on construction FaultError, and LookupError when there is no such store.
    """

    def __init__(self, database: Database, store_id: int) -> None:
        self._database = database
        self._store = store_id
        self._seen = -1
        self._link: _Link | None = None
        self._call: _Call | None = None
        self._contact = 0.0
        self._open_link: Callable[[Database], _Link] = _SqliteLink if database.is_sqlite else _PostgresLink
        try:
            self._read(_OPENING_SECONDS)
        except BaseException:
            self.close()
            raise

    @property
    def connected(self) -> bool:
        """Whether the last contact succeeded."""
        return self._link is not None and self._call is None

    @property
    def revision(self) -> int:
        """Of the last commit told."""
        return self._seen

    def wait(self, timeout: float) -> list[Notice]:
        """Blocks until something is committed, at most `timeout` seconds and never more than one second longer; [] when nothing was.

        Raises FaultError when the database is lost. Call again to reconnect: what was missed comes first.
        """
        end = time.monotonic() + timeout
        while True:
            now = time.monotonic()
            found: list[Notice] | None
            if self._link is None or self._call is not None or now - self._contact >= _PROBE_SECONDS:
                found = self._read(end - now + _GRACE_SECONDS)
            else:
                found = self._listen(self._link, min(end, self._contact + _PROBE_SECONDS) - now)
                if found is None:
                    found = self._read(end - time.monotonic() + _GRACE_SECONDS)
            if found or time.monotonic() >= end:
                return found

    def close(self) -> None:
        """Lets the connection go; `wait` would open a new one."""
        if self._call is not None:
            self._call.abandon()
        elif self._link is not None:
            self._link.close()
        self._call = self._link = None

    def _listen(self, link: _Link, seconds: float) -> list[Notice] | None:
        """None: something was committed that only the table can tell."""
        try:
            heard = link.listen(max(0.0, seconds))
        except Exception as error:
            self.close()
            raise explain(error) or error from error
        if heard is None:
            return None
        told: list[Notice] = []
        for said in heard:
            seen = self._seen + len(told)
            if said["store"] == self._store and said["revision"] > seen:
                if said["revision"] != seen + 1:
                    return None
                told.append(_notice(self._store, seen + 1, said))
        if told:
            self._seen += len(told)
            self._contact = time.monotonic()
        return told

    def _read(self, seconds: float) -> list[Notice]:
        """Everything committed since the last revision seen, over a new connection if there is none."""
        if self._call is None:
            link, store, seen = self._link, self._store, self._seen
            self._call = _Call(lambda: _consult(link or self._open_link(self._database), store, seen))
            if self._database.is_sqlite:
                self._call.run()  # a file answers or fails at once
            else:
                threading.Thread(target=self._call.run, name="notices", daemon=True).start()
        call = self._call
        if not call.wait(max(_GRACE_SECONDS, seconds)):
            if self._link is not None and call.age > _PATIENCE_SECONDS:
                self.close()
            raise unreachable()
        self._call = None
        if call.error is not None:
            self._link = None
            raise explain(call.error) or call.error from call.error
        assert call.answer is not None
        self._link, rows = call.answer
        self._contact = time.monotonic()
        return self._take(rows)

    def _take(self, rows: Sequence[_Row]) -> list[Notice]:
        if not rows:
            raise LookupError(f"no store {self._store}")
        seen, current = self._seen, rows[-1][0]
        self._seen = current
        if seen in (-1, current):
            return []
        if [revision for _, revision, _ in rows] == list(range(seen + 1, current + 1)):
            return [_notice(self._store, revision, json.loads(said)) for _, revision, said in rows]
        return [Notice(self._store, current, TOPICS, None)]


def _notice(store: int, revision: int, said: dict[str, Any]) -> Notice:
    agents = said.get("agents")
    return Notice(store, revision, frozenset(said["topics"]), None if agents is None else tuple(agents))


_Row = tuple[int, Any, Any]
"""(revision of the store, revision of a change, what it says); the last two are None when there is no newer change."""


class _Link(Protocol):
    """A connection; `listen` returns what was heard, or None when the table must be asked."""

    def listen(self, seconds: float) -> list[dict[str, Any]] | None: ...
    def rows(self, store: int, seen: int) -> list[_Row]: ...
    def close(self) -> None: ...


_NEWS = (
    "SELECT s.revision, c.revision, c.topics FROM stores s LEFT JOIN changes c ON c.store_id = s.id AND c.revision > ? "
    "WHERE s.id = ? ORDER BY c.revision"
)
"""One statement, so that both revisions are of the same moment."""


def _consult(link: _Link, store: int, seen: int) -> tuple[_Link, list[_Row]]:
    try:
        return link, link.rows(store, seen)
    except BaseException:
        link.close()
        raise


class _Call:
    """A question to the database that can be given up: no time limit of a driver holds where names are resolved or packets dropped."""

    def __init__(self, work: Callable[[], tuple[_Link, list[_Row]]]) -> None:
        self.answer: tuple[_Link, list[_Row]] | None = None
        self.error: BaseException | None = None
        self._work = work
        self._began = time.monotonic()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._abandoned = False

    @property
    def age(self) -> float:
        return time.monotonic() - self._began

    def run(self) -> None:
        try:
            self.answer = self._work()
        except Exception as error:
            self.error = error
        with self._lock:
            self._done.set()
            if self._abandoned:
                self._drop()

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def abandon(self) -> None:
        """The connection is closed as soon as the answer is there."""
        with self._lock:
            self._abandoned = True
            if self._done.is_set():
                self._drop()

    def _drop(self) -> None:
        if self.answer is not None:
            self.answer[0].close()


class _SqliteLink:
    def __init__(self, database: Database) -> None:
        database.check_file()
        self._check_file = database.check_file
        self._looked = time.monotonic()
        held = database.engine.raw_connection()
        self._connection: sqlite3.Connection = held.driver_connection  # type: ignore[assignment]
        held.detach()  # the pool does not get it back
        self._connection.execute(f"PRAGMA busy_timeout={round(_GRACE_SECONDS * 1000)}")
        self._version = self._data_version()

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def listen(self, seconds: float) -> list[dict[str, Any]] | None:
        end = time.monotonic() + seconds
        while True:
            # An open file goes on working when it is renamed, deleted or replaced: only its name tells that nobody else writes to it.
            if time.monotonic() - self._looked >= _FILE_SECONDS:
                self._check_file()
                self._looked = time.monotonic()
            version = self._data_version()
            if version != self._version:
                self._version = version
                return None
            left = end - time.monotonic()
            if left <= 0:
                return []
            time.sleep(min(left, POLL_SECONDS))

    def rows(self, store: int, seen: int) -> list[_Row]:
        return self._connection.execute(_NEWS, (seen, store)).fetchall()

    def close(self) -> None:
        self._connection.close()


class _PostgresLink:
    def __init__(self, database: Database) -> None:
        import psycopg  # only those who use a server pay for it

        _, parameters = database.engine.dialect.create_connect_args(database.url)
        self._connection: psycopg.Connection[Any] = psycopg.connect(**{**parameters, **postgres_arguments(database.url)}, autocommit=True)
        try:
            self._connection.execute("LISTEN kefu")
        except BaseException:
            self._connection.close()
            raise

    def listen(self, seconds: float) -> list[dict[str, Any]] | None:
        return [json.loads(notify.payload) for notify in self._connection.notifies(timeout=seconds, stop_after=1)]

    def rows(self, store: int, seen: int) -> list[_Row]:
        return self._connection.execute(_NEWS.replace("?", "%s"), (seen, store)).fetchall()

    def close(self) -> None:
        self._connection.close()
