"""Anything happens to a store in any order, several things at once and the engine begun anew in between: a judge who shares nothing with
the engine finds no session lost, doubled, given to somebody who may not take it, or left waiting while somebody could."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import text

from app.domain.conversation import AGENT, ASSIGNED, KINDS, OPENED, REASONS, Fact
from app.domain.events import AgentPresence, AnyEvent, CustomerUpserted, MessageSent, SessionAssigned, SessionClosed, SessionFlagged
from app.domain.presence import STATES
from app.storage.database import Database
from app.storage.doctor import examine
from app.storage.faults import FaultError
from app.storage.packing import unpack_facts
from tests.database.routed_store import RoutedStore
from tests.oracle import routing as judge

AGENTS = ("a", "b", "c", "d")
NO_SCOPE: dict[str, Any] = {"pages": [], "skus": [], "regions": [], "order_state": "any", "customer_tags": []}
SCOPES: dict[str, dict[str, Any]] = {
    "tag": {"customer_tags": ["PLUS"]}, "sku-east": {"skus": ["1"], "regions": ["浙江"]}, "sku": {"skus": ["1"]},
    "order": {"order_state": "placed"}, "page": {"pages": ["shop"]}, "east": {"regions": ["浙江"]},
}  # fmt: skip
_examples = count()

Step = tuple[str, dict[str, Any]]
Scoped = tuple[str, dict[str, int], bool, bool]
"""Code of SCOPES, weights, overflow, open."""


class Life:
    """A store on which steps are carried out; what a step speaks of is taken from what is there."""

    def __init__(self, database: Database, fallback: bool) -> None:
        self.store = RoutedStore(database, code=f"shop{next(_examples)}")
        self.fallback = fallback
        self.said: list[AnyEvent] = []
        self.sessions: list[str] = []
        self.open: list[str] = []
        self.heard: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self.decided: dict[tuple[str, int], int] = {}
        self.seen = judge.Shop((), {}, {}, {}, {})
        self.store.say(
            *(CustomerUpserted(id=f"c{n}", at=self.store.now, customer=f"c{n}", tags=["PLUS"] if n == 0 else []) for n in range(4))
        )

    def say(self, event: type[Any], **fields: Any) -> None:
        self.store.now += 1
        self.said.append(event(id=self.store.id(), at=self.store.now, **fields))

    def one(self, among: Sequence[str], number: int) -> str | None:
        return among[number % len(among)] if among else None

    def turn(self, steps: Sequence[Step]) -> None:
        for name, about in steps:
            getattr(self, name)(**about)
        if self.said:
            self.store.recorder.record(self.said)
            self.said = []
        before = self.picture()
        self.store.now += 10
        self.store.routing.turn()
        self.seen = self.picture()
        found = list(judge.faults(before, self.seen, self.store.now))
        assert not found, found

    # Steps

    def arrive(self, customer: str, wrote: bool, **about: str | None) -> None:
        self.store.now += 1
        session = f"s{self.store.id()}"
        self.sessions.append(session)
        self.open.append(session)
        told: dict[str, Any] = {key: value for key, value in about.items() if value is not None}
        self.said += self.store.arrival(session, customer, wrote, **told)

    def crowd(self, **about: str | None) -> None:
        """More customers than agents take."""
        for customer in ("c0", "c1", "c2", "c3"):
            self.arrive(customer, wrote=True, **about)

    def leave(self, number: int) -> None:
        if session := self.one(self.open, number):
            self.open.remove(session)
            self.say(SessionClosed, session=session)

    def write(self, number: int, sender: str, agent: str | None) -> None:
        """A customer who writes in a closed session opens it again; an agent who writes in one of nobody has it."""
        if session := self.one(self.sessions[-6:], number):
            self.say(MessageSent, session=session, sender=sender, text="在吗", agent=agent if sender == "agent" else None)
            if sender == "customer" and session not in self.open:
                self.open.append(session)

    def present(self, agent: str, state: str) -> None:
        self.say(AgentPresence, agent=agent, state=state)

    def assign(self, number: int, agent: str, group: str | None) -> None:
        if session := self.one(self.open, number):
            self.say(SessionAssigned, session=session, agent=agent, group=group)

    def hand_on(self, number: int, agent: str, ends: int | None, late: bool) -> None:
        """A source gives somebody a customer who has been waiting, and ends a session that somebody has. late: by a clock far behind."""
        seen = self.seen
        known = [code for code in self.open if code in seen.sessions]
        session = self.one([code for code in known if seen.sessions[code].waits and not seen.holder(code)], number)
        if session is None or agent == seen.sessions[session].agent:
            return
        ended = self.one([code for code in known if seen.holder(code)], 0 if ends is None else ends)
        if ends is not None and ended is not None:
            self.leave(self.open.index(ended))
        self.say(SessionAssigned, session=session, agent=agent)
        if late:
            self.said[-1].at = seen.sessions[session].opened_at

    def flag(self, number: int, flag: str) -> None:
        if session := self.one(self.open, number):
            self.say(SessionFlagged, session=session, flag=flag)

    def save(
        self, scopes: Sequence[tuple[str, dict[str, int], bool, bool]], rest: dict[str, int], agents: Sequence[tuple[int | None, bool]]
    ) -> None:
        groups = [_group(code, weights, scope=SCOPES[code], overflow=overflow, open=is_open) for code, weights, overflow, is_open in scopes]
        if self.fallback:
            groups.append(_group("rest", rest, type="fallback"))
        known = [{"agent": who, "capacity": cap, "receives": receives} for who, (cap, receives) in zip(AGENTS, agents)]
        self.store.workspace.settings.save_all(self.store.info, {"groups": ({"groups": groups}, None), "agents": ({"agents": known}, None)})

    def command(self, kind: Any, number: int | None = None, **body: str) -> None:
        if number is not None:
            session = self.one(self.open, number)
            if session is None:
                return
            body["session"] = session
        try:
            self.store.workspace.commands.give(self.store.info, kind, **body)
        except FaultError:
            return  # it speaks of what no event has told yet

    def hours(self) -> None:
        self.store.now += 3_600_000 * 20

    def restart(self) -> None:
        self.store.routing = self.store.engine()

    def picture(self) -> judge.Shop:
        store, id = self.store, {"store": self.store.store}

        with store.database.read() as connection:
            return self._picture(lambda statement: list(connection.execute(text(statement), id)))

    def _picture(self, rows: Callable[[str], list[Any]]) -> judge.Shop:
        store = self.store
        agents = {row.id: row.code for row in rows("SELECT id, code FROM agents WHERE store_id = :store")}
        groups = {row.id: row.code for row in rows("SELECT id, code FROM skill_groups WHERE store_id = :store")}
        codes: dict[int, str] = {}
        sessions: dict[str, judge.Session] = {}
        customers = {row.id: (row.code, row.tags) for row in rows("SELECT id, code, tags FROM customers WHERE store_id = :store")}
        skus = {row.id: row.code for row in rows("SELECT id, code FROM skus WHERE store_id = :store")}
        for row in rows("SELECT * FROM sessions WHERE store_id = :store"):
            codes[row.id] = row.code
            customer, tags = customers[row.customer_id]
            facts = unpack_facts(row.facts)
            about = {
                "sku": skus.get(row.sku_id, ""), "region": row.region, "page": ("", "item", "shop")[row.page],
                "order_state": ("", "none", "placed")[row.order_state],
            }  # fmt: skip
            given = _given(facts, agents)
            heard = self.heard[row.code]
            heard += (Counter(given) - Counter(heard)).elements()
            wants = row.closed_at is None and row.flag == 0 and (KINDS[row.kind] == "leave" or row.first_customer_at is not None)
            sessions[row.code] = judge.Session(
                row.code, customer, KINDS[row.kind], agents.get(row.agent_id, ""), groups.get(row.group_id, ""), row.opened_at,
                row.closed_at, wants, row.flag != 0, about, ["PLUS"] if "PLUS" in tags else [], given, list(heard),
            )  # fmt: skip
        decisions: dict[str, list[judge.Decision]] = {}
        for row in rows("SELECT * FROM decisions WHERE store_id = :store ORDER BY session_id, number"):
            outcome = ("", "assigned", "waited", "leave")[row.outcome]
            why = [line.split('"')[1] for line in row.reasons.split("[")[2:] if line.startswith('"')]
            session = codes[row.session_id]
            after = self.decided.setdefault((session, row.number), len(self.heard[session]))
            decisions.setdefault(session, []).append(
                judge.Decision(
                    row.number, row.at, outcome, groups.get(row.group_id, ""), agents.get(row.agent_id, ""), REASONS[row.reason], why, after
                )
            )
        commands = {
            c.id: (c.kind, dict(c.body), "pending" if c.done_at is None else "done" if c.refused is None else "refused")
            for c in store.workspace.commands.history(store.info, 10_000)
        }
        return judge.Shop(
            store.workspace.settings.get(store.info, "groups").body["groups"],
            {each["agent"]: each for each in store.workspace.settings.get(store.info, "agents").body["agents"]},
            {row.code: STATES[row.state] for row in rows("SELECT code, state FROM agents WHERE store_id = :store")},
            sessions, decisions, commands,
        )  # fmt: skip


def _given(facts: Sequence[Fact], agents: Mapping[int, str]) -> list[tuple[int, str]]:
    """Who was given a session, and who wrote in it while it was nobody's. facts: in order of time."""
    found: list[tuple[int, str]] = []
    for fact in facts:
        at, rank = fact[:2]
        who = 0
        if rank == ASSIGNED:
            who = fact[3]
        elif rank == OPENED:
            who = fact[9]
        elif rank == AGENT and not found:
            who = fact[2]
        if who:
            found.append((at, agents[who]))
    return found


