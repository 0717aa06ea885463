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
from app.desk.simulated import Setup, SimulatedDesk, build_still, engine_for
from app.domain.clock import StoreClock
from app.domain.events import AgentPresence, AnyEvent, SessionAssigned, SessionClosed, SessionOpened, State
from app.domain.lived import Ended, OpenSession
from app.domain.localtime import DAY_MS, LocalTime
from app.sources.base import Slice
from app.sources.simulator import Plan, Simulator
from app.sources.simulator.feed import SimulatedStore
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.recorder import Recorder, open_store

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

    def due(self, now: int) -> Iterator[Slice]:
        found, self._present = [e for e in self._present if e.at <= now], [e for e in self._present if e.at > now]
        yield Slice(found)

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
    locked, failures = Recorder.locked, iter([FaultError("unreachable", "away"), FaultError("locked", "busy")])

    def flaky(self: Recorder) -> Any:
        for fault in failures:
            raise fault
        return locked(self)

    monkeypatch.setattr(Recorder, "locked", flaky)
    monkeypatch.setattr("app.desk.engine._RETRY_SECONDS", (0.0,))
    engine.catch_up()
    assert count(database, "presence") == 2


def test_a_fault_nobody_can_wait_for_ends_the_run(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(database, open_store(database, "shop"), Scripted([present(1)]), lambda: NOON + 10)

    def full(*_: Any) -> Any:
        raise FaultError("full", "disk full")

    monkeypatch.setattr(Recorder, "locked", full)
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
    open_store(database, PLAN.store)
    desk = SimulatedDesk(database, Setup(plan=PLAN, days=0))
    thread = threading.Thread(target=desk.run)
    thread.start()
    notices = Notices(database, database.stores()[0][0])
    try:
        for _ in range(100):
            if list((tmp_path / "backups").glob("shop-*.db")):
                break
            notices.wait(0.1)
    finally:
        desk.stop()
        thread.join(10)
        notices.close()
        database.close()
    assert len(list((tmp_path / "backups").glob("shop-*.db"))) == 1


def faults(database: Database) -> list[str]:
    """Counters that are not the recomputation of their sessions, and what else is wrong."""
    return [f"{found.title} {found.detail}" for found in examine(database) if found.level == "fault"]


def test_a_simulated_store_goes_on_a_day_later_and_its_whole_days_are_those_of_the_plan(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "shop.db"))
    for days_later in (0, 1, 3):
        build_still(database, Setup(plan=PLAN, days=2), NOON + days_later * DAY_MS)
        assert faults(database) == []
    today = LocalTime(PLAN.zone).day(NOON)
    with database.read() as connection:
        found = {
            day: {tuple(row) for row in connection.execute(
                text("SELECT s.code, a.code, s.closed_at FROM sessions s LEFT JOIN agents a ON a.id = s.agent_id WHERE s.day = :day"),
                {"day": day},
            )}
            for day in range(today - 2, today + 4)
        }  # fmt: skip
        doubled = connection.execute(text("SELECT customer_id, opened_at FROM sessions GROUP BY 1, 2 HAVING count(*) > 1")).all()
    database.close()
    assert doubled == []
    for day in (today - 2, today - 1, today + 2):  # today, tomorrow and the last were lived
        assert found[day] == whole_day(day), day - today
    lived = [found[day] for day in (today, today + 1)]
    assert all(len(day) > 40 for day in lived)
    assert {closed for day in lived for *_, closed in day} & {None} == set(), "every session ends"


def whole_day(day: int) -> set[tuple[str, str | None, int | None]]:
    owners: dict[str, str] = {}
    closed: dict[str, int] = {}
    opened = []
    for event in Simulator(PLAN).day(day):
        if isinstance(event, SessionOpened):
            opened.append(event.session)
        elif isinstance(event, SessionAssigned):
            owners[event.session] = event.agent
        elif isinstance(event, SessionClosed):
            closed[event.session] = event.at
    return {(code, owners.get(code), closed[code]) for code in opened}


class Forgetful:
    """Nothing is recorded yet."""

    def open_sessions(self) -> list[OpenSession]:
        return []

    def ended(self, first_day: int) -> list[Ended]:
        return []

    def orders(self, since: int) -> frozenset[str]:
        return frozenset()

    def presence(self) -> dict[str, State]:
        return {}

    def last_session(self, first: str, past: str) -> str | None:
        return None

    def last_customer(self, first: str, past: str) -> str | None:
        return None


def test_the_past_is_told_in_pieces_that_hold_whole_sessions() -> None:
    source = SimulatedStore(Simulator(Plan(agents=15, sessions_per_agent=40)), 2, NOON, Forgetful())
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
