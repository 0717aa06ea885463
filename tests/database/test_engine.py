"""The headless engine: what happens is recorded as it happens, the past is filled in, nothing is lost or doubled by a restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.desk.engine import Engine
from app.desk.simulated import Setup, build_still, engine_for
from app.domain.clock import StoreClock
from app.domain.events import AgentPresence, AnyEvent
from app.domain.localtime import DAY_MS, LocalTime
from app.sources.simulator import Plan, Simulator
from app.sources.simulator.feed import SimulatedStore
from app.storage.database import Database
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.recorder import Recorder, open_store
from tests.database.compare import stored

ROOT = Path(__file__).resolve().parents[2]
PLAN = Plan(agents=15, sessions_per_agent=6)
NOON = 1_790_000_000_000  # 2026-09-21 22:13 in Shanghai


def present(number: int) -> AgentPresence:
    return AgentPresence(id=str(number), at=NOON + number, agent="a", state="available" if number % 2 else "away")


class Scripted:
    """A source whose present and past are given."""

    name = "scripted"

    def __init__(self, present: Sequence[AnyEvent], past: Sequence[tuple[str, Sequence[Sequence[AnyEvent]]]] = ()) -> None:
        self._present = list(present)
        self._past = past

    def due(self, now: int) -> Sequence[AnyEvent]:
        found, self._present = [e for e in self._present if e.at <= now], [e for e in self._present if e.at > now]
        return found

    def backlog(self) -> Iterator[tuple[str, Sequence[Sequence[AnyEvent]]]]:
        yield from self._past


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_the_present_comes_when_its_time_comes_and_the_past_between(database: Database) -> None:
    store = open_store(database, "shop")
    source = Scripted([present(n) for n in range(10)], [("old", [[present(-n)] for n in range(1, 50)])])
    now = NOON + 4
    told: list[tuple[int, int]] = []
    engine = Engine(database, store, source, lambda: now, backlog_size=1, on_progress=lambda *at: told.append(at))
    engine.catch_up()
    assert count(database, "presence") == 5 + 49
    assert told == [(0, 1), (1, 1)]


def test_it_waits_for_a_database_that_is_away_and_loses_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(database, "shop")
    engine = Engine(database, store, Scripted([present(1), present(2)]), lambda: NOON + 10)
    record, failures = Recorder.record, iter([FaultError("unreachable", "away"), FaultError("locked", "busy")])

    def flaky(self: Recorder, *arguments: Any) -> Any:
        for fault in failures:
            raise fault
        return record(self, *arguments)

    monkeypatch.setattr(Recorder, "record", flaky)
    monkeypatch.setattr("app.desk.engine._RETRY_SECONDS", (0.0,))
    engine.catch_up()
    assert count(database, "presence") == 2


def test_a_fault_nobody_can_wait_for_ends_the_run(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(database, open_store(database, "shop"), Scripted([present(1)]), lambda: NOON + 10)

    def full(*_: Any) -> Any:
        raise FaultError("full", "disk full")

    monkeypatch.setattr(Recorder, "record", full)
    with pytest.raises(FaultError):
        engine.run()


def test_it_goes_on_live_until_stopped(database: Database) -> None:
    store = open_store(database, "shop")
    now = [NOON + 3]
    engine = Engine(database, store, Scripted([present(n) for n in range(1, 6)]), lambda: now[0])
    notices = Notices(database, store)
    notices.wait(0)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        while count(database, "presence") < 3:
            notices.wait(1)
        now[0] = NOON + 5
        while count(database, "presence") < 5:
            assert notices.wait(5), "the engine stopped listening to its clock"
    finally:
        engine.stop()
        thread.join(5)
        notices.close()
    assert not thread.is_alive()


def test_a_local_store_is_copied_once_a_day_beside_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.desk.engine.UPKEEP_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("app.desk.engine.UPKEEP_EVERY_SECONDS", 0.0)
    database = Database(str(tmp_path / "shop.db"))
    engine = engine_for(database, Setup(plan=PLAN, days=0))
    thread = threading.Thread(target=engine.run)
    thread.start()
    notices = Notices(database, database.stores()[0][0])
    try:
        for _ in range(100):
            if list((tmp_path / "backups").glob("shop-*.db")):
                break
            notices.wait(0.1)
    finally:
        engine.stop()
        thread.join(10)
        notices.close()
        database.close()
    assert len(list((tmp_path / "backups").glob("shop-*.db"))) == 1


def test_a_simulated_store_built_in_pieces_equals_one_built_at_once(tmp_path: Path) -> None:
    """Stopped, restarted a day later, filled in out of order: the counters are those of the same events recorded in order."""
    first = Database(str(tmp_path / "pieces.db"))
    build_still(first, Setup(plan=PLAN, days=2), NOON)
    build_still(first, Setup(plan=PLAN, days=2), NOON + DAY_MS)
    second = Database(str(tmp_path / "whole.db"))
    recorder = Recorder(second, open_store(second, PLAN.store))
    simulator, today = Simulator(PLAN), LocalTime(PLAN.zone).day(NOON)
    events = simulator.roster(LocalTime(PLAN.zone).start_of_day(today - 2))
    for day in range(today - 2, today + 2):
        events += [event for event in simulator.day(day) if event.at <= NOON + DAY_MS]
    recorder.record(sorted(events, key=lambda event: event.at), SimulatedStore.name)
    found, wanted = stored(first), stored(second)
    first.close()
    second.close()
    assert found == wanted
    assert any(counts.get("consults") for counts in wanted[0].values())


def test_the_past_is_told_in_pieces_that_hold_whole_sessions() -> None:
    source = SimulatedStore(Simulator(Plan(agents=15, sessions_per_agent=40)), 2, NOON)
    for _, pieces in source.backlog():
        assert len(pieces) > 1
        told = [{event.session for event in piece if hasattr(event, "session") and event.session} for piece in pieces]
        assert sum(map(len, told)) == len(set().union(*told))


def test_a_faster_clock_is_kept_in_the_store(database: Database) -> None:
    engine_for(database, Setup(plan=PLAN, days=0), speed=60.0)
    with database.read() as connection:
        setting = json.loads(connection.execute(text("SELECT clock FROM stores")).scalar() or "null")
    assert setting["speed"] == 60
    clock = StoreClock(json.dumps({"wall": setting["wall"] - 10_000, "store": setting["store"], "speed": 60}))
    assert 600_000 <= clock() - setting["store"] < 700_000 + 60 * 60_000


def serve(url: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--db", url, "--simulate", "--parent", "--days", "1", "--agents", "15"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def test_the_child_ends_with_its_parent(url: str) -> None:
    """Its standard input ends when the parent is gone; it says its progress while it lives."""
    child = serve(url)
    assert child.stdout is not None
    assert child.stdin is not None
    assert json.loads(child.stdout.readline())["progress"] == [0, 1]
    child.stdin.close()
    assert child.wait(20) == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_and_started_again_nothing_is_lost_or_doubled(url: str) -> None:
    child = serve(url)
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child = serve(url)
    assert child.stdout is not None
    assert child.stdin is not None
    while json.loads(child.stdout.readline())["progress"] is not None:
        pass
    child.stdin.close()
    assert child.wait(20) == 0
    database = Database(url)
    with database.read() as connection:
        day_sum, slot_sum, sessions = (
            connection.execute(text(statement)).scalar()
            for statement in (
                "SELECT sum(consults) FROM day_counters",
                "SELECT sum(consults) FROM slot_counters",
                "SELECT count(*) FROM sessions WHERE kind = 1 AND first_customer_at IS NOT NULL AND opened_at IS NOT NULL",
            )
        )
    database.close()
    assert day_sum == slot_sum == sessions
    assert sessions
