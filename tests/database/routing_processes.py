"""Engines that route, in processes of their own, started and killed while a source goes on; and what must hold whatever happens."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.domain.events import AgentPresence, AnyEvent, MessageSent, SessionClosed, SessionOpened
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.notices import Notices
from app.storage.packing import unpack_facts
from app.storage.recorder import Batch, Recorder, open_store
from tests.database.routed_store import group

ROOT = Path(__file__).resolve().parents[2]
AGENTS = "abcdef"
CAP = 3
_PATIENCE = 30.0


class EngineProcess:
    """`main.py serve`; knows which stores it says it has. through: what goes before the command."""

    def __init__(self, url: str, *more: str, through: Sequence[str] = ()) -> None:
        command = [*through, sys.executable, str(ROOT / "main.py"), "serve", "--db", url, "--parent", *more]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.owned: set[str] = set()
        self.changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            with self.changed:
                (self.owned.add if said["routing"] else self.owned.discard)(said["store"])
                self.changed.notify_all()

    def wait_for(self, *stores: str, seconds: float = _PATIENCE) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.owned >= set(stores), seconds), f"has {self.owned}, not {stores}"

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def freeze(self) -> None:
        """It hangs: its computer still answers for it, and it lets go of nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        self._close()

    def _close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Source:
    """A shop on the wall clock: customers come, write and go, agents come and go, a supervisor commands. Deterministic but for time."""

    def __init__(self, url: str, seed: int, store: str = "shop") -> None:
        self.database = Database(url)
        self.store = open_store(self.database, store)
        self.code = store
        self.rng = random.Random(seed)
        self.recorder = Recorder(self.database, self.store)
        self.workspace = Workspace(self.database, local_owner())
        self.info = self.workspace.store(store)
        self.number = 0
        self.open: list[str] = []
        self.states = dict.fromkeys(AGENTS, "offline")
        body = {"groups": [group("g", {a: 1 + i for i, a in enumerate(AGENTS)}), group("h", {"a": 6}, scope={"skus": ["1"]})]}
        caps = {"agents": [{"agent": a, "capacity": CAP} for a in AGENTS]}
        self.workspace.settings.save_all(self.info, {"groups": (body, None), "agents": (caps, None)})
        self.present(*AGENTS[:3])

    def close(self) -> None:
        self.database.close()

    def record(self, *events: AnyEvent) -> None:
        self.recorder.record(events)

    def _next(self) -> tuple[str, int]:
        self.number += 1
        return str(self.number), time.time_ns() // 1_000_000

    def present(self, *agents: str, state: Any = "available") -> None:
        for agent in agents:
            id, at = self._next()
            self.states[agent] = state
            self.record(AgentPresence(id=id, at=at, agent=agent, state=state))

    def arrive(self) -> str:
        id, at = self._next()
        session = f"s{id}"
        customer = f"c{self.rng.randrange(40)}"
        self.record(
            SessionOpened(id=id, at=at, session=session, customer=customer, kind="online"),
            MessageSent(id="m" + id, at=at, session=session, sender="customer", text="在吗"),
        )
        self.open.append(session)
        return session

    def leave(self) -> None:
        id, at = self._next()
        session = self.open.pop(self.rng.randrange(len(self.open)))
        self.record(SessionClosed(id=id, at=at, session=session, by="customer"))

    def act(self) -> None:
        """Something happens."""
        what = self.rng.random()
        if what < 0.5 and len(self.open) < 30:
            self.arrive()
        elif what < 0.85 and self.open:
            self.leave()
        elif what < 0.93:
            self.present(self.rng.choice(AGENTS[1:]), state=self.rng.choice(("available", "available", "away", "offline")))
        else:
            self.command()

    def command(self) -> None:
        kind: Any = self.rng.choice(("suspend", "resume", "move"))
        body = {"agent": self.rng.choice(AGENTS)}
        if kind == "move":
            if not self.open:
                return
            body["session"] = self.rng.choice(self.open)
        try:
            self.workspace.commands.give(self.info, kind, **body)
        except FaultError:
            return  # an agent nobody has heard of yet

    def wait_for_engines(self, count: int, seconds: float = _PATIENCE) -> None:
        """Until so many would route the store; on a server."""
        self._wait("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7313 AND objid = :store", count, seconds)

    def wait_for_decision(self, session: str, seconds: float = _PATIENCE) -> None:
        chosen = (
            f"SELECT count(*) FROM decisions d JOIN sessions s ON s.id = d.session_id WHERE s.code = '{session}' AND d.store_id = :store"
        )
        self._wait(chosen, 1, seconds)

    def _wait(self, statement: str, count: int, seconds: float) -> None:
        notices = Notices(self.database, self.store)
        end = time.monotonic() + seconds
        try:
            while self.rows(statement)[0][0] < count:
                assert time.monotonic() < end, statement
                notices.wait(0.1)
        finally:
            notices.close()

    # What must hold

    def rows(self, statement: str) -> list[Any]:
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(text(statement), {"store": self.store} if ":store" in statement else {})]

    def check(self) -> None:
        """At any moment: assignments and decisions are the same, once each; no rule gave anybody more than they may have."""
        decided: Counter[int] = Counter()
        for session, outcome, number in self.rows("SELECT session_id, outcome, number FROM decisions ORDER BY session_id, number"):
            decided[session] += outcome == 1
            assert number >= 1
        for id, facts in self.rows("SELECT id, facts FROM sessions"):
            assert sum(fact[1] == 1 for fact in unpack_facts(facts)) == decided[id], f"session {id}"
        first = self.rows("SELECT session_id, count(*) FROM decisions WHERE outcome = 1 AND reason IN (1, 2) GROUP BY session_id")
        assert [each for each in first if each[1] > 1] == [], "routed twice"
        assert [row for row in self.loads("AND s.reason NOT IN (4, 5)").items() if row[1] > CAP] == [], "too many at once"

    def loads(self, only: str = "") -> dict[str, int]:
        """Open sessions by agent. reason 4: moved by hand, which no cap holds up; 5: a leave message, which takes up no capacity."""
        return dict(
            self.rows(
                "SELECT a.code, count(*) FROM sessions s JOIN agents a ON a.id = s.agent_id "
                f"WHERE s.store_id = :store AND s.closed_at IS NULL AND s.opened_at IS NOT NULL {only} GROUP BY a.code"
            )
        )

    def waiting(self) -> int:
        found: int = self.rows(
            "SELECT count(*) FROM sessions WHERE store_id = :store AND agent_id = 0 AND closed_at IS NULL AND opened_at IS NOT NULL"
        )[0][0]
        return found

    def is_settled(self) -> bool:
        """Commands are carried out, and whoever waits has a reason to."""
        if self.rows("SELECT count(*) FROM commands WHERE store_id = :store AND done_at IS NULL")[0][0]:
            return False
        loads = self.loads()
        states = dict(self.rows("SELECT code, state FROM agents WHERE store_id = :store"))
        if any(loads.get(code) for code, state in states.items() if state == 3 and self._could_take(states, loads)):
            return False  # sessions of somebody who is offline
        return not self.waiting() or not self._could_take(states, loads)

    @staticmethod
    def _could_take(states: dict[str, int], loads: dict[str, int]) -> bool:
        return any(state in (0, 1) and loads.get(code, 0) < CAP for code, state in states.items())

    def settle(self, seconds: float = _PATIENCE) -> None:
        """Waits until an engine has done all there is to do."""
        notices = Notices(self.database, self.store)
        end = time.monotonic() + seconds
        try:
            while not self.is_settled():
                assert time.monotonic() < end, f"{self.waiting()} wait, loads {self.loads()}, {self.rows('SELECT code, state FROM agents')}"
                notices.wait(0.2)
        finally:
            notices.close()

    def check_all(self) -> None:
        """With nothing left to do."""
        self.check()
        carried_out = self.rows("SELECT count(*) FROM commands WHERE kind = 'suspend' AND result = ''")[0][0]
        assert self.rows("SELECT count(*) FROM presence WHERE state = 2")[0][0] == carried_out, "a command was carried out twice"
        faults = [finding for finding in examine(self.database) if finding.level == "fault"]
        assert faults == [], faults


