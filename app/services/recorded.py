"""Recorded sessions and presence of some days, read from the database as columns for a replay."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from statistics import median_low
from threading import Event
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, func, select

from app.domain.conversation import FLAGS, KINDS, LEAVE, ONLINE, ORDER_STATES, PAGES
from app.domain.language import T
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, STATES
from app.domain.recording import HandOver, Recording, Served, Stint, handling_of
from app.domain.routing.router import RETURNING_MS
from app.domain.routing.scopes import AgentPlan, GroupPlan, NewSession
from app.services.hand_overs import LEFT, MANUAL, Asked, Had, HandOvers, Later
from app.storage import schema
from app.storage.faults import FaultError
from app.storage.packing import may_be_eventful

if TYPE_CHECKING:
    from app.services.sheets import Tell

_CHUNK = 1_000
"""Rows fetched at a time: more would hold up the window, which shares the interpreter with this thread."""
_BOT_ONLY = FLAGS.index("bot_only")
_WEIGHT = 6
_SAMPLED = 5
"""So many sessions before and after midnight tell who gave them to agents."""
REST = "-"
"""The code of the group that a derived plan gives sessions which were in no group."""


@dataclass(slots=True)
class Recorded:
    """A recording, and what is known of the store beside it.

    names: of agents, by code. groups: (code, name) in order. capacities: of agents as events tell, by code.
    served: {group code, "" for none: {agent code: sessions}} of the recorded days.
    unrouted: those of the days on which sessions were given to agents, none of them by an engine. made_by_day: it is a simulated store,
    whose past days know nothing of each other (docs/decisions/0016).
    """

    recording: Recording
    names: dict[str, str] = field(default_factory=dict)
    groups: list[tuple[str, str]] = field(default_factory=list)
    capacities: dict[str, int | None] = field(default_factory=dict)
    served: dict[str, Counter[str]] = field(default_factory=dict)
    unrouted: list[int] = field(default_factory=list)
    made_by_day: bool = False


def read_recorded(
    connection: Connection, store: int, local: LocalTime, first: int, last: int, tell: Tell | None = None, stop: Event | None = None
) -> Recorded:
    """The days `first` to `last`, and the 48 hours before them. tell(rows read, rows there are).

    Every session carries the tag `tag_of` its recorded group beside its customer's own, so that a plan can be derived from the record.
    Raises FaultError (kind "cancelled") when `stop` is set.
    """
    codes = _Codes(connection, store)
    start, end = local.start_of_day(first), local.start_of_day(last + 1)
    before = local.day(start - RETURNING_MS)
    of_days = _s.store_id == store, _s.day >= before, _s.day <= last
    about = _customers(connection, of_days)
    count = connection.execute(select(func.count()).select_from(schema.sessions).where(*of_days)).scalar_one()
    presence = _presence(connection, store, codes, start - RETURNING_MS, end)
    found = _Columns(start, end, codes, about, HandOvers(presence, _asked(connection, store, start - RETURNING_MS, end)))
    done = 0
    heard = schema.sessions.outerjoin(schema.decisions, and_(_d.session_id == _s.id, _d.number == 1))
    wanted = select(*_COLUMNS).select_from(heard).where(*of_days, _s.opened_at.is_not(None)).order_by(_s.opened_at, _s.id)
    for rows in _chunks(connection, wanted):
        if stop is not None and stop.is_set():
            raise cancelled()
        found.take(rows)
        done += len(rows)
        if tell is not None:
            tell(done, count)
    made_by_day, midnights = _is_made_by_day(connection, store), [local.start_of_day(day) for day in range(first, last + 2)]
    found.given.sort()
    recording = found.recording(presence, _anew(found.given, made_by_day, midnights))
    by_day = enumerate(_by_day(found.given, midnights), first)
    unrouted = [day for day, given in by_day if given and not any(ours for _, ours in given)]
    return Recorded(recording, codes.names, codes.named_groups, codes.capacities, found.served, unrouted, made_by_day)


def last_recorded(connection: Connection, store: int, last: int) -> int:
    """The last day up to `last` with a session; 0 without any."""
    day: int | None = connection.execute(select(func.max(_s.day)).where(_s.store_id == store, _s.day <= last)).scalar()
    return day or 0


def tag_of(group: str) -> str:
    """The tag that stands for a recorded group; no source's tag begins like it."""
    return f"\x1f{group}"


def cancelled() -> FaultError:
    return FaultError("cancelled", T("已取消试算。", "The replay was cancelled."))


