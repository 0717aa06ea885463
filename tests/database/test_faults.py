"""What goes wrong around a database is told in one sentence, in both languages, and costs nothing that was acknowledged."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from app.domain.events import RejectedError, decode
from app.domain.language import set_language
from app.storage import faults
from app.storage.database import Database, allow_every_thread, forbid_this_thread
from app.storage.faults import FaultError, explain
from app.storage.packing import unpack_messages
from app.storage.recorder import Recorder, open_store
from tests.database.compare import record
from tests.database.processes import assert_holds
from tests.database.proxy import Proxy
from tests.databases import fresh, server
from tests.oracle.malformed import dump, example
from tests.oracle.streams import random_stream

ZONE = "Asia/Shanghai"


@contextlib.contextmanager
def fault(kind: str, english: str = "") -> Iterator[None]:
    """Expects a fault of this kind, one sentence or two in each language."""
    with pytest.raises(FaultError) as caught:
        yield
    assert caught.value.kind == kind
    said = {}
    try:
        for language in ("zh", "en"):
            set_language(language)
            said[language] = str(caught.value)
    finally:
        set_language("zh")
    assert re.search("[一-鿿]", said["zh"])
    assert not re.search("[一-鿿]", said["en"])
    assert english in said["en"]
    assert all(len(sentence) < 200 and "\n" not in sentence for sentence in said.values())


def halves(seed: int) -> tuple[list, list]:  # type: ignore[type-arg]
    events = random_stream(seed, 25)
    return events[: len(events) // 2], events[len(events) // 2 :]


class Interrupted:
    """A store with half of its events, a recorder that has some of them in memory, and the other half to come."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.first, self.second = halves(seed)
        self.recorder = record(database, [self.first], ZONE)

    def go_on(self) -> None:
        record(self.database, [self.second], ZONE, self.recorder)

    def assert_unharmed(self) -> None:
        """Nothing of the failed batch is there; once the trouble is over, the same recorder goes on and everything is."""
        assert_holds(self.database, self.first, ZONE)
        self.go_on()
        assert_holds(self.database, self.first + self.second, ZONE)


@pytest.fixture
def interrupted(database: Database) -> Interrupted:
    return Interrupted(database, 31)


class TestTexts:
    """Texts that a database might not hold, or not give back."""

    TEXTS = (
        ("one megabyte", "客" * 350_000, None),
        ("emoji and right to left", "👩‍👩‍👧‍👦\u202eabc\u2066", None),
        ("html and formulas", "<script>alert(1)</script>=cmd|' /C calc'!A0\t%s {0} $1 \\", None),
        ("control characters", "\x01\x1b[31m\x7f\u2028", None),
        ("a NUL", "a\0b", "a\ufffdb"),
        ("nothing", "", None),
    )

    @pytest.mark.parametrize(("said", "kept"), [(said, kept) for _, said, kept in TEXTS], ids=[name for name, _, _ in TEXTS])
    def test_kept_as_it_was_said(self, database: Database, said: str, kept: str | None) -> None:
        store = open_store(database, "shop")
        events = [
            example("session.opened", True, id="1", session="s"),
            example("message.sent", True, id="2", session="s", text=said),
            example("rating.given", True, id="3", session="s", comment=said),
            example("customer.upserted", True, id="4", customer="c", name=said, tags=[said]),
            example("agent.upserted", True, id="5", agent="a", name=said),
        ]
        Recorder(database, store).record([decode(dump(event)) for event in events])
        wanted = said if kept is None else kept
        with database.read() as connection:
            ((*_, kept_text),) = unpack_messages(connection.execute(text("SELECT messages FROM transcripts")).scalar() or b"")
            assert kept_text == wanted
            assert connection.execute(text("SELECT comment FROM sessions")).scalar() == wanted
            for table, code in (("customers", "c"), ("agents", "a")):
                found = connection.execute(text(f"SELECT name FROM {table} WHERE code = :code"), {"code": code}).scalar()
                assert found == wanted

    @pytest.mark.parametrize("code", ["a\0b", "\ud800", "x\udfff"])
    def test_codes_that_cannot_be_kept_are_rejected(self, code: str) -> None:
        with pytest.raises(RejectedError):
            decode(dump(example("agent.upserted", agent=code)))

    @pytest.mark.parametrize("written", [rb'"\ud800"', rb'"\udc00\ud800"', b'"\xed\xa0\x80"', b'"\xff"'])
    def test_a_lone_surrogate_is_rejected_however_it_is_written(self, written: bytes) -> None:
        line = dump(example("message.sent", text="TEXT")).replace(b'"TEXT"', written)
        with pytest.raises(RejectedError):
            decode(line)


