"""A notice comes soon, none is missed, and a lost database is told instead of waited for."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.events import decode
from app.storage import notices as notices_module
from app.storage import recorder as recorder_module
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import TOPICS, Notice, Notices
from app.storage.recorder import Recorder, open_store
from tests.database.proxy import Proxy
from tests.databases import fresh, prepared, sqlite_schema
from tests.oracle.malformed import CONTRACT, example

AT = 1_709_092_800_000


def say(recorder: Recorder, number: int, kind: str = "session.opened", **fields: object) -> int:
    """Records one event; returns the revision."""
    event = example(kind, id=f"e{number}", at=AT + number, **fields)
    return recorder.record([decode(json.dumps(event).encode())]).revision


def until(notices: Notices, revision: int, seconds: float = 20) -> list[Notice]:
    """Everything heard up to this revision."""
    heard: list[Notice] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (heard and heard[-1].revision >= revision):
        heard += notices.wait(1)
    return heard


@pytest.fixture
def store(database: Database) -> int:
    return open_store(database, "shop")


@pytest.fixture
def recorder(database: Database, store: int) -> Recorder:
    return Recorder(database, store)


@pytest.fixture
def listen(database: Database, store: int) -> Iterator[Callable[..., Notices]]:
    opened: list[Notices] = []

    def open_one(which: Database = database, of: int = store) -> Notices:
        opened.append(Notices(which, of))
        return opened[-1]

    yield open_one
    for notices in opened:
        notices.close()


@pytest.fixture
def notices(listen: Callable[..., Notices]) -> Notices:
    return listen()


def test_what_is_told(recorder: Recorder, notices: Notices, store: int, database: Database) -> None:
    say(recorder, 1, "session.assigned", agent="a")
    (first,) = notices.wait(5)
    with database.read() as connection:
        agent = connection.execute(text("SELECT id FROM agents WHERE code = 'a'")).scalar()
    assert first == Notice(store, 1, frozenset({"sessions"}), (agent,))
    say(recorder, 2, "visitor.entered")
    assert notices.wait(5) == [Notice(store, 2, frozenset({"visitors", "past"}), ())]


def test_nothing_happened(notices: Notices) -> None:
    assert notices.wait(0) == []
    assert notices.wait(0.05) == []


def test_only_what_comes_after_opening(recorder: Recorder, listen: Callable[..., Notices]) -> None:
    say(recorder, 1)
    notices = listen()
    assert notices.revision == 1
    assert notices.wait(0) == []
    say(recorder, 2)
    assert [notice.revision for notice in notices.wait(5)] == [2]


def test_repeated_events_are_no_news(recorder: Recorder, notices: Notices) -> None:
    say(recorder, 1)
    assert len(notices.wait(5)) == 1
    say(recorder, 1)
    assert notices.wait(0.1) == []


def test_soon(recorder: Recorder, notices: Notices) -> None:
    """Loosely: a machine under load may be slow once, a design that polls every second is slow each time."""
    committed: dict[int, float] = {}
    turn = threading.Semaphore(0)

    def write() -> None:
        for number in range(1, 11):
            turn.acquire()
            say(recorder, number)
            committed[number] = time.perf_counter()

    writer = threading.Thread(target=write)
    writer.start()
    delays = []
    for number in range(1, 11):
        turn.release()
        assert until(notices, number)
        heard = time.perf_counter()
        if number == 10:
            writer.join()
        while number not in committed:
            time.sleep(0)
        delays.append(heard - committed[number])
    assert sorted(delays)[5] < 0.1


def test_another_store_is_not_ours(database: Database, recorder: Recorder, notices: Notices, listen: Callable[..., Notices]) -> None:
    other = open_store(database, "other")
    others = listen(of=other)
    second = Recorder(database, other)
    say(second, 1)
    assert [notice.store_id for notice in others.wait(5)] == [other]
    assert notices.wait(0.1) == []
    say(recorder, 2)
    say(second, 2)
    assert [(n.store_id, n.revision) for n in until(notices, 1)] == [(recorder._store, 1)]
    assert [(n.store_id, n.revision) for n in until(others, 2)] == [(other, 2)]


def test_many_at_once_are_all_told_in_order(recorder: Recorder, notices: Notices) -> None:
    for number in range(1, 51):
        say(recorder, number)
    assert [notice.revision for notice in until(notices, 50)] == list(range(1, 51))


def test_the_log_was_pruned(database: Database, recorder: Recorder, notices: Notices, monkeypatch: pytest.MonkeyPatch, store: int) -> None:
    monkeypatch.setattr(recorder_module, "_KEPT_CHANGES", 20)
    if not database.is_sqlite:  # a listener that hears every NOTIFY needs no log
        lose_connection(database, notices)
    for number in range(1, 103):
        say(recorder, number)
    assert notices.wait(5) == [Notice(store, 102, TOPICS, None)]
    say(recorder, 103)
    assert [notice.revision for notice in notices.wait(5)] == [103]


def test_a_database_put_back_from_a_backup(database: Database, recorder: Recorder, notices: Notices, store: int) -> None:
    """Revisions that go back are as good a reason to read everything again."""
    for number in range(1, 4):
        say(recorder, number)
    until(notices, 3)
    with database.write() as connection:
        connection.execute(text("UPDATE stores SET revision = 1"))
        connection.execute(text("DELETE FROM changes WHERE revision > 1"))
    assert notices.wait(5) == [Notice(store, 1, TOPICS, None)]


def test_every_kind_of_event_has_its_topic(recorder: Recorder, notices: Notices) -> None:
    told: set[str] = set()
    for number, kind in enumerate(CONTRACT):
        told.update(*(notice.topics for notice in until(notices, say(recorder, number, kind), 2)))
    assert told == TOPICS - {"commands", "routing", "settings"}  # which no event changes


class TestThePast:
    def opened(self, recorder: Recorder, number: int, at: int) -> int:
        """A session with a customer's message, which counts on the day of `at`; returns the revision."""
        said = [
            {**example("session.opened", id=f"o{number}", at=at), "session": f"s{number}"},
            {**example("message.sent", id=f"m{number}", at=at + 1), "session": f"s{number}", "sender": "customer"},
        ]
        return recorder.record([decode(json.dumps(event).encode()) for event in said]).revision

    def test_late_events_change_days_that_are_over(self, recorder: Recorder, notices: Notices) -> None:
        (notice,) = until(notices, self.opened(recorder, 1, AT))
        assert "past" in notice.topics

    def test_what_happens_now_does_not(self, recorder: Recorder, notices: Notices) -> None:
        (notice,) = until(notices, self.opened(recorder, 2, time.time_ns() // 1_000_000))
        assert "sessions" in notice.topics
        assert "past" not in notice.topics


class TestFile:
    """A local file that is renamed, deleted or replaced under an open connection goes on working, on what nobody else sees."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return prepared("sqlite", tmp_path)

    @pytest.fixture
    def path(self, database: Database, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(notices_module, "_FILE_SECONDS", 0)
        assert notices.wait(0) == []
        assert database.path is not None
        return database.path

    @pytest.mark.skipif(os.name == "nt", reason="an open file cannot be renamed there")
    def test_renamed_and_put_back(self, path: Path, notices: Notices, recorder: Recorder) -> None:
        away = path.with_name("away.db")
        path.rename(away)
        for _ in range(2):  # the second time over a new connection, which must not make an empty file
            with pytest.raises(FaultError, match=path.name) as caught:
                notices.wait(1)
            assert caught.value.kind == "unreachable"
            assert not path.exists()
        away.rename(path)
        assert notices.wait(0) == []
        assert until(notices, say(recorder, 1))

    @pytest.mark.skipif(os.name == "nt", reason="an open file cannot be replaced there")
    def test_replaced(self, path: Path, notices: Notices, database: Database) -> None:
        other = path.with_name("other.db")
        other.write_bytes(sqlite_schema())
        other.replace(path)
        for _ in range(2):
            with pytest.raises(FaultError):
                notices.wait(1)
        database.engine.dispose()  # what the pool held is gone: a new connection would be one to the other file
        with pytest.raises(FaultError), database.read() as connection:
            connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("agents", [200, 201])
def test_a_notice_fits_into_the_8000_bytes_of_a_payload(database: Database, notices: Notices, store: int, agents: int) -> None:
    """However many agents a batch touches, and however large their ids."""
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("ALTER SEQUENCE agents_id_seq RESTART WITH 2147483000"))
    events = [example("session.assigned", True, id=f"e{n}", at=AT + n, session=f"s{n}", agent=f"a{n}") for n in range(agents)]
    Recorder(database, store).record([decode(json.dumps(event).encode()) for event in events])
    (notice,) = notices.wait(5)
    assert (len(notice.agents) if notice.agents is not None else None) == (200 if agents == 200 else None)


def test_there_is_no_such_store(database: Database) -> None:
    with pytest.raises(LookupError):
        Notices(database, 77)


def lose_connection(database: Database, notices: Notices) -> None:
    """Has the server end the listening connection, and waits until that is noticed."""
    with database.write() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE '%stores s LEFT JOIN changes%' AND pid <> pg_backend_pid()"
            )
        ).all()
    assert ended
    with pytest.raises(FaultError) as caught:
        until(notices, 1 << 60, 5)
    assert caught.value.kind == "unreachable"
    assert not notices.connected


class TestServer:
    """What only a server can do to us."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return fresh("postgresql", tmp_path)

    def test_nothing_is_missed_after_the_connection_was_ended(self, database: Database, recorder: Recorder, notices: Notices) -> None:
        say(recorder, 1)
        assert len(notices.wait(5)) == 1
        lose_connection(database, notices)
        for number in range(2, 6):
            say(recorder, number)
        assert [notice.revision for notice in notices.wait(5)] == [2, 3, 4, 5]
        assert notices.connected
        say(recorder, 6)
        assert [notice.revision for notice in notices.wait(5)] == [6]

    def test_a_server_that_refuses_and_comes_back(self, url: str, recorder: Recorder, listen: Callable[..., Notices]) -> None:
        with Proxy() as proxy:
            behind = Database(proxy.url(url))
            notices = listen(behind)
            proxy.refuse()
            for _ in range(3):
                with pytest.raises(FaultError) as caught:
                    until(notices, 1, 5)
                assert caught.value.kind == "unreachable"
            with pytest.raises(FaultError):
                Notices(behind, recorder._store)
            say(recorder, 1)
            proxy.restore()
            assert [notice.revision for notice in notices.wait(5)] == [1]
            notices.close()
            behind.close()

    def test_a_network_that_swallows_everything(self, url: str, recorder: Recorder, listen: Callable[..., Notices]) -> None:
        with Proxy() as proxy:
            behind = Database(proxy.url(url))
            notices = listen(behind)
            proxy.drop()
            failures = 0
            end = time.monotonic() + 10
            while failures < 2 and time.monotonic() < end:
                began = time.monotonic()
                try:
                    assert notices.wait(0.2) == []
                except FaultError as fault:
                    failures += fault.kind == "unreachable"
                assert time.monotonic() - began < 1.2 + 0.3  # a loaded machine's share
            assert failures == 2
            assert not notices.connected
            say(recorder, 1)
            proxy.restore()
            began = time.monotonic()
            heard: list[Notice] = []
            while not heard and time.monotonic() - began < 5:
                with contextlib.suppress(FaultError):
                    heard = notices.wait(0.2)
            assert [notice.revision for notice in heard] == [1]
            notices.close()
            behind.close()
