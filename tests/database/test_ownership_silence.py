"""On a server nobody holds the others up by falling silent in the middle of a transaction: hanging, or lost with their computer."""

from __future__ import annotations

import secrets
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.domain.events import AnyEvent, decode
from app.storage import database as module
from app.storage import ownership as ownership_module
from app.storage import schema
from app.storage.bulk import Bulk
from app.storage.database import Database, Patience
from app.storage.faults import FaultError, SilenceError
from app.storage.ownership import ownership
from app.storage.recorder import Batch, Recorder, lock_store, open_store
from tests.databases import prepared

_SILENCE_MS = 400
_PATIENCE = 10.0
_LIMIT = text("SHOW idle_in_transaction_session_timeout")


@pytest.fixture
def server_url(tmp_path: Path) -> str:
    return prepared("postgresql", tmp_path)


@pytest.fixture
def others(server_url: str) -> Iterator[Database]:
    opened = Database(server_url)
    yield opened
    opened.close()


@pytest.fixture
def hung(server_url: str) -> Iterator[Database]:
    """Of the one who falls silent, and is not given long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SILENCE_MS", _SILENCE_MS)
        opened = Database(server_url)
    yield opened
    opened.close()


def _be_silent(connection: Connection) -> None:
    """Until the server has hung up."""
    select.select([connection.connection.driver_connection], [], [], _PATIENCE)


def _lock(connection: Connection, store: int) -> None:
    lock_store(Bulk(connection), store)


def _change_row(connection: Connection, store: int) -> None:
    connection.execute(text("UPDATE stores SET name = 'lost' WHERE id = :store"), {"store": store})


def _change_rows(connection: Connection, store: int) -> None:
    Bulk(connection).many("UPDATE stores SET name = ? WHERE id = ?", [("lost", store)])


@pytest.mark.parametrize("hold", [_lock, _change_row, _change_rows])
def test_one_who_hangs_while_writing_holds_nobody_up(
    hung: Database, others: Database, hold: Callable[[Connection, int], None]
) -> None:  # fmt: skip
    store = open_store(others, "shop")
    event = decode(b'{"id": "1", "at": 1709000000000, "type": "session.opened", "session": "s", "customer": "c", "kind": "online"}')
    recorder = Recorder(others, store)

    def hang() -> None:
        with hung.write() as connection:
            hold(connection, store)
            writer.start()
            writer.join(_PATIENCE)  # in which nothing is heard of us
            assert not writer.is_alive()
            connection.execute(text("UPDATE stores SET name = 'doubled'"))

    writer = threading.Thread(target=recorder.record, args=([event],))
    with pytest.raises(FaultError) as ended:
        hang()
    assert ended.value.kind == "unreachable"  # whoever insists does it again
    assert "nothing of it was saved" in ended.value.sentence.en  # type: ignore[union-attr]
    assert [(code, name) for _, code, name, _ in hung.stores()] == [("shop", "shop")]  # on a new connection
    with others.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 1


def _by_the_driver(bulk: Bulk) -> None:
    bulk.rows("SELECT 1")


def _by_sqlalchemy(bulk: Bulk) -> None:
    bulk.connection.execute(text("SELECT 1"))


def _many(bulk: Bulk) -> None:
    bulk.many("UPDATE stores SET name = ? WHERE id = ?", [("lost", 1), ("lost", 2)])


def _copy(bulk: Bulk) -> None:
    bulk.insert(schema.changes, ("store_id", "revision", "at", "topics"), [(1, i, 0, "{}") for i in range(1_000)])


def _commit(bulk: Bulk) -> None:
    pass


@pytest.mark.parametrize("go_on", [_by_the_driver, _by_sqlalchemy, _many, _copy, _commit])
def test_who_was_ended_and_is_there_after_all_gets_more_time(
    hung: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, go_on: Callable[[Bulk], None]
) -> None:
    """Otherwise what takes long to work out, as the first turn of a large store may, would never be done."""
    monkeypatch.setattr(module, "LONGEST_SILENCE_MS", 600)
    limits = []

    def hang() -> None:
        with hung.write() as connection:
            limits.append(connection.execute(_LIMIT).scalar())
            _be_silent(connection)
            go_on(Bulk(connection))

    longer = []
    for _ in range(3):
        with pytest.raises(SilenceError) as ended:
            hang()
        longer.append(ended.value.longer)
    assert limits == ["400ms", "600ms", "600ms"]
    assert longer == [True, False, False]
    assert not [record for record in caplog.records if record.name.startswith("sqlalchemy")]


def test_more_time_is_given_for_a_while() -> None:
    now = 0.0
    patience = Patience(lambda: now)
    for _ in range(2):
        assert patience.ended(patience.ms)
    assert patience.ms == 12_000
    now = 599
    assert patience.ms == 12_000
    now = 600
    assert patience.ms == 6_000
    assert patience.ended(6_000)
    now = 1_199
    assert patience.ms == 12_000
    now = 1_800
    assert patience.ms == 3_000
    now = 1e9
    assert patience.ms == 3_000
    assert patience.ended(60_000) is False


def test_several_ended_at_once_are_given_twice_the_time_once() -> None:
    patience = Patience()
    for _ in range(4):
        patience.ended(3_000)
    assert patience.ms == 6_000


def test_a_batch_that_takes_long_to_work_out_is_recorded_in_the_end_and_once(
    hung: Database, others: Database, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    store = open_store(others, "shop")
    opened = b'{"id": "1", "at": 1709000000000, "type": "session.opened", "session": "s", "customer": "c", "kind": "online"}'
    said = b'{"id": "2", "at": 1709000001000, "type": "message.sent", "session": "s", "sender": "customer"}'
    recorder = Recorder(hung, store)
    tries = []
    apply = Batch._apply

    def slowly(batch: Batch, fresh: list[AnyEvent], source: str) -> None:
        apply(batch, fresh, source)
        tries.append(batch.bulk.rows("SHOW idle_in_transaction_session_timeout")[0][0])
        if len(tries) < 3:
            _be_silent(batch.bulk.connection)

    monkeypatch.setattr(Batch, "_apply", slowly)
    assert recorder.record([decode(opened), decode(said)])[:2] == (2, 0)
    assert tries == ["400ms", "800ms", "1600ms"]
    assert recorder.record([decode(opened), decode(said)])[:2] == (0, 2)
    with others.read() as connection:
        counted = connection.execute(text("SELECT sum(customer_messages), count(*) FROM sessions")).one()
        assert tuple(counted) == (1, 1)


def test_a_batch_that_never_ends_is_told_of(hung: Database, others: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SILENCE_MS", 600)
    event = decode(b'{"id": "1", "at": 1709000000000, "type": "session.opened", "session": "s", "customer": "c", "kind": "online"}')
    recorder = Recorder(hung, open_store(others, "shop"))
    tries = []

    def forever(batch: Batch, *_: object) -> None:
        tries.append(batch)
        _be_silent(batch.bulk.connection)

    monkeypatch.setattr(Batch, "_apply", forever)
    with pytest.raises(SilenceError):
        recorder.record([event])
    assert len(tries) == 2
    with others.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM seen_events")).scalar() == 0


def test_only_writing_is_limited_and_long_work_hardly(hung: Database) -> None:
    with hung.write(long=True) as connection:
        assert connection.execute(_LIMIT).scalar() == "1min"
    with hung.read() as connection:
        assert connection.execute(_LIMIT).scalar() == "0"


def test_an_address_may_bring_options_of_its_own(server_url: str) -> None:
    opened = Database(server_url + ("&" if "?" in server_url else "?") + "options=-c%20work_mem%3D77MB%20-c%20tcp_keepalives_idle%3D9")
    chosen = "SELECT name, reset_val FROM pg_settings WHERE name IN ('work_mem', 'tcp_keepalives_idle', 'tcp_user_timeout')"
    with opened.read() as connection:
        found = {row[0]: row[1] for row in connection.execute(text(chosen))}
    assert found == {"work_mem": str(77 * 1024), "tcp_keepalives_idle": "9", "tcp_user_timeout": "3000"}
    opened.close()


def test_an_engine_ends_who_stopped_while_sending_rows_and_nobody_who_goes_on(
    hung: Database, others: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server does not take them for idle: their statement is not over."""
    monkeypatch.setattr(ownership_module, "_STALLED_SECONDS", 0.0)  # between two looks
    store = open_store(others, "shop")
    engine = ownership(others)

    def arrived() -> int:
        with others.read() as connection:
            return connection.execute(text("SELECT coalesce(max(bytes_processed), 0) FROM pg_stat_progress_copy")).scalar_one()

    def send(times: int) -> None:
        with hung.write() as connection:
            lock_store(Bulk(connection), store)
            driver: Any = connection.connection.driver_connection
            driver.execute("CREATE TEMP TABLE sent (line text) ON COMMIT DROP")
            with driver.cursor().copy("COPY sent FROM STDIN") as copy:
                for _ in range(5):
                    before = arrived()
                    for _ in range(200):
                        copy.write_row(["x" * 1_000])
                    _until(lambda before=before: arrived() > before)
                    engine.hold((store,))
                for _ in range(times):
                    engine.hold((store,))

    send(0)
    with pytest.raises(FaultError):
        send(50)
    assert not [record for record in caplog.records if record.name.startswith("sqlalchemy")]
    engine.close()


