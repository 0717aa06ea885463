"""One connected database: engine set-up per dialect, transactions, and the guard that keeps it off the UI thread."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.domain.language import T
from app.storage import schema
from app.storage.faults import FaultError, SilenceError, explain, is_drivers, is_silence

HEAD = "0004"
"""The schema's newest revision; a contract test keeps it equal to the newest file in migrations/versions."""
_ALEMBIC_VERSION = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""As Alembic writes it."""

PROCESS = "kefu-manager"
"""What a server calls our connections, with the number of the process and a word of its own: in containers numbers are alike."""
_WORD = secrets.token_hex(8)
SILENCE_MS = 3_000
"""How soon a server lets go of what somebody holds who has fallen silent: hangs, or is lost with their computer."""
LONGEST_SILENCE_MS = 60_000
_HALVED_AFTER_SECONDS = 600
_ALIVE = f"-c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 -c tcp_user_timeout={SILENCE_MS}"
_AGAIN_SECONDS = 0.01

_TRY_SECONDS = 0.05
_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)

_forbidden_thread: int | None = None


def forbid_this_thread() -> None:
    """From now on, using any database on the calling thread raises: the UI thread never waits for a database."""
    global _forbidden_thread
    _forbidden_thread = threading.get_ident()


def allow_every_thread() -> None:
    global _forbidden_thread
    _forbidden_thread = None


@contextmanager
def waiting_until(stop: threading.Event | None) -> Iterator[None]:
    """While this lasts, setting `stop` ends a write's waiting for other writers: it raises FaultError of kind "cancelled"."""
    before = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(before)


def patiently(taken: Callable[[], bool]) -> None:
    """Asks until what is waited for was taken. Raises FaultError of kind "cancelled" when the waiting is called off."""
    stop = _stop.get()
    while not taken():
        if stop is not None and stop.wait(_TRY_SECONDS):
            raise FaultError("cancelled", T("已取消，没有保存。", "Cancelled; nothing was saved."))


def can_be_called_off() -> bool:
    """Whether the write at hand is one whose waiting somebody may end."""
    return _stop.get() is not None


def url_of(where: str) -> URL:
    """An SQLAlchemy URL from a URL or the path of a local file.

    Raises FaultError when it is neither.
    """
    if "://" in where:
        try:
            url = make_url(where)
        except (ArgumentError, ValueError):
            # The address is not repeated: there may be a password in it.
            raise FaultError(
                "refused",
                T("看不懂这个数据库地址。例如：demo.db 或 postgresql://用户@主机/数据库",
                  "This is not a database address. Examples: demo.db, postgresql://user@host/database"),
            ) from None  # fmt: skip
        if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
            return url.set(drivername="postgresql+psycopg")
        if url.drivername in ("sqlite", "sqlite+pysqlite"):
            return _file(url.database or "")
        raise FaultError(
            "refused",
            T(f"不支持的数据库：{url.drivername}。请用 SQLite 文件或 PostgreSQL。",
               f"Unsupported database: {url.drivername}. Use a SQLite file or PostgreSQL."),
        )  # fmt: skip
    return _file(str(Path(where).expanduser()))


def _file(path: str) -> URL:
    if path in ("", ":memory:"):  # one empty database per thread: nothing would find anything
        raise FaultError(
            "refused",
            T("请给出数据库文件的路径；内存数据库无法共享。", "Name the database's file: a database in memory cannot be shared."),
        )
    return URL.create("sqlite", database=path)