class TestLocal:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        # pytest's own folders are closed to others, which the tests of permissions pretend to be.
        with tempfile.TemporaryDirectory(prefix="kefu-", ignore_cleanup_errors=True) as folder:
            os.chmod(folder, 0o777)
            yield fresh("sqlite", Path(folder))

    def path(self, url: str) -> Path:
        return Path(url.removeprefix("sqlite:///"))

    def test_not_a_database(self, url: str) -> None:
        self.path(url).write_text("dear diary\n" * 1000)
        with fault("damaged", "not a usable database"):
            Database(url)
        assert self.path(url).read_text().startswith("dear diary")

    def test_another_programs_database(self, url: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path(url))) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        with fault("refused", "another program's"):
            Database(url)
        with contextlib.closing(sqlite3.connect(self.path(url))) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
    def test_truncated(self, url: str, share: float) -> None:
        database = Database(url)
        record(database, [random_stream(1, 30)], ZONE)
        database.close()
        path = self.path(url)
        with path.open("r+b") as file:
            file.truncate(int(path.stat().st_size * share))
        with fault("damaged", "backups"):
            Database(url)

    def test_no_such_file(self, url: str) -> None:
        with fault("refused", "no such file"):
            Database(url, create=False)
        assert not self.path(url).exists()

    def test_a_folder_is_no_file(self, url: str) -> None:
        self.path(url).mkdir()
        with fault("unreachable", "cannot be opened"):
            Database(url)

    def test_a_file_where_the_folder_should_be(self, url: str) -> None:
        self.path(url).write_bytes(b"")
        with fault("unreachable", "cannot be opened"):
            Database(f"{url}/store.db")

    def assert_only_readable(self, url: str, interrupted: Interrupted) -> None:
        with as_somebody_else():
            again = Database(url)
            assert [code for _, code, _, _ in again.stores()] == ["shop"]
            with fault("readonly", "not allowed"):
                record(again, [interrupted.second], ZONE)
            again.close()

    def test_a_read_only_file_can_be_read(self, url: str) -> None:
        interrupted = Interrupted(Database(url), 32)
        interrupted.database.close()
        self.path(url).chmod(0o444)
        self.assert_only_readable(url, interrupted)
        self.path(url).chmod(0o666)
        interrupted.assert_unharmed()
        interrupted.database.close()

    def test_a_file_on_a_read_only_medium_can_be_read(self, url: str) -> None:
        interrupted = Interrupted(Database(url), 33)
        interrupted.database.close()
        path = self.path(url)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        try:
            self.assert_only_readable(url, interrupted)
        finally:
            path.parent.chmod(0o777)
            path.chmod(0o666)
        interrupted.assert_unharmed()
        interrupted.database.close()

    @pytest.mark.parametrize("where", [":memory:", "sqlite://", "sqlite:///:memory:"])
    def test_a_database_in_memory_is_refused(self, where: str) -> None:
        with fault("refused", "in memory"):
            Database(where)

    def test_a_folder_that_may_not_be_written(self, url: str) -> None:
        self.path(url).parent.chmod(0o555)
        try:
            with as_somebody_else(), fault("unreachable", "permissions"):
                Database(url)
        finally:
            self.path(url).parent.chmod(0o777)

    def test_a_new_file_is_opened_by_many_at_once(self, url: str) -> None:
        here = Path(__file__).resolve().parents[2]
        code = "import sys; from app.storage.database import Database; Database(sys.argv[1]).close()"
        crowd = [subprocess.Popen([sys.executable, "-c", code, url], cwd=here) for _ in range(6)]
        assert [one.wait() for one in crowd] == [0] * len(crowd)

    def test_locked_by_another_program(self, url: str) -> None:
        Database(url).close()
        database = Database(url, busy_seconds=0.05)
        interrupted = Interrupted(database, 33)
        with contextlib.closing(sqlite3.connect(self.path(url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with fault("locked", "Another program"):
                interrupted.go_on()
            assert database.stores(), "reading goes on while another writes"
            other.execute("ROLLBACK")
        interrupted.assert_unharmed()
        database.close()

    def test_kept_by_another_program_for_itself_alone(self, url: str) -> None:
        Database(url).close()
        with contextlib.closing(sqlite3.connect(self.path(url), isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            with fault("locked", "Another program"):
                Database(url, busy_seconds=0.05)
        Database(url).close()

    def test_the_disk_is_full(self, url: str) -> None:
        interrupted = Interrupted(Database(url), 34)
        engine = interrupted.database.engine

        def full(connection: sqlite3.Connection, *_: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}")

        engine.dispose()
        event.listen(engine, "connect", full)
        with fault("full", "disk is full"):
            record(interrupted.database, [random_stream(35, 100)], ZONE, interrupted.recorder)  # more than is free inside the file
        event.remove(engine, "connect", full)
        engine.dispose()
        interrupted.assert_unharmed()
        interrupted.database.close()

    @pytest.mark.skipif(os.name == "nt", reason="no limit on file sizes to be had")
    def test_the_file_may_not_grow(self, url: str) -> None:
        import resource

        interrupted = Interrupted(Database(url), 36)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.path(url).stat().st_size // 2, limits[1]))
        try:
            with fault("unreachable", "is not done"):
                interrupted.go_on()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        interrupted.assert_unharmed()
        interrupted.database.close()


class TestServer:
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return fresh("postgresql", tmp_path)

    @pytest.fixture
    def role(self, database: Database) -> Iterator[Callable[..., str]]:
        """Makes an account and gives the URL of the database for it."""
        made: list[str] = []

        def make(name: str, rights: str = "", password: str | None = None) -> str:
            with psycopg.connect(server(), autocommit=True) as admin:
                admin.execute(f"DROP ROLE IF EXISTS {name}")  # type: ignore[call-overload]
                admin.execute(f"CREATE ROLE {name} LOGIN {rights}")  # type: ignore[call-overload]
            made.append(name)
            return database.url.set(username=name, password=password).render_as_string(hide_password=False)

        yield make
        with psycopg.connect(server(), dbname=database.url.database, autocommit=True) as admin:
            for name in made:
                admin.execute(f"DROP OWNED BY {name}")  # type: ignore[call-overload]
                admin.execute(f"DROP ROLE {name}")  # type: ignore[call-overload]

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with fault("unreachable", "cannot be reached"):
            Database(f"postgresql://someone@127.0.0.1:{port}/db")

    def test_somebody_else_listens(self) -> None:
        """A server that says nothing is given up after connect_timeout; one that talks nonsense at once."""
        with socket.create_server(("127.0.0.1", 0)) as web:

            def answer() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        client, _ = web.accept()
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                        client.close()

            threading.Thread(target=answer, daemon=True).start()
            with fault("unreachable"):
                Database(f"postgresql://someone@127.0.0.1:{web.getsockname()[1]}/db?sslmode=disable")
            web.shutdown(socket.SHUT_RDWR)

    def test_a_silent_server(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = time.monotonic()
            with fault("unreachable", "cannot be reached"):
                Database(f"postgresql://someone@127.0.0.1:{silent.getsockname()[1]}/db?connect_timeout=2")
            assert time.monotonic() - began < 5

    def test_no_such_host(self) -> None:
        with fault("unreachable"):
            Database("postgresql://someone@no-such-host.invalid/db")

    def test_no_such_database(self, database: Database) -> None:
        with fault("refused", "does not exist"):
            Database(database.url.set(database="nowhere").render_as_string(hide_password=False))

    def test_no_such_account(self, database: Database) -> None:
        with fault("refused", "does not exist"):
            Database(database.url.set(username="nobody_at_all").render_as_string(hide_password=False))

    def test_wrong_password(self, role: Callable[..., str]) -> None:
        url = role("kefu_locked_in", "PASSWORD 'right'", password="wrong")
        with psycopg.connect(server(), autocommit=True) as admin:
            (file,) = admin.execute("SHOW hba_file").fetchone() or ("",)
            rules = Path(file)
            if not rules.exists():
                pytest.skip("the server's rules are out of reach")
            before = rules.read_text()
            rules.write_text("local all kefu_locked_in scram-sha-256\nhost all kefu_locked_in all scram-sha-256\n" + before)
            admin.execute("SELECT pg_reload_conf()")
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:  # the server reads its rules in its own time
                try:
                    Database(url)
                except FaultError as error:
                    if "密码" in str(error):
                        break
            with fault("refused", "password is wrong"):
                Database(url)
            with fault("refused", "lacks the rights"):
                Database(url.replace(":wrong@", ":right@"))
        finally:
            rules.write_text(before)
            with psycopg.connect(server(), autocommit=True) as admin:
                admin.execute("SELECT pg_reload_conf()")

    def test_an_account_without_rights(self, role: Callable[..., str], interrupted: Interrupted) -> None:
        guest = role("kefu_guest")
        with fault("refused", "lacks the rights"):
            Database(guest)
        with interrupted.database.write() as connection:
            connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO kefu_guest"))
        database = Database(guest)
        with fault("refused", "lacks the rights"):
            record(database, [interrupted.second], ZONE)
        database.close()
        interrupted.assert_unharmed()

    def test_an_account_that_may_not_create(self, role: Callable[..., str], tmp_path: Path) -> None:
        empty = make_url(fresh("postgresql", tmp_path)).set(username=make_url(role("kefu_guest")).username)
        with fault("refused", "lacks the rights"):
            Database(empty.render_as_string(hide_password=False))

    def test_too_many_connections(self, role: Callable[..., str]) -> None:
        url = role("kefu_crowd", "CONNECTION LIMIT 0")
        with fault("unreachable", "no more connections"):
            Database(url)

    def test_a_standby(self, interrupted: Interrupted) -> None:
        name = interrupted.database.url.database
        with psycopg.connect(server(), autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # type: ignore[call-overload]
            interrupted.database.engine.dispose()
            with fault("readonly", "standby"):
                interrupted.go_on()
            assert interrupted.database.stores()
            admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")  # type: ignore[call-overload]
        interrupted.database.engine.dispose()
        interrupted.assert_unharmed()

    def test_the_connection_is_ended_in_the_middle_of_a_batch(self, interrupted: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
        from app.storage import recorder as module

        original = module.announce

        def end_it(bulk: object, *rest: object) -> None:
            (pid,) = bulk.rows("SELECT pg_backend_pid()")[0]  # type: ignore[attr-defined]
            with psycopg.connect(server(), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
            original(bulk, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "announce", end_it)
        with fault("unreachable", "the network is up"):
            interrupted.go_on()
        monkeypatch.setattr(module, "announce", original)
        interrupted.assert_unharmed()

    def test_the_server_ends_a_transaction_that_does_nothing(self, interrupted: Interrupted) -> None:
        database = interrupted.database
        with fault("unreachable", "stood still for too long"), database.write() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            link = connection.connection.driver_connection
            select.select([link], [], [])  # the server says why it hangs up
            connection.execute(text("SELECT 1"))
        interrupted.assert_unharmed()

    def test_the_server_restarts_between_two_batches(self, interrupted: Interrupted) -> None:
        """Every pooled connection is dead; the first use finds out and gets a new one."""
        assert interrupted.database.stores()
        with psycopg.connect(server(), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (interrupted.database.url.database,)
            )
        assert interrupted.database.stores()
        interrupted.assert_unharmed()

    def test_the_network_breaks_and_mends(self, url: str) -> None:
        with Proxy() as proxy:
            interrupted = Interrupted(Database(proxy.url(url)), 37)
            proxy.refuse()
            for _ in range(2):
                with fault("unreachable", "cannot be reached"):
                    interrupted.go_on()
            proxy.restore()
            interrupted.assert_unharmed()
            interrupted.database.close()


class TestAddresses:
    @pytest.mark.parametrize("where", ["postgresql://me:secret@host:port/db", "mysql://me:secret@host/db", "://"])
    def test_not_an_address(self, where: str) -> None:
        with fault("refused"):
            Database(where)
        with pytest.raises(FaultError) as caught:
            Database(where)
        assert "secret" not in repr(caught.value)


class TestExplaining:
    def test_every_cause_is_told_in_both_languages(self) -> None:
        causes = [value for name, value in vars(faults).items() if name[1:].isupper() and isinstance(value, tuple) and len(value) == 2]
        assert len(causes) > 10
        for kind, sentence in causes:
            with fault(kind):
                raise FaultError(kind, sentence)

    def test_all_its_connections_wait_for_the_database(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        pool = database.engine.pool
        monkeypatch.setattr(pool, "_timeout", 0.01)
        with contextlib.ExitStack() as held:
            for _ in range(16):
                held.enter_context(database.read())
            with fault("locked"):
                held.enter_context(database.read())
        assert database.stores() == []

    def test_programming_errors_are_not_dressed_up(self, database: Database) -> None:
        with pytest.raises(Exception, match="no_such_table") as caught, database.read() as connection:
            connection.execute(text("SELECT * FROM no_such_table"))
        assert not isinstance(caught.value, FaultError)
        assert explain(ProgrammingError("SELECT", {}, ValueError("does not exist"))) is None
        assert explain(KeyError("permission denied")) is None
        assert explain(psycopg.errors.UndefinedTable("relation does not exist")) is None

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (psycopg.errors.DiskFull("could not extend file"), "full"),
            (psycopg.errors.AdminShutdown("Beenden der Verbindung"), "unreachable"),
            (psycopg.errors.IdleInTransactionSessionTimeout("terminating connection"), "unreachable"),
            (psycopg.errors.IdleSessionTimeout("terminating connection"), "unreachable"),
            (psycopg.errors.TransactionTimeout("terminating connection"), "unreachable"),
            (psycopg.errors.CannotConnectNow("the database system is starting up"), "unreachable"),
            (psycopg.errors.DataCorrupted("invalid page"), "damaged"),
            (psycopg.errors.TooManyConnections("x"), "unreachable"),
            (psycopg.errors.InvalidPassword("x"), "refused"),
            (psycopg.OperationalError('FATAL:  用户 "a" Password 认证失败'), "refused"),
            (psycopg.OperationalError('server certificate for "a" does not match host name "b"'), "refused"),
            (psycopg.OperationalError("SSL SYSCALL error: Connection timed out"), "unreachable"),
            (psycopg.InterfaceError("the connection is closed"), "unreachable"),
            (OSError(28, "No space left on device"), "full"),
            (PermissionError(13, "Permission denied"), "readonly"),
        ],
    )
    def test_a_servers_words_in_any_language(self, error: Exception, kind: str) -> None:
        with fault(kind):
            raise explain(error) or error

    def test_an_error_of_the_callers_own_passes_unchanged(self, database: Database) -> None:
        with pytest.raises(FileNotFoundError), database.write():
            Path("/no/such/file").read_text()

    def test_the_ui_thread_is_kept_off(self, database: Database) -> None:
        forbid_this_thread()
        try:
            with pytest.raises(RuntimeError, match="UI thread"):
                database.stores()
        finally:
            allow_every_thread()


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """Root may write everything; give that up for a moment."""
    if os.name == "nt" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)