@pytest.mark.parametrize("member", [False, True])
def test_an_engine_leaves_alone_who_hangs_and_is_not_its_own_to_end(
    server_url: str, others: Database, monkeypatch: pytest.MonkeyPatch, member: bool
) -> None:
    """Nobody but an administrator ends an administrator's connections, not even a member of their role."""
    monkeypatch.setattr(ownership_module, "SILENCE_MS", 0)
    store = open_store(others, "shop")
    hangs = ownership(others)
    assert hangs.hold((store,)) == {store}
    account = f"engine_{secrets.token_hex(4)}"
    with others.write() as connection:
        connection.execute(text(f"CREATE ROLE {account} LOGIN; GRANT pg_read_all_stats TO {account}"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {account}"))
        if member:
            connection.execute(text(f"GRANT {connection.execute(text('SELECT current_user')).scalar()} TO {account}"))
    second = Database(make_url(server_url).set(username=account).render_as_string(False))
    engine = ownership(second)
    for _ in range(2):
        assert engine.hold((store,)) == set()
    assert hangs.hold((store,)) == {store}
    engine.close()
    second.close()
    hangs.close()
    with others.write() as connection:
        connection.execute(text(f"DROP OWNED BY {account}; DROP ROLE {account}"))


def test_with_one_that_hangs_its_process_ends_and_no_other_of_the_same_number(
    server_url: str, others: Database, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """In containers processes have equal numbers, and behind one address they come from the same place."""
    store = open_store(others, "shop")
    engine = ownership(others)
    monkeypatch.setattr(module, "_WORD", "one")
    first = Database(server_url)
    hangs = ownership(first)
    hangs.hold((store,))
    monkeypatch.setattr(module, "_WORD", "two")
    console = Database(server_url)
    monkeypatch.setattr(ownership_module, "SILENCE_MS", 0)
    with console.write() as saving, first.engine.connect() as lost:
        saving.execute(text("UPDATE stores SET name = 'saved'"))
        lost.execute(text("SELECT 1"))
        assert engine.hold((store,)) == {store}
        with pytest.raises(OperationalError):
            lost.execute(text("SELECT 1"))
    assert others.stores()[0][2] == "saved"
    for opened in (engine, hangs, first, console):
        opened.close()


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < end