class Patience:
    """How long the server waits for a writer's next word.

    Who was ended for their silence and is there after all may have had much to think about: they get twice the time from then on, and
    after every ten minutes in which that happened to nobody half as much. clock: seconds. Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._least = self._given = SILENCE_MS
        self._clock = clock
        self._ended = clock()

    @property
    def ms(self) -> int:
        return max(self._least, self._given >> int((self._clock() - self._ended) / _HALVED_AFTER_SECONDS))

    def ended(self, ms: int) -> bool:
        """Somebody was ended who had been given so long; returns whether the next is given longer."""
        self._given, self._ended = max(self.ms, min(2 * ms, LONGEST_SILENCE_MS)), self._clock()
        return ms < LONGEST_SILENCE_MS


class Database:
    """An open database at the head of its schema. Thread-safe; every call blocks.

    busy_seconds: how long a write waits for another program to let go of a local file.
    Raises FaultError on opening: unreachable, refused, damaged, newer than the program.
    """

    def __init__(self, where: str, create: bool = True, busy_seconds: float = 15) -> None:
        self.url = url_of(where)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url, busy_seconds) if self.is_sqlite else _postgres_engine(self.url)
        self._file: tuple[int, int] | None = None
        self._patience = Patience()
        try:
            self._open(create)
            self._remember_file()
        except Exception as error:
            self.engine.dispose()
            fault = explain(error)
            if fault is None:
                raise
            raise fault from error

    @property
    def path(self) -> Path | None:
        """The file of a local database."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    def close(self) -> None:
        self.engine.dispose()

    def check_file(self) -> None:
        """Raises FaultError when a local database is no longer the file that was opened; what is open would go on as if it were."""
        path = self.path
        if path is None or self._file is None:
            return
        try:
            found = path.stat()
        except OSError:
            raise FaultError(
                "unreachable",
                T(f"数据库文件已不在原处：{path}。请把它放回原处，或重新打开新的位置。",
                  f"The database file is no longer there: {path}. Put it back, or open it where it is now."),
            ) from None  # fmt: skip
        if (found.st_dev, found.st_ino) != self._file:
            raise FaultError(
                "unreachable",
                T(f"数据库文件已被另一个文件替换：{path}。请重新打开这个店铺。",
                  f"The database file was replaced by another one: {path}. Open the store again."),
            )  # fmt: skip

    def _remember_file(self) -> None:
        path = self.path
        if path is not None:
            found = path.stat()
            self._file = found.st_dev, found.st_ino
            # A new connection would silently make an empty file where there is none.
            event.listen(self.engine, "do_connect", lambda *_: self.check_file())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot; nothing it does is kept."""
        with _sorted(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin() as transaction:
                yield connection
                if self.is_sqlite:
                    transaction.rollback()  # elsewhere it is read-only, and psycopg forgets its prepared statements at every ROLLBACK

    @contextmanager
    def write(self, long: bool = False) -> Iterator[Connection]:
        """One transaction: all or nothing. On SQLite it takes the write lock at once.

        long: it may have to think for many seconds between two statements. A server ends any other that is silent for so long, lest
        one that hangs in the middle hold up all who write.
        """
        with _sorted(), self.engine.connect() as connection:
            connection = connection.execution_options(write=True)
            with connection.begin() if self.is_sqlite else self._limited(connection, long):
                yield connection

    @contextmanager
    def _limited(self, connection: Connection, long: bool) -> Iterator[None]:
        """A transaction in which nobody is silent for long. Raises SilenceError when it was ended for that."""
        silence_ms = LONGEST_SILENCE_MS if long else self._patience.ms
        driver: Any = connection.connection.driver_connection
        said: list[str | None] = []

        def hear(notice: Any) -> None:  # what the server says beside the answer to a question
            said.append(notice.sqlstate)

        driver.add_notice_handler(hear)
        try:
            with _given_up(connection, driver):
                _begin_postgres(driver, silence_ms)
            with connection.begin(), _given_up(connection, driver):
                yield
        except Exception as error:
            if not is_silence(error, said):
                raise
            raise SilenceError(longer=not long and self._patience.ended(silence_ms)) from error
        finally:
            driver.remove_notice_handler(hear)

    def _open(self, create: bool) -> None:
        path = self.path
        if path is not None and not path.exists():
            if not create:
                raise FaultError("refused", T(f"没有这个文件：{path}", f"There is no such file: {path}"))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise explain(error) or FaultError("unreachable", str(error)) from error
        found = self.schema_revision()
        if found == HEAD:
            return
        if found is None:
            if not create:
                raise FaultError("refused", T("这个数据库里还没有店铺数据。", "This database does not hold a store yet."))
            self._create()
            return
        if found > HEAD:
            raise FaultError(
                "newer",
                T("这个数据库由更新版本的程序创建。请升级程序后再打开。",
                   "This database was made by a newer version of the program. Update the program to open it."),
            )  # fmt: skip
        from app.storage.migrate import upgrade  # alembic costs 0.3 s: only when there is something to do

        upgrade(self)

    def schema_revision(self) -> str | None:
        """The revision the schema is at; None for an empty database."""
        with _sorted(), self.engine.connect() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _create(self) -> None:
        """The newest schema at once, in one transaction; migrations bring older ones to the same."""
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(7310)"))
            if self.engine.dialect.has_table(connection, "alembic_version"):
                return  # another process was first
            if self.is_sqlite and connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar():
                raise FaultError(
                    "refused",
                    T("这个文件是其他程序的数据库。请换一个文件。", "This file is another program's database. Choose another file."),
                )
            schema.metadata.create_all(connection)
            connection.execute(text(_ALEMBIC_VERSION))
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})

    def stores(self) -> list[tuple[int, str, str, str]]:
        """[(id, code, name, zone)] in order of creation."""
        s = schema.stores.c
        with self.read() as connection:
            return [(r.id, r.code, r.name, r.zone) for r in connection.execute(select(s.id, s.code, s.name, s.zone).order_by(s.id))]


@contextmanager
def _sorted() -> Iterator[None]:
    """Turns driver errors a person can act on into FaultError."""
    try:
        yield
    except Exception as error:
        fault = explain(error) if is_drivers(error) else None
        if fault is None:
            raise
        raise fault from error


@contextmanager
def _given_up(connection: Connection, driver: Any) -> Iterator[None]:
    """SQLAlchemy does not hear of what the driver's own cursors (bulk.py) raise, and would roll back a connection that is lost."""
    try:
        yield
    except BaseException:
        if driver.closed:
            connection.invalidate()
        raise