def kill_repeatedly(url: str, kills: int, seed: int, acts: int = 60) -> None:
    """Kills the engine again and again while the shop is busy, and starts it anew; looks after each kill at what is there."""
    source = Source(url, seed)
    rng = random.Random(seed)
    for _ in range(kills):
        engine = EngineProcess(url)
        if rng.random() < 0.9:
            engine.wait_for("shop")
        for _ in range(rng.randrange(acts)):
            source.act()
        engine.kill()
        source.check()
        for _ in range(rng.randrange(10)):  # nobody routes
            source.act()
    engine = EngineProcess(url)
    source.settle()
    engine.end()
    source.check_all()
    source.close()


@contextmanager
def holding_up(source: Source) -> Iterator[tuple[Connection, Callable[[str], None]]]:
    """Nobody else gets the store's lock while this lasts: on a server.

    Gives the connection that has it, and a function that returns when somebody whose connection's name is like this waits for it.
    """
    lock = {"store": source.store}
    waits = text(
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.classid = 7311 AND l.objid = :store AND NOT l.granted AND a.application_name LIKE :name"
    )
    with source.database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(7311, :store)"), lock)
        connection.commit()

        def wait_for(name: str) -> None:
            end = time.monotonic() + 10
            while connection.execute(waits, {**lock, "name": name}).first() is None:
                assert time.monotonic() < end
                connection.commit()  # activity is told as it was when a transaction looked first
            connection.commit()

        yield connection, wait_for
        connection.execute(text("SELECT pg_advisory_unlock(7311, :store)"), lock)
        connection.commit()


@contextmanager
def in_the_middle_of_a_turn(source: Source) -> Iterator[None]:
    """While this lasts an engine is about to begin its turn; as it ends, the server gives it the store's lock. On a server."""
    with holding_up(source) as (connection, wait_for):
        batch = Batch(source.recorder, connection)
        batch.record([SessionOpened(id="o", at=time.time_ns() // 1_000_000, session="s", customer="c", kind="leave")], "test")
        batch.finish()
        connection.commit()
        wait_for("%")
        yield
