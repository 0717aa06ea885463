"""What the live pages show: the store and every seat at this moment.

Numbers of the day come from the day's counters, gauges (active, waiting …) from the open sessions alone, so a refresh costs the
same after a day and after a year. `at` is the moment the answer is for: now, unless a caller asks otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, func, or_, select

from app.domain.conversation import CHANNELS, CLOSERS, LEAVE, ONLINE, PAGES, REASONS
from app.domain.counters import Counts
from app.domain.language import T
from app.domain.localtime import SLOTS_PER_DAY, LocalTime
from app.domain.metrics import METRICS, Metric, total
from app.domain.naming import told_apart
from app.domain.presence import AVAILABLE, AWAY, OFFLINE, STATES, SUSPENDED
from app.domain.routing.reasons import Waits
from app.domain.settings import Effective
from app.services.decisions import waiting
from app.services.leave_cover import uncovered
from app.services.people import called
from app.services.standing import Standing, Standings
from app.storage import schema
from app.storage.packing import CONTENTS, SENDERS, unpack_messages
from app.storage.queries import Slice, sums

if TYPE_CHECKING:
    from app.services.workspace import StoreInfo, Workspace

SILENT_MS = 180_000
STUCK_LEAVE_MS = 3_600_000
_HISTORY_KEPT_SECONDS = 30
"""Of this computer's time: what is late, credited later or still being filled in changes the days before, too."""
_DAYS_KEPT = 64
_NEEDS_LIMIT = 100
_NEVER_SECONDS = 1e9

Value = float | int | None
State = Literal["available", "away", "suspended", "offline"]


@dataclass(frozen=True, slots=True)
class GroupInfo:
    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class SeatRow:
    """One agent now. `numbers`: the day's counters and this moment's gauges, for any metric of the catalogue."""

    id: int
    code: str
    name: str
    team: str
    capacity: int | None
    state: State
    state_since: int | None
    numbers: Counts


@dataclass(frozen=True, slots=True)
class Seats:
    """`rows` in order of code; `numbers` of the whole slice (its total row); `groups` and `teams` to filter by."""

    at: int
    rows: list[SeatRow]
    numbers: Counts
    groups: list[GroupInfo]
    teams: list[str]
    settings: Effective = field(default_factory=Effective)

    def value(self, row: SeatRow, key: str) -> Value:
        return METRICS[key].value(row.numbers, self.settings.window, pending=True)


@dataclass(frozen=True, slots=True)
class Overview:
    """The store now, and what the same counters were at the same time yesterday and a week ago (None: no data that day)."""

    at: int
    numbers: Counts
    yesterday: Counts | None
    week_ago: Counts | None
    groups: list[GroupInfo]
    settings: Effective = field(default_factory=Effective)

    def value(self, key: str) -> Value:
        return METRICS[key].value(self.numbers, self.settings.window, pending=True)

    def change(self, key: str, against: Literal["yesterday", "week_ago"]) -> tuple[Value, Value]:
        """(value then, difference now − then); None where either has no value or the metric has no past."""
        then_numbers = self.yesterday if against == "yesterday" else self.week_ago
        metric = METRICS[key]
        if then_numbers is None or metric.live:
            return None, None
        then, now = metric.value(then_numbers, self.settings.window), self.value(key)
        return then, None if then is None or now is None else now - then


@dataclass(frozen=True, slots=True)
class Curves:
    """Steps of a day: `minutes[i]` after local midnight is where step i begins; None where there is no value or not yet one."""

    step: int
    minutes: list[int]
    today: dict[str, list[Value]]
    yesterday: dict[str, list[Value]]
    usual: dict[str, list[Value]]
    """Mean of the last 7 same weekdays that have data: counts divided by their number, ratios pooled."""
    usual_days: int
    settings: Effective = field(default_factory=Effective)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person now; `agent` and `session` are codes of what it is about."""

    kind: Literal["waiting", "unassigned", "full", "silent", "leave", "uncovered"]
    level: Literal["warn", "alarm"]
    title: T
    since: int | None
    agent: str | None = None
    agent_name: str = ""
    session: str | None = None
    customer: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session in a list. Times epoch ms; `waiting_since` only while the customer waits for a reply."""

    id: int
    code: str
    customer: str
    customer_name: str
    agent: str | None
    agent_name: str
    group: str
    kind: str
    channel: str
    page: str
    region: str
    opened_at: int
    first_reply_ms: int | None
    waiting_since: int | None
    agent_messages: int
    customer_messages: int
    rating: int
    closed_at: int | None
    closed_by: str
    reason: str
    waits: Waits | None = None
    """Nobody has it, though `agent` may still tell who had it before."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Presence from `start` to `end` (epoch ms); the running one ends at the moment of asking."""

    state: State
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AgentDay:
    """One agent's day for the drawer; `day_start` and `day_end` are the store's midnights around it."""

    seat: SeatRow
    at: int
    day_start: int
    day_end: int
    presence: list[Interval]
    open_sessions: list[SessionInfo]
    curves: Curves