def _begin_postgres(driver: Any, silence_ms: int) -> None:
    """In one round trip, where the driver would take one for BEGIN alone; it finds the transaction begun."""
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    begun = driver.pgconn.exec_(f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = {silence_ms}".encode())
    if begun.status != ExecStatus.COMMAND_OK:
        raise error_from_result(begun)


def postgres_arguments(url: URL) -> dict[str, Any]:
    """What every connection to a server is opened with, over what its URL says; what that says otherwise holds."""
    arguments = {
        # A black hole must not hang a thread for the kernel's 15 minutes.
        "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
        "application_name": f"{PROCESS} {os.getpid()} {_WORD}",
    }  # fmt: skip
    options = {"options": " ".join((_ALIVE, *url.normalized_query.get("options", ())))}
    return {name: value for name, value in arguments.items() if name not in url.query} | options


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, connect_args=postgres_arguments(url))
    event.listen(engine, "checkout", _guard)
    return engine


def _sqlite_engine(url: URL, busy_seconds: float) -> Engine:
    still = _is_on_still_medium(Path(url.database or ""))
    if still:
        file = f"file:{quote(str(Path(url.database or '').absolute()))}"
        url = URL.create("sqlite", database=file, query={"mode": "ro", "immutable": "1", "uri": "true"})

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own BEGIN would come too late for a consistent read and too weak for a writer: we send ours.
        connection.isolation_level = None
        if not still:
            _write_ahead(connection, busy_seconds)
        for setting in ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {setting}")

    engine = create_engine(url, connect_args={"timeout": busy_seconds, "check_same_thread": False}, pool_size=8, max_overflow=8)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkout", _guard)
    return engine


def _write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """SQLite's own waiting does not cover the change of mode: of two who open a new file at once, one would be told that it is locked."""
    end = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_AGAIN_SECONDS)


def _is_on_still_medium(path: Path) -> bool:
    """Whether nobody can be writing to the file, so that it can be read without the files that WAL keeps beside it."""
    effective = os.access in os.supports_effective_ids
    writable = any(os.access(place, os.W_OK, effective_ids=effective) for place in (path, path.parent))
    return path.exists() and not writable and not Path(f"{path}-wal").exists()


def _guard(*_: Any) -> None:
    if _forbidden_thread == threading.get_ident():
        raise RuntimeError("a database was used on the UI thread; go through ui.runtime.operations")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("write"):
        connection.exec_driver_sql("BEGIN")
    elif not can_be_called_off():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        _begin_patiently(connection.connection.driver_connection)  # type: ignore[arg-type]


def _begin_patiently(connection: sqlite3.Connection) -> None:
    """As long as SQLite would wait by itself, but looking up now and then."""
    milliseconds = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    end = time.monotonic() + milliseconds / 1000
    connection.execute("PRAGMA busy_timeout = 0")

    def taken() -> bool:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            return False
        return True

    try:
        patiently(taken)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