def derived_groups(found: Recorded) -> list[GroupPlan]:
    """Groups as the record has them: each takes the sessions that were in it, its members are who had any, all with the same weight."""
    plans = []
    for code, name in found.groups:
        if code in found.served:
            weights = dict.fromkeys(sorted(found.served[code]), _WEIGHT)
            scope = {"customer_tags": frozenset({tag_of(code)})}
            plans.append(GroupPlan(code, name or code, True, False, False, scope, weights))
    if "" in found.served or not plans:
        weights = dict.fromkeys(sorted(found.served.get("", ())) or sorted(found.capacities), _WEIGHT)
        plans.append(GroupPlan(REST, REST, True, False, True, {}, weights))
    return plans


def told_agents(found: Recorded) -> list[AgentPlan]:
    """Agents as events tell of them."""
    return [AgentPlan(code, found.names.get(code, code), capacity) for code, capacity in sorted(found.capacities.items())]


_s, _d = schema.sessions.c, schema.decisions.c
_COLUMNS = (
    _s.code, _s.customer_id, _s.opened_at, _s.assigned_at, _s.closed_at, _s.kind, _s.page, _s.sku_id, _s.region, _s.order_state,
    _s.agent_id, _s.group_id, _s.reason, _s.transfers, _s.flag, _s.first_customer_at, _s.facts, _d.at,
)  # fmt: skip


class _Codes:
    """What the small tables call their ids."""

    def __init__(self, connection: Connection, store: int) -> None:
        a, g, k = schema.agents.c, schema.skill_groups.c, schema.skus.c
        self.agents: dict[int, str] = {}
        self.names: dict[str, str] = {}
        self.capacities: dict[str, int | None] = {}
        for id, code, name, capacity in connection.execute(select(a.id, a.code, a.name, a.capacity).where(a.store_id == store)):
            self.agents[id] = code
            self.names[code] = name or code
            self.capacities[code] = capacity
        groups = connection.execute(select(g.id, g.code, g.name).where(g.store_id == store).order_by(g.id)).all()
        self.groups = {id: code for id, code, _ in groups}
        self.named_groups = [(code, name) for _, code, name in groups]
        self.skus = {row.id: row.code for row in connection.execute(select(k.id, k.code).where(k.store_id == store))}


_session_of = partial(tuple.__new__, NewSession)  # as NewSession(*fields), in half the time