def _group(code: str, members: Mapping[str, int], scope: Mapping[str, Any] = NO_SCOPE, **fields: Any) -> dict[str, Any]:
    named = [{"agent": who, "weight": weight} for who, weight in members.items()]
    return {"code": code, "name": code, "members": named, "scope": {**NO_SCOPE, **scope}, **fields}


# What may happen: methods of Life with what they are told

which = st.integers(0, 40)
agent = st.sampled_from(AGENTS)
weights = st.dictionaries(agent, st.sampled_from([3, 1, 6, 0]), min_size=2, max_size=4)


def told(name: str, **about: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(about))


def or_nothing(*values: str, nothing: int = 1) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None] * nothing + list(values))


arrivals = told(
    "arrive", customer=st.sampled_from(["c0", "c1", "c2", "c3"]), wrote=st.sampled_from([True] * 6 + [False]), sku=or_nothing("1", "2"),
    region=or_nothing("浙江", "浙江省", "北京"), page=or_nothing("item", "shop"), order_state=or_nothing("none", "placed"),
    kind=st.sampled_from(["online"] * 5 + ["leave"]), agent=or_nothing("a", nothing=9),
)  # fmt: skip
crowds = told("crowd", sku=or_nothing("1"), region=or_nothing("浙江"), page=or_nothing("shop"), order_state=or_nothing("placed"))
saves = told(
    "save",
    scopes=st.lists(
        st.tuples(st.sampled_from(sorted(SCOPES)), weights, st.booleans(), st.sampled_from([True] * 4 + [False])),
        unique_by=lambda each: each[0],
        max_size=4,
    ),
    rest=weights,
    agents=st.lists(st.tuples(st.sampled_from([1, 2, 1, 3, None, 0]), st.sampled_from([True] * 8 + [False])), min_size=4, max_size=4),
)  # fmt: skip
presence = told("present", agent=agent, state=st.sampled_from(["available", "available", "away", "suspended", "offline"]))
commands = st.one_of(
    told("command", kind=st.sampled_from(["suspend", "resume"]), agent=agent),
    told("command", kind=st.just("move"), number=which, agent=agent),
    told("command", kind=st.just("transfer"), number=which, group=st.sampled_from([*SCOPES, "rest"])),
)  # fmt: skip
step = st.one_of(
    arrivals, arrivals, arrivals, told("leave", number=which), told("leave", number=which), presence, presence, saves, commands, commands,
    told("write", number=which, sender=st.sampled_from(["customer", "customer", "agent", "bot"]), agent=or_nothing(*AGENTS)),
    told("assign", number=which, agent=agent, group=or_nothing("sku", "rest")),
    crowds, *[told("hand_on", number=which, agent=agent, ends=st.one_of(st.none(), which), late=st.booleans())] * 2,
    told("flag", number=which, flag=st.sampled_from(["spam", "bot_only"])), told("hours"), told("restart"),
)  # fmt: skip
turns = st.lists(st.lists(step, min_size=1, max_size=4), min_size=15, max_size=30)


