"""Whatever happens in whatever order, with restarts in between: no session is lost or doubled, none waits while somebody may take it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.domain.events import AnyEvent, SessionClosed
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.packing import unpack_facts
from tests.database.routed_store import RoutedStore, group

AGENTS = "abcde"
SKUS = ("1", "2", "")


class Shop:
    """A store on which random things happen, and its own idea of who may take what."""

    def __init__(self, database: Database, seed: int) -> None:
        self.rng = random.Random(seed)
        self.caps: dict[str, int | None] = {}
        self.groups: list[dict[str, Any]] = []
        self.fallback = seed % 2 == 0  # once there it cannot be taken away
        self.store = RoutedStore(database)
        self.open: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.configure()

    def configure(self) -> None:
        rng = self.rng
        self.groups = [
            group(code, self._members(), scope={"skus": [code]}, overflow=rng.random() < 0.6, open=rng.random() < 0.85) for code in "12"
        ]
        if self.fallback:
            self.groups.append(group("rest", self._members(), type="fallback"))
        self.caps = {agent: rng.choice((None, 0, 1, 2, 3)) for agent in AGENTS}
        self.store.now += 10
        self.store.configure(*self.groups, caps=self.caps)

    def _members(self) -> dict[str, int]:
        return {agent: self.rng.choice((0, 1, 3, 6)) for agent in AGENTS if self.rng.random() < 0.7}

    def arrivals(self, count: int) -> list[AnyEvent]:
        found: list[AnyEvent] = []
        for _ in range(count):
            session, sku = f"s{self.store.id()}", self.rng.choice(SKUS)
            self.open[session] = sku
            about: dict[str, Any] = {"sku": sku} if sku else {}
            found += self.store.arrival(session, f"c{self.rng.randrange(8)}", **about)
        return found

    def departures(self, count: int) -> list[AnyEvent]:
        gone = self.rng.sample(sorted(self.open), min(count, len(self.open)))
        for session in gone:
            del self.open[session]
        return [SessionClosed(id=self.store.id(), at=self.store.now, session=session) for session in gone]

    def act(self) -> None:
        rng, store = self.rng, self.store
        store.now += rng.randrange(1, 3_600_000)
        what = rng.random()
        if what < 0.4:
            store.say(*self.arrivals(rng.choice((1, 1, 2, 5))))
        elif what < 0.65:
            store.say(*self.departures(rng.choice((1, 2, 4))))
        elif what < 0.72:
            store.say(*self.departures(2), *self.arrivals(2))
        elif what < 0.84:
            agents = rng.sample(AGENTS, rng.choice((1, 2)))
            store.present(**{agent: rng.choice(("available", "available", "away", "suspended", "offline")) for agent in agents})
        elif what < 0.88:
            self.configure()
        elif what < 0.92:
            self.command()
        elif what < 0.95 and self.open:
            store.assigns(rng.choice(sorted(self.open)), rng.choice(AGENTS), rng.choice((None, "1")))
        else:
            store.restart()

    def command(self) -> None:
        rng, body = self.rng, {}
        kind = rng.choice(("suspend", "resume", "move", "transfer"))
        if kind in ("move", "transfer"):
            if not self.open:
                return
            body["session"] = rng.choice(sorted(self.open))
        body["group" if kind == "transfer" else "agent"] = rng.choice(("1", "2") if kind == "transfer" else AGENTS)
        try:
            self.store.commands(kind, **body)
        except FaultError:
            return  # an agent nobody has heard of yet

    def check(self) -> None:
        rows = self.store.rows(
            "SELECT s.id, s.code, a.code, s.assigned_at FROM sessions s LEFT JOIN agents a ON a.id = s.agent_id WHERE s.closed_at IS NULL"
        )
        states = dict(self.store.rows("SELECT code, state FROM agents"))
        assert {row[1] for row in rows} == set(self.open), "a session was lost"
        decided = self.store.rows(
            "SELECT d.session_id, d.outcome, g.code, d.at FROM decisions d LEFT JOIN skill_groups g ON g.id = d.group_id ORDER BY d.number"
        )
        last = {session: (outcome, group, at) for session, outcome, group, at in decided}
        waiting = {id: session for id, session, agent, _ in rows if agent is None}
        loads: dict[str, int] = {}
        for id, _, agent, given_at in rows:
            outcome, _, at = last.get(id, (1, "", 0))
            if agent is not None and (outcome == 1 or given_at > at):  # else it was taken from them, and waits
                loads[agent] = loads.get(agent, 0) + 1
        for id, session in waiting.items():
            outcome, code, _ = last[id]
            assert outcome in (2, 3), f"{session} has been given to somebody and has nobody"
            if outcome == 2:
                free = [agent for agent in self._eligible(code) if states.get(agent) in (0, 1) and self._has_room(agent, loads)]
                assert not free, f"{session} waits in {code!r} while {free} could take it"

    def _eligible(self, code: str | None) -> set[str]:
        """Who takes what waits in a group."""
        there = {each["code"]: each for each in self.groups}
        found = there.get(code or "")
        if found is None:
            return set()
        members = {m["agent"] for m in found["members"] if m["weight"]}
        if found.get("overflow", True) and "rest" in there:
            members |= {m["agent"] for m in there["rest"]["members"] if m["weight"]}
        return members

    def _has_room(self, agent: str, loads: dict[str, int]) -> bool:
        cap = self.caps[agent]
        return cap is None or loads.get(agent, 0) < cap

    def check_all(self, database: Database) -> None:
        """Every decision to assign is a fact of its session, once; what others gave comes on top."""
        given = dict(self.store.rows("SELECT session_id, count(*) FROM decisions WHERE outcome = 1 GROUP BY session_id"))
        for id, facts in self.store.rows("SELECT id, facts FROM sessions"):
            assert sum(fact[1] == 1 and fact[5] != 0 for fact in unpack_facts(facts)) == given.get(id, 0)
        assert [finding for finding in examine(database) if finding.level == "fault"] == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens(database: Database, seed: int) -> None:
    shop = Shop(database, seed)
    for _ in range(120):
        shop.act()
        shop.check()
    shop.check_all(database)
    decided = {row[0] for row in shop.store.rows("SELECT DISTINCT outcome FROM decisions")}
    assert decided >= {1, 2}, "nobody ever waited: the test shows little"
