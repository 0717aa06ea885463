"""Where every seat stands now: what is counted of its day, what it has open, how long it has been in its state.

The live pages ask all the time, so what has been read is kept together with the store's revision. The notices written since then
name everyone whose numbers have changed, and only they are read again. Where notices cannot tell, everything is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from app.domain.conversation import ONLINE
from app.domain.counters import Counts
from app.domain.localtime import LocalTime
from app.domain.metrics import total
from app.domain.presence import counters_of
from app.storage import schema
from app.storage.queries import Slice, present_since, sums, touched_since

PENDING_MS = 30_000
_MOST_KEPT = 16
_MOST_TOUCHED = 250
"""More than so many agents are not worth being picked out."""
_PRESENCE = frozenset({"presence", "agents"})


class Agent(NamedTuple):
    """An agent in use, as the store knows it now; `state` is a place in STATES, `since` epoch ms."""

    id: int
    code: str
    name: str
    team: str
    capacity: int | None
    state: int
    since: int | None


class Standing(NamedTuple):
    """`numbers` are counters and gauges by agent (0: sessions of nobody) and `whole` their total, both for the caller to keep;
    `roster` is everyone in use, in order of code."""

    numbers: dict[int, Counts]
    whole: Counts
    roster: list[Agent]


class _Open(NamedTuple):
    """Open sessions of one agent. `pending` is since when each of the day's without a reply has been waiting for the first: one of
    yesterday is not among today's consultations, from which they are taken."""

    active: int
    waiting: int
    oldest_wait: int | None
    pending: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What holds until somebody is touched; everything that time alone changes is made of it anew."""

    revision: int
    counted: dict[int, Counts]
    summed: Counts
    open: dict[int, _Open]
    present: list[tuple[int, int, int]]
    roster: list[Agent]
    agents: int
    """How many the store has, also those not in use: none is ever taken away."""


class _Question(NamedTuple):
    store: int
    day: int
    group: int | None
    histograms: bool


class Standings:
    """May be used by several threads: what is kept is only ever replaced."""

    def __init__(self) -> None:
        self._kept: dict[_Question, _Kept] = {}

    def read(
        self, connection: Connection, store: int, local: LocalTime, at: int, group: int | None = None, histograms: bool = False
    ) -> Standing:
        """At `at` (epoch ms), of the sessions of one group or of all; presence is only known of all.

        histograms: also the bins that percentiles are made of.
        """
        day = local.day(at)
        kept = self._up_to_date(connection, _Question(store, day, group, histograms))
        numbers = {agent: counts.copy() for agent, counts in kept.counted.items()}
        whole = kept.summed.copy()
        for agent, open_ in kept.open.items():
            gauges = _gauges(open_, agent, at)
            numbers.setdefault(agent, {}).update(gauges)
            longest = max(whole.get("longest_wait_ms", -1), gauges.pop("longest_wait_ms", -1))
            _add(whole, gauges, 1)
            if longest >= 0:
                whole["longest_wait_ms"] = longest
        if group is None:
            _add_presence(numbers, whole, kept.present, local, day, at)
        return Standing(numbers, whole, kept.roster)

    def _up_to_date(self, connection: Connection, question: _Question) -> _Kept:
        held = self._kept.get(question)
        revision, topics, agents = touched_since(connection, question.store, -1 if held is None else held.revision)
        if held is not None and revision == held.revision:
            return held
        if held is None or agents is None or len(agents) > _MOST_TOUCHED:
            fresh = self._read(connection, question, revision)
        else:
            fresh = self._catch_up(connection, question, held, revision, {*agents, 0}, bool(topics & _PRESENCE))
        self._keep(question, fresh)
        return fresh

    def _read(self, connection: Connection, question: _Question, revision: int) -> _Kept:
        counted = sums(connection, _slice(question), ("agent_id",), question.histograms)
        open_ = _open_sessions(connection, question, None)
        present, roster = present_since(connection, question.store), _roster(connection, question.store)
        return _Kept(revision, counted, total(counted.values()), open_, present, roster, _agents(connection, question.store))

    def _catch_up(
        self, connection: Connection, question: _Question, held: _Kept, revision: int, touched: Collection[int], moved: bool
    ) -> _Kept:
        counted, summed, open_ = dict(held.counted), dict(held.summed), dict(held.open)
        fresh = sums(connection, _slice(question, tuple(touched)), ("agent_id",), question.histograms)
        still_open = _open_sessions(connection, question, touched)
        for agent in touched:
            _add(summed, counted.pop(agent, {}), -1)
            open_.pop(agent, None)
        for counts in fresh.values():
            _add(summed, counts, 1)
        # A session, or a colleague's word in one, may be the first that is heard of an agent.
        moved = moved or _agents(connection, question.store) != held.agents
        present = present_since(connection, question.store) if moved else held.present
        roster = _roster(connection, question.store) if moved else held.roster
        agents = _agents(connection, question.store) if moved else held.agents
        return _Kept(revision, counted | fresh, {name: n for name, n in summed.items() if n}, open_ | still_open, present, roster, agents)

    def _keep(self, question: _Question, fresh: _Kept) -> None:
        kept = {other: held for other, held in self._kept.items() if other.store != question.store or other.day >= question.day}
        kept.pop(question, None)
        self._kept = {**dict(list(kept.items())[1 - _MOST_KEPT :]), question: fresh}


def _slice(question: _Question, agents: tuple[int, ...] | None = None) -> Slice:
    return Slice(question.store, question.day, question.day, group=question.group, agents=agents)


def _add(into: Counts, counts: Counts, sign: int) -> None:
    for name, n in counts.items():
        into[name] = into.get(name, 0) + sign * n


def _add_presence(
    numbers: dict[int, Counts], whole: Counts, present: Iterable[tuple[int, int, int]], local: LocalTime, day: int, at: int
) -> None:
    """Adds the time of everyone present since the last change point, as far as it belongs to the day of `at`."""
    start = local.start_of_day(day)
    even = local.offset(start) == local.offset(at)
    for agent, state, since in present:
        since = max(since, start)
        if since >= at:
            continue
        spent = at - since if even else sum(ms for in_day, _, ms in local.split(since, at) if in_day == day)
        mine = numbers.setdefault(agent, {})
        for name in counters_of(state):
            mine[name] = mine.get(name, 0) + spent
            whole[name] = whole.get(name, 0) + spent


def _gauges(open_: _Open, agent: int, at: int) -> Counts:
    gauges: Counts = {"waiting": open_.waiting, "pending": sum(since > at - PENDING_MS for since in open_.pending)}
    if agent:
        gauges["active"] = open_.active
    if open_.oldest_wait is not None:
        gauges["longest_wait_ms"] = max(0, at - open_.oldest_wait)
    return gauges


def _roster(connection: Connection, store: int) -> list[Agent]:
    a = schema.agents.c
    columns = (a.id, a.code, a.name, a.team, a.capacity, a.state, a.state_since)
    return [Agent(*row) for row in connection.execute(select(*columns).where(a.store_id == store, a.active).order_by(a.code))]


def _agents(connection: Connection, store: int) -> int:
    return int(connection.execute(_AGENTS, {"p_store": store}).scalar_one())


def _open_sessions(connection: Connection, question: _Question, agents: Iterable[int] | None) -> dict[int, _Open]:
    parameters = {"p_store": question.store, "p_group": question.group, "p_agents": list(agents or ())}
    found: dict[int, list[tuple[int | None, int | None]]] = {}
    statement = _OPEN[question.group is not None, agents is not None]
    for agent, day, waiting, first_customer, first_reply, transferred in connection.execute(statement, parameters):
        settled = first_reply is not None or first_customer is None or day != question.day
        pending = None if settled else max(first_customer, transferred or 0)
        found.setdefault(agent, []).append((waiting, pending))
    return {
        agent: _Open(
            len(sessions),
            sum(waiting is not None for waiting, _ in sessions),
            min((waiting for waiting, _ in sessions if waiting is not None), default=None),
            tuple(pending for _, pending in sessions if pending is not None),
        )
        for agent, sessions in found.items()
    }


def _open_statement(of_group: bool, of_agents: bool) -> Select[Any]:
    s = schema.sessions.c
    where = (s.store_id == bindparam("p_store")) & s.closed_at.is_(None) & s.opened_at.is_not(None) & (s.kind == ONLINE)
    if of_group:
        where &= s.group_id == bindparam("p_group")
    if of_agents:
        where &= s.agent_id.in_(bindparam("p_agents", expanding=True))
    return select(s.agent_id, s.day, s.waiting_since, s.first_customer_at, s.first_reply_ms, s.transferred_at).where(where)


_AGENTS = select(func.count()).select_from(schema.agents).where(schema.agents.c.store_id == bindparam("p_store"))
_OPEN = {(group, agents): _open_statement(group, agents) for group in (False, True) for agents in (False, True)}