def live(database: Database, lives: int) -> None:
    """Looked for, not made small: what fails says what, and making it small would take minutes."""

    @settings(max_examples=lives, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(st.booleans(), saves, turns)
    def one(fallback: bool, first: Step, turns: list[list[Step]]) -> None:
        life = Life(database, fallback)
        life.turn([first, *(("present", {"agent": who, "state": "available"}) for who in AGENTS[:2])])
        for steps in turns:
            life.turn(steps)
        life.restart()
        assert life.store.routing.turn() == 0, "an engine that begins anew finds something to do"

    one()
    assert [finding for finding in examine(database) if finding.level == "fault"] == []


@pytest.fixture(autouse=True)
def nobody_waits_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.desk.turn.LATE_MS", 10**15)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ends", [0, None])
def test_a_source_gives_on_who_waits_for_somebody_it_frees(database: Database, ends: int | None, late: bool) -> None:
    """a has the first customer and is full, the second waits for a and is given to b."""
    life = Life(database, fallback=False)
    agents = [(1, True), *[(None, True)] * 3]
    life.turn([("save", {"scopes": [("page", {"a": 6}, True, True)], "rest": {}, "agents": agents})])
    life.turn([("present", {"agent": who, "state": "available"}) for who in "ab"])
    for customer in ("c1", "c2"):
        life.turn([("arrive", {"customer": customer, "wrote": True, "page": "shop"})])
    life.turn([("hand_on", {"number": 0, "agent": "b", "ends": ends, "late": late})])
    life.turn([("restart", {}), ("leave", {"number": 0})])
    assert [life.seen.sessions[code].agent for code in life.sessions] == ["a", "b"]


def test_whatever_happens_the_judge_finds_nothing(database: Database) -> None:
    live(database, 6)