class _Columns:
    """The columns of a Recording as they are filled."""

    def __init__(
        self, start: int, end: int, codes: _Codes, about: dict[int, tuple[str, tuple[str, ...]]], hand_overs: HandOvers
    ) -> None:  # fmt: skip
        self._start, self._end, self._codes, self._about, self._hand_overs = start, end, codes, about, hand_overs
        self._sessions: list[NewSession] = []
        self._opened: list[int] = []
        self._times: list[tuple[int, int | None, int | None]] = []
        """(kind, assigned, closed or handed over)"""
        self._left: list[int | None] = []
        self._agents: list[str] = []
        self._waits: list[int | None] = []
        self._before: list[tuple[NewSession, list[Stint], int | None, list[int]]] = []
        self._later: dict[str, tuple[int, list[Later]]] = {}
        """{session: (kind, hand-overs to come)}"""
        self._chosen: dict[str, tuple[int, str, str]] = {}
        self._tags: dict[str, tuple[str, ...]] = {}
        self._heard = False
        """A customer has written: the source tells messages."""
        self._moved = False
        """Somebody asked later than they opened their session."""
        self._silent: set[int] = set()
        """Online sessions that nobody had and in which the customer never wrote."""
        self.served: dict[str, Counter[str]] = defaultdict(Counter)
        self.given: list[tuple[int, bool]] = []
        """(when, by an engine) of all that somebody had."""

    def take(self, rows: Sequence[Any]) -> None:
        start, end, agents, groups, skus, about, asked = (
            self._start, self._end, self._codes.agents, self._codes.groups, self._codes.skus, self._about, self._hand_overs.asked,
        )  # fmt: skip
        nobody = "", ()
        for (
            code, customer, opened, assigned, closed, kind, page, sku, region, order_state, agent, group, reason, transfers,
            flag, wrote, facts, heard,
        ) in rows:  # fmt: skip
            if opened >= end or (flag == _BOT_ONLY and not agent):
                continue
            had: Had | None = None
            if agent and (transfers or reason == MANUAL or may_be_eventful(facts) or code in asked):
                had = self._hand_overs.of(code, (assigned, agent, group, reason), facts, closed, self._codes)
                assigned, group, reason = had.assigned, had.group, had.reason
            if wrote is not None and kind != LEAVE and opened < wrote and (assigned is None or wrote <= assigned):
                opened = wrote
                if opened >= end:
                    continue
            home, tags = about.get(customer, nobody)
            name = groups.get(group, "")
            if name:
                known = self._tags.get(name)
                if known is None:
                    known = self._tags[name] = (tag_of(name),)
                tags = tags + known if tags else known
            left = kind == LEAVE or (opened < start and reason == LEFT)
            session = _session_of((
                code, str(customer), "leave" if left else "online", PAGES[page], skus.get(sku, ""), region or home,
                ORDER_STATES[order_state], tags,
            ))  # fmt: skip
            if assigned is not None:
                self.given.append((assigned, heard is not None))
            if opened < start:
                if agent and assigned is not None and assigned < start:
                    first = Stint(assigned, agents[agent], name, reason != MANUAL)
                    self._take_before(session, kind, had.stints if had is not None else [first], closed, had, heard is not None)
                continue
            if wrote is not None:
                self._heard = True
            elif not agent and kind != LEAVE:
                self._silent.add(len(self._sessions))
            taken = bool(agent) and assigned is not None and assigned < end
            until = assigned if taken else closed if not agent and closed is not None and closed < end else None
            self._waits.append(None if until is None or kind == LEAVE or reason == LEFT else max(0, until - opened))
            if heard is not None and opened < heard < end:
                opened, assigned = heard - 1, heard - 1 if assigned == heard else assigned
                self._moved = True
            self._sessions.append(session)
            self._opened.append(opened)
            if had is None or not had.later:
                self._times.append((kind or ONLINE, assigned, closed))
            else:
                self._times.append((kind or ONLINE, assigned, had.later[0].at))
                self._later[code] = kind or ONLINE, [*had.later]
            if had is not None and had.chosen is not None:
                self._chosen[code] = had.chosen
            self._left.append(None if agent or closed is None else closed)
            self._agents.append("" if not taken else agents[agent] if had is None else _owner(had.stints, end - 1)[0])
            if agent:
                self.served[name][agents[agent]] += 1
                if had is not None:
                    for stint in had.stints:
                        self.served[stint.group][stint.agent] += 1
            else:
                self.served[name]  # a group in which nobody had any is one, too

    def _take_before(
        self, session: NewSession, kind: int, had_by: Sequence[Stint], closed: int | None, had: Had | None, decided: bool
    ) -> None:  # fmt: skip
        """decided: by an engine, so before whatever happened at the same moment."""
        stints = [stint._replace(at=stint.at - decided) for stint in had_by if stint.at < self._start]
        if had is None:
            self._before.append((session, stints, closed, []))
            return
        later = [each for each in had.later if each.at >= self._start]
        if later:
            self._later[session.id] = kind or ONLINE, later
        paused = [each for each in had.later if each.pause and each.since < self._start]
        again = [Stint(each.since, *_owner(had.stints, each.at), False) for each in paused]
        self._before.append((session, sorted([*stints, *again]), later[0].at if later else closed, [each.at for each in paused]))

    def recording(self, presence: Sequence[Any], anew: Sequence[tuple[int, bool]]) -> Recording:
        if self._heard or self._moved:
            silent = self._silent if self._heard else ()
            kept = [position for position in range(len(self._opened)) if position not in silent]
            self._arrange(sorted(kept, key=self._opened.__getitem__))

        @cache
        def median(kind: int) -> int | None:
            known = [closed - assigned for k, assigned, closed in self._times if k == kind and assigned is not None and closed is not None]
            return max(0, median_low(known)) if known else None

        handling = [
            closed - assigned
            if assigned is not None and closed is not None and assigned < closed
            else handling_of(at, assigned, closed, median(kind))
            for at, (kind, assigned, closed) in zip(self._opened, self._times)
        ]
        before = [
            Served(session, stints, at + handling_of(at, at, until, median(KINDS.index(session.kind))), paused)
            for session, stints, until, paused in self._before
            for at in (stints[-1].at,)
        ]
        hand_overs = {code: [_as_replayed(each, median(kind)) for each in later] for code, (kind, later) in self._later.items()}
        return Recording(
            self._start, self._end, self._sessions, self._opened, handling, self._left, self._agents, self._waits, presence, before,
            hand_overs, self._chosen, anew,
        )  # fmt: skip

    def _arrange(self, positions: Sequence[int]) -> None:
        """These alone, in this order."""
        columns: tuple[list[Any], ...] = self._sessions, self._opened, self._times, self._left, self._agents, self._waits
        for column in columns:
            column[:] = [column[position] for position in positions]


