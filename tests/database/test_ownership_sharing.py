"""An engine of many stores takes and gives them up as quickly as one of few, and is seen to live however busy it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from app.desk import serving
from app.desk.routing import Routing
from app.desk.serving import Desk
from app.storage import ownership as ownership_module
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.ownership import ownership
from app.storage.recorder import open_store
from tests.databases import prepared

STORES = 20
_PATIENCE = 10.0


def test_all_stores_are_told_to_end_before_any_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what each of them takes would add up, while nobody takes them over."""
    codes = {open_store(database, f"shop{n}") for n in range(STORES)}
    monkeypatch.setattr(serving, "_BEGINNING_SECONDS", 0.0)
    begun, told = threading.Semaphore(0), threading.Barrier(STORES)

    def run(_: Routing, stop: threading.Event) -> None:
        begun.release()
        stop.wait()
        told.wait(_PATIENCE)  # for all the others

    monkeypatch.setattr(Routing, "run", run)
    parted: list[bool] = []
    desk = Desk(database, on_store=lambda _, owned: None if owned else parted.append(told.broken or bool(told.n_waiting)))
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        for _ in codes:
            assert begun.acquire(timeout=_PATIENCE)
    finally:
        desk.stop()
        thread.join(_PATIENCE)
    assert parted == [False] * STORES


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    opened = Database(prepared("postgresql", tmp_path))
    yield opened
    opened.close()


@contextmanager
def _running(desk: Desk) -> Iterator[None]:
    thread = threading.Thread(target=desk.run)
    thread.start()
    try:
        yield
    finally:
        desk.stop()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_few_stores_begin_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """First turns read all that is open: many together would hold each other up, and everything else in the process."""
    for n in range(STORES):
        open_store(database, f"shop{n}")
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serving, "_BEGINNING_SECONDS", 1_000.0)
    begun, over, looks = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0)
    turn = Routing.turn

    def counted(routing: Routing) -> int:
        if not routing.has_begun:
            begun.release()
            over.acquire()
        return turn(routing)

    monkeypatch.setattr(Routing, "turn", counted)
    desk = Desk(database)
    surplus = desk._ownership.surplus

    def looked() -> frozenset[int]:
        looks.release()
        return surplus()

    monkeypatch.setattr(desk._ownership, "surplus", looked)
    with _running(desk):
        try:
            for _ in range(serving._AT_ONCE):
                assert begun.acquire(timeout=_PATIENCE)
            for _ in range(5):
                assert looks.acquire(timeout=_PATIENCE)
            assert not begun.acquire(blocking=False)
            over.release()  # one more may begin
            assert begun.acquire(timeout=_PATIENCE)
        finally:
            over.release(STORES)
        for _ in range(STORES - serving._AT_ONCE - 1):
            assert begun.acquire(timeout=_PATIENCE)


def test_stores_whose_first_turn_waits_hold_up_no_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(STORES):
        open_store(database, f"shop{n}")
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(serving, "_BEGINNING_SECONDS", 0.01)
    begun = threading.Semaphore(0)

    def run(_: Routing, stop: threading.Event) -> None:
        begun.release()
        stop.wait()

    monkeypatch.setattr(Routing, "run", run)
    with _running(Desk(database)):
        for _ in range(STORES):
            assert begun.acquire(timeout=_PATIENCE)


def test_an_engine_whose_connections_are_all_in_use_takes_what_is_new(server: Database) -> None:
    """As where feeds hold the locks of many stores."""
    open_store(server, "first")
    other = Database(server.url.render_as_string(hide_password=False))
    served: set[str] = set()
    changed = threading.Condition()

    def tell(code: str, _: bool) -> None:
        with changed:
            served.add(code)
            changed.notify_all()

    with _running(Desk(server, on_store=tell)), ExitStack() as used:
        for _ in range(16):
            used.enter_context(server.engine.connect())
        open_store(other, "second")
        with changed:
            assert changed.wait_for(lambda: served == {"first", "second"}, _PATIENCE)
    other.close()


def test_an_engine_that_is_busy_is_seen_to_live(server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership_module, "_ASK_SECONDS", 0.01)
    store = open_store(server, "shop")
    busy = ownership(server)
    assert busy.hold((store,)) == {store}  # and nothing is asked of it from here on

    asked = text(
        "SELECT state_change FROM pg_stat_activity WHERE pid = (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7312 "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        first = connection.execute(asked).scalar_one()
        _until(lambda: connection.execute(asked).scalar_one() != first)
    busy.close()


def test_an_engine_that_does_not_come_round_is_ended(server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its process lives, which asks no longer then."""
    store = open_store(server, "shop")
    hung, rival = ownership(server), ownership(server)
    monkeypatch.setattr(ownership_module, "_ASK_SECONDS", 0.01)
    monkeypatch.setattr(ownership_module, "_HUNG_SECONDS", 0.0)
    monkeypatch.setattr(ownership_module, "SILENCE_MS", 200)
    assert hung.hold((store,)) == {store}
    _until(lambda: store in rival.hold((store,)))
    with pytest.raises(FaultError):
        hung.hold((store,))
    rival.close()
    hung.close()