@dataclass(frozen=True, slots=True)
class Message:
    at: int
    sender: Literal["customer", "agent", "bot", "system"]
    name: str
    content: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    session: SessionInfo
    messages: list[Message]


@dataclass(slots=True)
class _Day:
    """A day's counters by slot; history hardly changes, so it is kept for a while. `until`: a slot, and the sum up to it."""

    read_at: float
    slots: dict[int, Counts]
    until: tuple[int, Counts] | None = None


@dataclass(slots=True)
class LiveService:
    workspace: Workspace
    _days: dict[tuple[int, int, int | None, int | None], _Day] = field(default_factory=dict)
    _standings: Standings = field(default_factory=Standings)

    # -- store --

    def overview(self, store: StoreInfo, group: int | None = None, at: int | None = None) -> Overview:
        local, at = self._moment(store, at)
        with self.workspace.database.read() as connection:
            _, numbers = self._seats(connection, store.id, local, at, group)
            day, slot = local.day_slot(at)
            return Overview(
                at,
                numbers,
                self._until(connection, store.id, day - 1, slot, group),
                self._until(connection, store.id, day - 7, slot, group),
                _groups(connection, store.id),
                self.workspace.settings.effective(connection, store.id),
            )

    def curves(
        self, store: StoreInfo, keys: Sequence[str], step: int, group: int | None = None, agent: int | None = None, at: int | None = None
    ) -> Curves:
        """Today against yesterday and the mean of the last 7 same weekdays, in steps of `step` minutes (5, 30 or 60)."""
        local, at = self._moment(store, at)
        day, slot = local.day_slot(at)
        with self.workspace.database.read() as connection:
            today = self._slots(connection, store.id, day, group, agent, fresh=True)
            yesterday = self._slots(connection, store.id, day - 1, group, agent)
            usual = [self._slots(connection, store.id, day - 7 * week, group, agent) for week in range(1, 8)]
            settings = self.workspace.settings.effective(connection, store.id)
        usual = [slots for slots in usual if slots]
        width = step // 5
        steps = range(SLOTS_PER_DAY // width)
        now_step = slot // width

        def at_step(slots: dict[int, Counts], index: int) -> Counts:
            return total(slots[s] for s in range(index * width, (index + 1) * width) if s in slots)

        today_rows = [at_step(today, i) if i <= now_step else None for i in steps]
        yesterday_rows = [at_step(yesterday, i) if yesterday else None for i in steps]
        usual_rows = [total(at_step(slots, i) for slots in usual) if usual else None for i in steps]

        def values(rows: Sequence[Counts | None], share: int = 1) -> dict[str, list[Value]]:
            found: dict[str, list[Value]] = {}
            for key in keys:
                metric = METRICS[key]
                line = [None if row is None else metric.value(row, settings.window) for row in rows]
                found[key] = [None if v is None else v if metric.is_ratio else v / share if share > 1 else v for v in line]
            return found

        minutes, lines = [i * step for i in steps], (values(today_rows), values(yesterday_rows), values(usual_rows, len(usual)))
        return Curves(step, minutes, *lines, len(usual), settings)

    def needs(self, store: StoreInfo, group: int | None = None, at: int | None = None) -> list[Need]:
        """What needs somebody now, the worst first: customers waiting beyond the limit, full and silent agents, stuck leave messages, and
        that nobody is there for them."""
        local, at = self._moment(store, at)
        s, a, c = schema.sessions.c, schema.agents.c, schema.customers.c
        found: list[Need] = []
        with self.workspace.database.read() as connection:
            seats, _ = self._seats(connection, store.id, local, at, group)
            longest = self.workspace.settings.effective(connection, store.id).metrics["longest_wait"]
            limit, alarm = _limits(longest)
            waiting = (
                select(s.code, s.waiting_since, a.code.label("agent"), c.name.label("customer"), c.code.label("who"))
                .select_from(
                    schema.sessions.outerjoin(schema.agents, a.id == s.agent_id).outerjoin(schema.customers, c.id == s.customer_id)
                )
                .where(_open(store.id, group), s.kind == ONLINE, s.waiting_since <= at - limit * 1000)
                .order_by(s.waiting_since)
                .limit(_NEEDS_LIMIT)
            )
            names = {seat.code: seat.name for seat in seats}
            for row in connection.execute(waiting):
                found.append(
                    Need(
                        "waiting" if row.agent else "unassigned",
                        "alarm" if at - row.waiting_since >= alarm * 1000 else "warn",
                        T("客户等待回复", "Customer waiting") if row.agent else T("客户等待分配", "Customer waiting for an agent"),
                        row.waiting_since,
                        row.agent,
                        names.get(row.agent, row.agent or ""),
                        row.code,
                        row.customer or row.who or "",
                    )
                )
            stuck = connection.execute(
                select(func.count(), func.min(s.opened_at)).where(
                    _open(store.id, group), s.kind == LEAVE, s.agent_messages == 0, s.opened_at <= at - STUCK_LEAVE_MS
                )
            ).one()
            alone = uncovered(connection, store.id, local, at)
            spoke = self._last_words(connection, store.id, [seat.id for seat in seats if seat.numbers.get("waiting", 0)])
        if stuck[0]:
            found.append(
                Need("leave", "warn", T("留言超过1小时未处理", "Leave messages untouched for over an hour"), stuck[1], count=stuck[0])
            )
        if alone is not None:
            found.append(Need("uncovered", "warn", T("没有人接留言", "Nobody for leave messages"), alone[1], count=alone[0]))
        for seat in seats:
            if seat.capacity and seat.numbers.get("active", 0) >= seat.capacity and seat.state != "offline":
                found.append(
                    Need("full", "warn", T("坐席已满载", "Agent at cap"), None, seat.code, seat.name, count=seat.numbers["active"])
                )
            wait = seat.numbers.get("longest_wait_ms", 0)
            last = spoke.get(seat.id)
            if seat.state in ("available", "away") and wait >= SILENT_MS and (last is None or last <= at - SILENT_MS):
                found.append(
                    Need("silent", "alarm", T("坐席长时间没有回复", "Agent has gone silent"), last, seat.code, seat.name,
                         count=seat.numbers["waiting"])
                )  # fmt: skip
        order = {"silent": 0, "unassigned": 1, "waiting": 2, "full": 3, "uncovered": 4, "leave": 5}
        found.sort(key=lambda n: (n.level != "alarm", order[n.kind], n.since or at))
        return found

    # -- seats --

    def seats(self, store: StoreInfo, group: int | None = None, at: int | None = None, percentiles: bool = True) -> Seats:
        """percentiles: whether they are wanted too; the histograms behind them cost three times as much as all the rest."""
        local, at = self._moment(store, at)
        with self.workspace.database.read() as connection:
            rows, numbers = self._seats(connection, store.id, local, at, group, percentiles)
            teams = sorted({row.team for row in rows if row.team})
            return Seats(at, rows, numbers, _groups(connection, store.id), teams, self.workspace.settings.effective(connection, store.id))

    def agent_day(self, store: StoreInfo, agent: str, at: int | None = None) -> AgentDay | None:
        """One agent's today: presence, trend in half hours, current sessions; None for an unknown code."""
        local, at = self._moment(store, at)
        day = local.day(at)
        start, end = local.start_of_day(day), local.start_of_day(day + 1)
        with self.workspace.database.read() as connection:
            seats, _ = self._seats(connection, store.id, local, at, None)
            seat = next((row for row in seats if row.code == agent), None)
            if seat is None:
                return None
            points = _points(connection, seat.id, start, at)
            mine = _open(store.id, None) & (schema.sessions.c.agent_id == seat.id)
            listed = _session_list(connection, mine, {seat.code: seat.name})
            waits = waiting(connection, store.id, [each.id for each in listed], {seat.code: seat.name})
            open_sessions = [replace(each, waits=waits.get(each.id)) for each in listed]
        return AgentDay(
            seat,
            at,
            start,
            end,
            points,
            open_sessions,
            self.curves(store, ("consults", "received", "reply_30s_rate", "avg_reply"), 30, None, seat.id, at),
        )

    def transcript(self, store: StoreInfo, session: str) -> Transcript | None:
        """A session with its messages, oldest first; None for an unknown code."""
        self.workspace.actor.require("transcripts.view")
        s, t, a = schema.sessions.c, schema.transcripts.c, schema.agents.c
        with self.workspace.database.read() as connection:
            named = called(connection, store.id)
            found = _session_list(connection, (s.store_id == store.id) & (s.code == session), named)
            if not found:
                return None
            info = found[0]
            if info.closed_at is None:
                info = replace(info, waits=waiting(connection, store.id, [info.id], named).get(info.id))
            packed = connection.execute(select(t.messages).where(t.session_id == info.id)).scalar()
            spoken = [] if packed is None else unpack_messages(packed)
            speakers = {agent for _, _, agent, _, _ in spoken}
            names = {r.id: named[r.code] for r in connection.execute(select(a.id, a.code).where(a.id.in_(speakers)))}
        messages = []
        for at, who_spoke, agent, content, body in spoken:
            sender = SENDERS[who_spoke]
            who = ""
            if sender == "customer":
                who = info.customer_name or info.customer
            elif sender == "agent":
                who = names.get(agent) or info.agent_name or info.agent or ""
            messages.append(Message(at, sender, who, CONTENTS[content], body))
        return Transcript(info, messages)

    # -- inside --

    def _moment(self, store: StoreInfo, at: int | None) -> tuple[LocalTime, int]:
        self.workspace.actor.require("live.view")
        return LocalTime(store.zone), self.workspace.now(store) if at is None else at

    def _seats(
        self, connection: Connection, store: int, local: LocalTime, at: int, group: int | None, histograms: bool = False
    ) -> tuple[list[SeatRow], Counts]:
        standing = self._standings.read(connection, store, local, at, group, histograms)
        members = None if group is None else _members(connection, store, group, local.day(at)) | set(standing.numbers)
        return _seats(standing, members)

    def _slots(
        self, connection: Connection, store: int, day: int, group: int | None, agent: int | None, fresh: bool = False
    ) -> dict[int, Counts]:
        return self._day(connection, store, day, group, agent, fresh).slots

    def _day(self, connection: Connection, store: int, day: int, group: int | None, agent: int | None, fresh: bool = False) -> _Day:
        key = (store, day, group, agent)
        held = self._days.get(key)
        now = time.monotonic()
        if fresh or held is None or now - held.read_at >= _HISTORY_KEPT_SECONDS:
            slots = sums(connection, Slice(store, day, day, agent, group), ("slot",))
            held = self._days[key] = _Day(now, slots)
            for old in list(self._days)[:-_DAYS_KEPT]:
                self._days.pop(old, None)  # another thread may have been quicker
        return held

    def _until(self, connection: Connection, store: int, day: int, slot: int, group: int | None) -> Counts | None:
        held = self._day(connection, store, day, group, None)
        if not held.slots:
            return None
        if held.until is None or held.until[0] != slot:
            held.until = slot, total(counts for s, counts in held.slots.items() if s <= slot)
        return held.until[1]

    def _last_words(self, connection: Connection, store: int, agents: list[int]) -> dict[int, int]:
        if not agents:
            return {}
        s = schema.sessions.c
        statement = (
            select(s.agent_id, func.max(s.last_reply_at))
            .where(_open(store, None), s.agent_id.in_(agents), s.last_reply_at.is_not(None))
            .group_by(s.agent_id)
        )
        return {row[0]: row[1] for row in connection.execute(statement)}


def _limits(metric: Metric) -> tuple[float, float]:
    """Warn and alarm of something that should be small; what is not set is never reached."""
    alarm = _NEVER_SECONDS if metric.alarm is None else metric.alarm
    return alarm if metric.warn is None else metric.warn, alarm


def _open(store: int, group: int | None):  # type: ignore[no-untyped-def]
    s = schema.sessions.c
    where = (s.store_id == store) & s.closed_at.is_(None) & s.opened_at.is_not(None)
    return where if group is None else where & (s.group_id == group)


def _groups(connection: Connection, store: int) -> list[GroupInfo]:
    g = schema.skill_groups.c
    return [
        GroupInfo(r.id, r.code, r.name or r.code)
        for r in connection.execute(select(g.id, g.code, g.name).where(g.store_id == store).order_by(g.code))
    ]


def _seats(standing: Standing, members: set[int] | None) -> tuple[list[SeatRow], Counts]:
    """(everyone in use, or the members among them; the numbers of the whole slice with the sessions of nobody and the seats by state)."""
    numbers, whole, roster = standing
    rows: list[SeatRow] = []
    serving = 0
    states = [0] * len(STATES)
    names = told_apart((agent.code, agent.name) for agent in roster)
    for id, code, _, team, capacity, state, since in roster:
        if members is not None and id not in members:
            continue
        mine = numbers.setdefault(id, {})
        active = mine.get("active", 0)
        if capacity is not None:
            mine["capacity"] = capacity
            whole["capacity"] = whole.get("capacity", 0) + capacity
            if active:
                mine["active_capped"] = active
                whole["active_capped"] = whole.get("active_capped", 0) + active
        states[state] += 1
        serving += bool(active) and state in (AVAILABLE, AWAY)
        rows.append(SeatRow(id, code, names[code], team, capacity, STATES[state], since, mine))  # type: ignore[arg-type]
    whole["seats_total"], whole["seats_online"] = len(rows), len(rows) - states[OFFLINE]
    whole["seats_suspended"], whole["seats_offline"], whole["seats_serving"] = states[SUSPENDED], states[OFFLINE], serving
    return rows, whole


def _members(connection: Connection, store: int, group: int, day: int) -> set[int]:
    """Who has worked in the group within a week."""
    d = schema.day_counters.c
    found = connection.execute(
        select(d.agent_id).distinct().where(d.store_id == store, d.day >= day - 7, d.day <= day, d.group_id == group, d.agent_id != 0)
    )
    return {row[0] for row in found}


def _points(connection: Connection, agent: int, start: int, at: int) -> list[Interval]:
    p = schema.presence.c
    before = select(func.max(p.at)).where(p.agent_id == agent, p.at < start).scalar_subquery()
    rows = connection.execute(
        select(p.at, p.state).where(p.agent_id == agent, p.at <= at, or_(p.at >= start, p.at == before)).order_by(p.at, p.state)
    ).all()
    found: list[Interval] = []
    for i, (since, state) in enumerate(rows):
        until = rows[i + 1][0] if i + 1 < len(rows) else at
        since = max(since, start)
        if until > since:
            if found and found[-1].state == STATES[state]:
                since = found.pop().start
            found.append(Interval(STATES[state], since, until))  # type: ignore[arg-type]
    return found


def _session_list(connection: Connection, where, names: Mapping[str, str], limit: int = 500) -> list[SessionInfo]:  # type: ignore[no-untyped-def]
    """names: what agents are called, by code."""
    s, a, c, g = schema.sessions.c, schema.agents.c, schema.customers.c, schema.skill_groups.c
    statement = (
        select(
            s.id, s.code, c.code.label("who"), c.name.label("customer_name"), a.code.label("agent"),
            g.name.label("group_name"), g.code.label("group_code"), s.kind, s.channel, s.page, s.region, s.opened_at,
            s.first_reply_ms, s.waiting_since, s.agent_messages, s.customer_messages, s.rating, s.closed_at, s.closed_by, s.reason,
        )
        .select_from(
            schema.sessions.outerjoin(schema.agents, a.id == s.agent_id)
            .outerjoin(schema.customers, c.id == s.customer_id)
            .outerjoin(schema.skill_groups, g.id == s.group_id)
        )
        .where(where)
        .order_by(s.opened_at)
        .limit(limit)
    )  # fmt: skip
    return [
        SessionInfo(
            r.id, r.code, r.who or "", r.customer_name or "", r.agent, names.get(r.agent, ""), r.group_name or r.group_code or "",
            "leave" if r.kind == LEAVE else "online", CHANNELS[r.channel], PAGES[r.page], r.region, r.opened_at, r.first_reply_ms,
            r.waiting_since, r.agent_messages, r.customer_messages, r.rating, r.closed_at, CLOSERS[r.closed_by], REASONS[r.reason],
        )
        for r in connection.execute(statement)
    ]  # fmt: skip