def _owner(stints: Sequence[Stint], at: int) -> tuple[str, str]:
    """(agent, group) at a moment."""
    return next(stint for stint in reversed(stints) if stint.at <= at)[1:3]


def _as_replayed(each: Later, median: int | None) -> HandOver:
    handling = handling_of(each.since, each.since, each.until, median)
    return HandOver(each.agent, each.group, handling, each.since - each.at if each.pause else None)


def _chunks(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from connection.execute(statement, execution_options={"yield_per": _CHUNK}).partitions()


def _customers(connection: Connection, of_days: Sequence[Any]) -> dict[int, tuple[str, tuple[str, ...]]]:
    """{customer: (region, tags)} of those of whom either is known."""
    c = schema.customers.c
    wanted = select(_s.customer_id).where(*of_days)
    statement = select(c.id, c.region, c.tags).where(c.id.in_(wanted), (c.tags != "[]") | (c.region != ""))
    decoded: dict[str, tuple[str, ...]] = {}
    found = {}
    for rows in _chunks(connection, statement):
        for id, region, tags in rows:
            if tags not in decoded:
                decoded[tags] = tuple(json.loads(tags))
            found[id] = region, decoded[tags]
    return found


def _presence(connection: Connection, store: int, codes: _Codes, start: int, end: int) -> list[Any]:
    """(at, agent, state): how everybody stood at `start`, then what changed before `end`."""
    a, p = schema.agents.c, schema.presence.c
    other = schema.presence.alias()
    last = select(func.max(other.c.at)).where(other.c.agent_id == a.id, other.c.at <= start).scalar_subquery()
    at_start = {}
    joined = schema.agents.join(schema.presence, p.agent_id == a.id)
    for agent, at, state in connection.execute(
        select(p.agent_id, p.at, p.state).select_from(joined).where(a.store_id == store, p.at == last).order_by(p.agent_id, p.state)
    ):
        at_start[agent] = at, state
    found = [(at, codes.agents[agent], STATES[state]) for agent, (at, state) in at_start.items() if state != OFFLINE]
    changes = (
        select(p.at, p.agent_id, p.state)
        .select_from(joined)
        .where(a.store_id == store, p.at > start, p.at < end)
        .order_by(p.at, p.agent_id, p.state)
    )
    for rows in _chunks(connection, changes):
        found += [(at, codes.agents[agent], STATES[state]) for at, agent, state in rows]
    return found


def _asked(connection: Connection, store: int, since: int, until: int) -> dict[str, list[Asked]]:
    """{session: what supervisors and agents asked for, and got}, in order."""
    c = schema.commands.c
    found: dict[str, list[Asked]] = defaultdict(list)
    done = c.store_id == store, c.done_at >= since, c.done_at < until, c.result == "", c.kind.in_(("move", "transfer"))
    for rows in _chunks(connection, select(c.done_at, c.body).where(*done).order_by(c.done_at, c.id)):
        for at, text in rows:
            body = json.loads(text)
            found[body["session"]].append(Asked(at, body.get("agent", ""), body.get("group", "")))
    return found


def _by_day(given: Sequence[tuple[int, bool]], midnights: Sequence[int]) -> Iterator[Sequence[tuple[int, bool]]]:
    """What is in order of time, by the days that begin at all but the last midnight."""
    for begin, end in pairwise(bisect_left(given, (midnight,)) for midnight in midnights):
        yield given[begin:end]


def _is_made_by_day(connection: Connection, store: int) -> bool:
    c = schema.source_progress.c
    return connection.execute(select(c.item).where(c.store_id == store, c.source == "simulator").limit(1)).first() is not None


def _anew(given: list[tuple[int, bool]], made_by_day: bool, midnights: Sequence[int]) -> list[tuple[int, bool]]:
    """When an engine took over from a source, whose turns nobody knows, and each midnight of days that were made one by one.

    given: (when, by an engine) of sessions, in order; midnights: of each day and the one after.
    """
    ends = [bisect_left(given, (midnight,)) for midnight in midnights]

    def by_engine(first: int, past: int) -> bool:
        few = given[max(0, first) : past]
        return 2 * sum(ours for _, ours in few) > len(few)

    found = []
    for end, past, begin in zip(ends, ends[1:], midnights):
        begins_so = by_engine(end, min(past, end + _SAMPLED))
        if begins_so and not by_engine(end - _SAMPLED, end):
            found.append((begin, False))
        elif not begins_so and made_by_day:
            found.append((begin, True))
        if not begins_so and by_engine(max(end, past - _SAMPLED), past):
            found.append((next(at for at, ours in given[end:past] if ours), False))
    return found
