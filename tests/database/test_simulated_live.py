"""The simulated world lives with what the engine decides: on a clock of the test, world and engine in turn, on both databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.desk import simulated
from app.desk.routing import Routing
from app.desk.simulated import AUTHOR, Setup, SimulatedDesk, engine_for
from app.domain.language import T
from app.domain.localtime import LocalTime, day_number
from app.domain.permissions import local_owner
from app.domain.presence import AVAILABLE, AWAY
from app.services.workspace import Workspace
from app.sources.simulator import Plan, Simulator
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.progress import Progress
from app.storage.recorder import open_store

ROOT = Path(__file__).resolve().parents[2]
PLAN = Plan(agents=15, sessions_per_agent=60, store="demo")
LOCAL = LocalTime(PLAN.zone)
DAY = day_number(date(2026, 8, 12))
HOUR = 3_600_000


class Life:
    """A simulated store from a time of DAY on; nothing of the days before."""

    def __init__(self, database: Database, hour: float) -> None:
        self.database = database
        self.now = LOCAL.start_of_day(DAY) + int(hour * HOUR)
        self.began = self.now
        self.begin()
        self.workspace = Workspace(database, local_owner())
        self.info = self.workspace.store(PLAN.store)

    def begin(self) -> None:
        """As after a kill: what is not in the database is gone."""
        self.world = engine_for(self.database, Setup(plan=PLAN, days=0), now=lambda: self.now)
        self.world.hear_seconds = 0.0
        self.world.catch_up()
        (store,) = (id for id, code, *_ in self.database.stores() if code == PLAN.store)
        self.routing = Routing(self.database, store, lambda: self.now)

    def live(self, minutes: float, step: float = 10, until: Callable[[], bool] = lambda: False) -> None:
        end = self.now + int(minutes * 60_000)
        while self.now < end and not until():
            self.routing.turn()
            self.now += int(step * 1000)
            self.world.tick()

    def all(self, statement: str, **values: object) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(text(statement), values))

    def one(self, statement: str, **values: object) -> Any:
        return self.all(statement, **values)[0][0]

    def faults(self) -> list[str]:
        return [f"{found.title} {found.detail}" for found in examine(self.database) if found.level == "fault"]

    def busiest(self) -> str:
        return self.one(
            "SELECT a.code FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE s.closed_at IS NULL AND s.kind = 1 "
            "AND a.state IN (1, 2) GROUP BY a.code ORDER BY count(*) DESC, a.code LIMIT 1"
        )  # fmt: skip


def test_the_engine_decides_and_the_customers_are_served(database: Database) -> None:
    life = Life(database, 10)
    life.live(40)
    routed = life.all(
        "SELECT s.code, s.agent_id, s.first_reply_at, s.closed_at, d.reasons, d.groups_revision FROM sessions s "
        "LEFT JOIN decisions d ON d.session_id = s.id AND d.number = 1 WHERE s.opened_at > :began AND s.flag = 0 AND s.opened_at < :late",
        began=life.began, late=life.now - 10 * 60_000,
    )  # fmt: skip
    assert len(routed) > 15
    assert all(row.agent_id and json.loads(row.reasons) and row.groups_revision == 1 for row in routed)
    assert sum(row.first_reply_at is not None for row in routed) > 0.9 * len(routed)
    assert sum(row.closed_at is not None for row in routed) > 0.7 * len(routed)
    capacity = {agent.code: agent.capacity for agent in Simulator(PLAN).agents}
    held = dict(life.all("SELECT a.code, count(*) FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE s.closed_at IS NULL GROUP BY 1"))
    assert held
    assert all(count <= capacity[agent] for agent, count in held.items())
    assert life.faults() == []


def test_a_suspended_agent_gets_nothing_new_and_finishes_what_they_have(database: Database) -> None:
    life = Life(database, 10)
    life.live(3)
    agent = life.busiest()
    mine = "SELECT s.code FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE a.code = :agent"
    had = {code for (code,) in life.all(mine, agent=agent)}
    number = life.workspace.commands.give(life.info, "suspend", agent=agent)
    life.live(45)
    assert life.workspace.commands.status(life.info, number).refused is None
    assert {code for (code,) in life.all(mine, agent=agent)} <= had
    assert life.all(mine + " AND s.closed_at IS NULL", agent=agent) == []
    life.workspace.commands.give(life.info, "resume", agent=agent)
    life.live(60, until=lambda: {code for (code,) in life.all(mine, agent=agent)} > had)
    assert {code for (code,) in life.all(mine, agent=agent)} > had, "they come back into turn"


def test_while_all_are_suspended_customers_wait_in_line_and_leave(database: Database) -> None:
    life = Life(database, 10)
    life.live(3)
    suspended = life.now
    for _step in range(80):  # each time those whose shift begins or whose break ends meanwhile
        for (agent,) in life.all("SELECT code FROM agents WHERE state IN (:here, :away)", here=AVAILABLE, away=AWAY):
            life.workspace.commands.give(life.info, "suspend", agent=agent)
        life.live(1 / 6)
    came = life.all("SELECT kind, agent_id, closed_at FROM sessions WHERE opened_at > :at AND flag = 0", at=suspended)
    assert len(came) > 5
    assert {row.kind for row in came} == {1}, "a message is left only where nobody is online"
    assert any(row.agent_id in (None, 0) and row.closed_at is None for row in came), "a line is seen"
    assert any(row.agent_id in (None, 0) and row.closed_at is not None for row in came), "patience ends"
    assert life.faults() == []


def test_a_moved_session_goes_on_with_its_new_agent(database: Database) -> None:
    life = Life(database, 10)
    life.live(3)
    agent = life.busiest()
    session = life.one(
        "SELECT max(s.code) FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE s.closed_at IS NULL AND a.code = :agent", agent=agent
    )
    other = life.one("SELECT min(code) FROM agents WHERE state = 1 AND code <> :agent", agent=agent)
    number = life.workspace.commands.give(life.info, "move", session=session, agent=other)
    life.live(30)
    assert life.workspace.commands.status(life.info, number).refused is None
    (found,) = life.all(
        "SELECT a.code, s.agent_messages, s.closed_at, s.transfers FROM sessions s JOIN agents a ON a.id = s.agent_id WHERE s.code = :code",
        code=session,
    )
    assert (found.code, found.transfers) == (other, 1)
    assert found.agent_messages > 0
    assert found.closed_at is not None
    assert life.faults() == []


def test_killed_at_any_moment_it_goes_on_without_loss_or_doubles(database: Database) -> None:
    """What was recorded stays as it was; every session of before comes to its end."""
    life = Life(database, 10)
    for minutes in (2, 7, 0.5, 11):
        life.live(minutes)
        before = dict(life.all("SELECT code, opened_at FROM sessions"))
        life.now += 150_000  # nobody was there
        life.begin()
        life.live(1)
        after = dict(life.all("SELECT code, opened_at FROM sessions"))
        assert {code: after[code] for code in before} == before
        assert life.faults() == []
    open_then = [code for (code,) in life.all("SELECT code FROM sessions WHERE closed_at IS NULL")]
    assert open_then
    life.live(75, 20)
    still = {code for (code,) in life.all("SELECT code FROM sessions WHERE closed_at IS NULL")}
    assert still.isdisjoint(open_then)
    minutes = life.all("SELECT opened_at / 60000, count(*) FROM sessions WHERE opened_at > :began GROUP BY 1", began=life.began)
    assert len(minutes) > 30
    assert max(count for _, count in minutes) < 15
    twice = life.all("SELECT customer_id FROM sessions WHERE closed_at IS NULL GROUP BY 1 HAVING count(*) > 1")
    assert twice == []
    assert life.faults() == []


def test_a_computer_that_slept_finds_the_store_as_if_it_had_been_open(database: Database) -> None:
    life = Life(database, 10)
    life.live(2)
    slept = life.now
    life.now += 2 * HOUR
    life.world.tick()
    life.live(2)
    found = life.all(
        "SELECT agent_id, first_reply_at FROM sessions WHERE opened_at > :slept AND opened_at < :woke AND flag = 0",
        slept=slept, woke=slept + 2 * HOUR - 600_000,
    )  # fmt: skip
    assert len(found) > 40
    assert all(row.agent_id for row in found)
    assert sum(row.first_reply_at is not None for row in found) > 0.9 * len(found)
    assert life.faults() == []


def test_a_clock_that_is_set_back_does_not_stop_the_store(database: Database) -> None:
    life = Life(database, 12)
    life.live(2)
    life.now = life.began = LOCAL.start_of_day(DAY) + 11 * HOUR
    life.begin()
    before = life.one("SELECT count(*) FROM sessions")
    life.live(10)
    assert life.one("SELECT count(*) FROM sessions") > before + 3
    assert life.faults() == []


def test_it_lives_past_midnight_and_the_morning_sees_to_what_was_left(database: Database) -> None:
    life = Life(database, 23.4)
    life.live(9.4 * 60, 30)
    left = life.all(
        "SELECT s.code, s.agent_id, s.assigned_at, s.reason, d.outcome FROM sessions s "
        "JOIN decisions d ON d.session_id = s.id AND d.number = 1 WHERE s.kind = 2 AND s.opened_at > :began AND s.opened_at < :morning",
        began=life.began, morning=LOCAL.start_of_day(DAY + 1) + 7 * HOUR,
    )  # fmt: skip
    assert len(left) > 3
    assert {row.outcome for row in left} == {3}
    assert all(row.agent_id and row.assigned_at > LOCAL.start_of_day(DAY + 1) + 7 * HOUR for row in left)
    assert life.all("SELECT code FROM sessions WHERE closed_at IS NULL AND day < :day AND kind = 1 AND flag = 0", day=DAY + 1) == []
    assert life.one("SELECT count(*) FROM sessions WHERE day = :day AND kind = 1", day=DAY + 1) > 10
    assert life.faults() == []


def test_it_begins_with_settings_and_leaves_those_of_others_alone(database: Database) -> None:
    open_store(database, PLAN.store)
    settings = Workspace(database, local_owner())
    store = settings.store(PLAN.store)
    agents = {"agents": [{"agent": "kf001", "name": "甲"}]}
    settings.settings.save(store, "agents", agents)
    life = Life(database, 10)
    groups = settings.settings.get(store, "groups")
    assert (groups.revision, groups.author) == (1, AUTHOR)
    assert groups.note
    assert {group["type"] for group in groups.body["groups"]} == {"ordinary", "fallback"}
    assert settings.settings.get(store, "agents").revision == 1
    assert len(settings.settings.get(store, "agents").body["agents"]) == 1
    life.begin()
    assert settings.settings.get(store, "groups").revision == 1


def test_a_store_made_when_the_simulator_decided_itself_goes_on(database: Database) -> None:
    """Its days are left as they are, and it gets the settings it never had."""
    now = LOCAL.start_of_day(DAY) + 10 * HOUR
    store = open_store(database, PLAN.store)
    plan = {"seed": 7, "agents": 15, "sessions_per_agent": 60, "zone": PLAN.zone, "store": PLAN.store}
    Progress(database, store, "simulator").keep_plan(json.dumps({"plan": plan, "days": 3}))
    world = engine_for(database, Setup(plan=PLAN), now=lambda: now)
    world.catch_up()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM settings_revisions")).scalar() == 2
    now += 20 * 60_000
    engine_for(database, Setup(plan=PLAN), now=lambda: now).catch_up()
    with database.read() as connection:
        assert 0 < (connection.execute(text("SELECT count(*) FROM sessions")).scalar() or 0) < 60


def test_of_two_processes_one_is_the_world_and_the_other_takes_over(url: str) -> None:
    databases = [Database(url), Database(url)]
    begun = [threading.Event(), threading.Event()]
    desks = [
        SimulatedDesk(database, Setup(plan=PLAN, days=0), on_progress=lambda *_, event=event: event.set())
        for database, event in zip(databases, begun, strict=True)
    ]
    threads = [threading.Thread(target=desk.run) for desk in desks]
    try:
        threads[0].start()
        assert begun[0].wait(10)
        threads[1].start()
        assert not begun[1].wait(2.5), "two worlds in one store"
        desks[0].stop()
        threads[0].join(10)
        assert begun[1].wait(10)
    finally:
        for desk, thread, database in zip(desks, threads, databases, strict=True):
            desk.stop()
            thread.join(10)
            database.close()
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("lost", ["open_store", "engine_for"])
def test_a_database_that_is_lost_while_a_world_begins_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:  # fmt: skip
    real, tries = getattr(simulated, lost), []

    def away_at_first(*about: Any, **more: Any) -> Any:
        tries.append(lost)
        if len(tries) == 1:
            raise FaultError("unreachable", T("数据库没有应答", "the database does not answer"))
        return real(*about, **more)

    monkeypatch.setattr(simulated, lost, away_at_first)
    monkeypatch.setattr(simulated, "LOOK_SECONDS", 0.01)
    begun = threading.Event()
    desk = SimulatedDesk(database, Setup(plan=PLAN, days=0), on_progress=lambda *_: begun.set())
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(desk.run)
        try:
            assert begun.wait(10)
        finally:
            desk.stop()
        running.result(10)


def test_another_fault_while_a_world_begins_ends_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise FaultError("full", T("磁盘已满", "the disk is full"))

    monkeypatch.setattr(simulated, "engine_for", full)
    with pytest.raises(FaultError, match="磁盘已满"):
        SimulatedDesk(database, Setup(plan=PLAN, days=0)).run()


@pytest.fixture
def child(url: str) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "main.py"), "serve", "--db", url, "--simulate", "--parent", "--days", "0", "--speed", "60"]
        started.append(subprocess.Popen([*command, "--agents", "15"], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_process_killed_while_it_lives_sixty_times_as_fast(url: str, child: Callable[[], subprocess.Popen[bytes]]) -> None:
    for _ in range(3):
        process = child()
        assert process.stdout is not None
        process.stdout.readline()  # the store is there
        database = Database(url)
        try:
            wait_for_more(database, 15)
        finally:
            database.close()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
    database = Database(url)
    faults = [found.detail for found in examine(database) if found.level == "fault"]
    database.close()
    assert faults == []


def wait_for_more(database: Database, sessions: int) -> None:
    """Until so many more have somebody, or the robot."""
    notices = Notices(database, database.stores()[0][0])
    try:
        first: int | None = None
        for _ in range(600):
            with database.read() as connection:
                count = int(connection.execute(text("SELECT count(*) FROM sessions WHERE agent_id <> 0 OR flag <> 0")).scalar() or 0)
            first = count if first is None else first
            if count >= first + sessions:
                return
            notices.wait(0.1)
    finally:
        notices.close()
    raise AssertionError("it does not live")
