"""What the counters of a store ought to be, from its facts: to check them, and to build them anew.

The facts of a session are folded again, orders are credited again, presence and visitors are counted again, window of days by
window of days, so that a store of any size fits in memory. Reading is by the same rules as recording (domain/), on other paths: nothing
is taken from the counters, and no difference is added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.domain import presence
from app.domain.attribution import FIFTEEN_DAYS, Order, sales
from app.domain.conversation import Session, contribution, fold
from app.domain.counters import HISTOGRAM_FIELDS, IMPORTED, SUM_FIELDS, Delta, Key, add
from app.domain.localtime import DAY_MS, SLOTS_PER_HALF, SLOTS_PER_HOUR, LocalTime
from app.domain.metrics import GAP_FIELDS
from app.storage import imported, schema
from app.storage.agent_days import FIELDS, assessed_rule, begin
from app.storage.bulk import Bulk, Row
from app.storage.packing import unpack_facts
from app.storage.recorder import SESSION_COLUMNS, add_counters, session_row
from app.storage.trade import load_orders, load_orders_of, load_sessions

_SESSIONS_AT_ONCE = 8_000
_DAYS_AT_ONCE = 31
_DAYS_OF_WEEKS = 28
_KEPT_FIELDS = frozenset(FIELDS)
_COUNTERS = ("slot_counters", "slot_histograms", "day_counters", "agent_days", "agent_hours", "group_halves", "imported_gaps")
_REACH = FIFTEEN_DAYS + DAY_MS
"""How far from a window lie the sessions and orders that decide its sales."""

_EARLIEST, _LATEST = 10_956, 47_483
"""The days that events may speak of (2000 to 2099), and one more at either side."""

Credits = dict[int, list[tuple[int, int, int]]]
"""{order id: credited sessions' ids per line, for 24h, 7d, 15d}"""


class Window(NamedTuple):
    """Local days, both included."""

    first: int
    last: int


class Expected(NamedTuple):
    """counters: the five-minute ones, histograms among them. credits: of orders placed in the window. stale: rows of sessions that say
    something else than their facts."""

    counters: Delta
    credits: Credits
    stale: int


class Recount:
    """One store within one transaction."""

    def __init__(self, bulk: Bulk, store: int) -> None:
        zone = bulk.rows("SELECT zone FROM stores WHERE id = ?", (store,))[0][0]
        self._bulk = bulk
        self._store = store
        self._local = LocalTime(zone)
        self._rule = assessed_rule(bulk, store)

    def windows(self) -> Iterator[Window]:
        """All days that have or ought to have counters, cut so that the sessions of each fit in memory."""
        per_day: dict[int, int] = dict(
            self._bulk.rows("SELECT day, count(*) FROM sessions WHERE store_id = ? AND day IS NOT NULL GROUP BY day", (self._store,))
        )
        days = set(per_day)
        for table in (*_COUNTERS, "visitors"):
            days.update(self._span(f"SELECT min(day), max(day) FROM {table} WHERE store_id = ?"))
        days.update(
            self._span("SELECT min(day), max(day) FROM imported_days WHERE import_id IN (SELECT id FROM imports WHERE store_id = ?)")
        )
        times = self._span("SELECT min(at), max(at) FROM presence WHERE agent_id IN (SELECT id FROM agents WHERE store_id = ?)")
        times += self._span("SELECT min(placed_at), max(placed_at) FROM orders WHERE store_id = ?")
        days.update(self._local.day(at) for at in times)
        days = {day for day in days if _EARLIEST <= day <= _LATEST}  # what a damaged row says is not a reason to count for ever
        if not days:
            return
        first, held = min(days), 0
        for day in range(first, max(days) + 1):
            coming = per_day.get(day, 0)
            if day > first and (held + coming > _SESSIONS_AT_ONCE or day - first >= _DAYS_AT_ONCE):
                yield Window(first, day - 1)
                first, held = day, 0
            held += coming
        yield Window(first, max(days))

    def sessions(self, window: Window | None) -> Iterator[tuple[Session, Row, Row]]:
        """(folded again, the row it should have, the row it has) of the window's sessions; None: of those never opened."""
        where, parameters = ("day IS NULL", ()) if window is None else ("day BETWEEN ? AND ?", window)
        query = f"SELECT {', '.join(SESSION_COLUMNS)} FROM sessions WHERE store_id = ? AND {where}"
        for row in self._bulk.rows(query, (self._store, *parameters)):
            facts = unpack_facts(row[-1])
            session = fold(row[0], row[2], facts)
            yield session, session_row(session, facts, self._store, self._local), row

    def expected(self, window: Window) -> Expected:
        """What the window's facts come to."""
        found: Delta = {}
        stale = 0
        for session, wanted, held in self.sessions(window):
            stale += wanted != held
            add(found, contribution(session, self._local))
        credits = self._sales(window, found)
        self._presence(window, found)
        self._visitors(window, found)
        return Expected(_without_zeros(found, window), credits, stale)

    def imported(self, window: Window) -> Delta:
        """What the imports come to, as slot -1: they have days alone."""
        return _without_zeros(imported.expected(self._bulk, self._store, window), window)

    def slots(self, window: Window) -> Delta:
        """What the five-minute counters hold."""
        found: Delta = {}
        sums = f"SELECT day, slot, agent_id, group_id, channel, flag, {', '.join(SUM_FIELDS)} FROM slot_counters"
        for row in self._within(sums, window):
            found[Key(*row[:6])] = dict(zip(SUM_FIELDS, row[6:]))
        for row in self._within("SELECT day, slot, agent_id, group_id, channel, flag, bin, n FROM slot_histograms", window):
            found.setdefault(Key(*row[:6]), {})[HISTOGRAM_FIELDS[row[6]]] = row[7]
        return _without_zeros(found, window)

    def days(self, window: Window) -> Delta:
        """What the day counters hold, as slot -1; imported ones have their own flag, and their gaps with them."""
        names = (*SUM_FIELDS, *HISTOGRAM_FIELDS)
        query = f"SELECT day, agent_id, group_id, channel, flag, {', '.join(names)} FROM day_counters"
        found = {Key(row[0], -1, *row[1:5]): dict(zip(names, row[5:])) for row in self._within(query, window)}
        for row in self._within(f"SELECT day, agent_id, {', '.join(GAP_FIELDS)} FROM imported_gaps", window):
            found.setdefault(Key(row[0], -1, row[1], 0, 0, IMPORTED), {}).update(zip(GAP_FIELDS, row[2:]))
        return _without_zeros(found, window)

    def agent_days(self, window: Window, span: int = 1) -> Delta:
        """What the rows of agents hold that begin in the window, as slot -1; the flag says whether it is the assessed sum."""
        query = f"SELECT day, agent_id, assessed, {', '.join(FIELDS)} FROM agent_days"
        rows = self._bulk.rows(
            f"{query} WHERE store_id = ? AND assessed IN (0, 1) AND span = ? AND day BETWEEN ? AND ?", (self._store, span, *window)
        )
        return _without_zeros({Key(row[0], -1, row[1], 0, 0, row[2]): dict(zip(FIELDS, row[3:])) for row in rows}, window)

    def agent_hours(self, window: Window) -> Delta:
        """What the hours of agents hold, under the first slot of each."""
        rows = self._within(f"SELECT day, hour, agent_id, flag, {', '.join(FIELDS)} FROM agent_hours", window)
        found = {Key(row[0], row[1] * SLOTS_PER_HOUR, row[2], 0, 0, row[3]): dict(zip(FIELDS, row[4:])) for row in rows}
        return _without_zeros(found, window)

    def group_halves(self, window: Window) -> Delta:
        """What the half hours of groups hold, under the first slot of each."""
        rows = self._within(f"SELECT day, half, group_id, flag, {', '.join(FIELDS)} FROM group_halves", window)
        found = {Key(row[0], row[1] * SLOTS_PER_HALF, 0, row[2], 0, row[3]): dict(zip(FIELDS, row[4:])) for row in rows}
        return _without_zeros(found, window)

    def by_half(self, slots: Delta, window: Window) -> Delta:
        """What the half hours of groups ought to hold by the five-minute counters, in the same form."""
        found: Delta = {}
        for key, counts in slots.items():
            kept = {name: value for name, value in counts.items() if name in _KEPT_FIELDS}
            add(found, {Key(key.day, key.slot // SLOTS_PER_HALF * SLOTS_PER_HALF, 0, key.group, 0, key.flag): kept})
        return _without_zeros(found, window)

    def by_hour(self, slots: Delta, imported: Delta, window: Window) -> Delta:
        """What the hours of agents ought to hold by the five-minute counters and the imported days, in the same form."""
        found: Delta = {}
        for key, counts in (*slots.items(), *imported.items()):
            kept = {name: value for name, value in counts.items() if name in _KEPT_FIELDS}
            hour = key.slot // SLOTS_PER_HOUR
            add(found, {Key(key.day, hour * SLOTS_PER_HOUR, key.agent, 0, 0, key.flag): kept})
        return _without_zeros(found, window)

    def by_agent(self, slots: Delta, imported: Delta, window: Window) -> Delta:
        """What the rows of agents ought to hold by the five-minute counters and the imported days, in the same form."""
        found: Delta = {}
        for key, counts in (*slots.items(), *imported.items()):
            kept = {name: value for name, value in counts.items() if name in _KEPT_FIELDS}
            for assessed in (0, 1) if self._rule.keeps(key.slot, key.flag) else (0,):
                add(found, {Key(key.day, -1, key.agent, 0, 0, assessed): kept})
        return _without_zeros(found, window)

    def weeks(self) -> Iterator[tuple[Delta, Delta]]:
        """(sums of the days, what the weeks hold), some weeks at a time."""
        days = self._span("SELECT min(day), max(day) FROM agent_days WHERE store_id = ?")
        for first in range(begin(days[0], 7), days[1] + 1, _DAYS_OF_WEEKS) if days else ():
            window = Window(first, first + _DAYS_OF_WEEKS - 1)
            summed: Delta = {}
            for key, counts in self.agent_days(window).items():
                add(summed, {key._replace(day=begin(key.day, 7)): counts})
            yield summed, self.agent_days(window, 7)

    def credits(self, window: Window) -> Credits:
        """The credits that the lines of orders placed in the window hold."""
        return {order.id: [line.credits for line in order.lines] for order in self._placed(window)}

    def _span(self, query: str) -> tuple[int, ...]:
        return tuple(value for value in self._bulk.rows(query, (self._store,))[0] if value is not None)

    def _within(self, query: str, window: Window) -> list[Row]:
        return self._bulk.rows(f"{query} WHERE store_id = ? AND day BETWEEN ? AND ?", (self._store, *window))

    def _times(self, window: Window) -> tuple[int, int]:
        """Moments that enclose the window generously: where clocks go back over midnight, a day is not in one piece."""
        return self._local.start_of_day(window.first) - DAY_MS, self._local.start_of_day(window.last + 1) + DAY_MS

    def _placed(self, window: Window) -> list[Order]:
        low, high = self._times(window)
        near = self._bulk.rows(
            "SELECT id, placed_at FROM orders WHERE store_id = ? AND placed_at BETWEEN ? AND ?", (self._store, low, high)
        )
        ids = [id for id, at in near if window.first <= self._local.day(at) <= window.last]
        return load_orders(self._bulk, "id IN {keys}", (), ids)

    def _sales(self, window: Window, found: Delta) -> Credits:
        low, high = self._times(window)
        placed = self._placed(window)
        rows = self._bulk.rows(
            "SELECT DISTINCT customer_id FROM sessions WHERE store_id = ? AND day BETWEEN ? AND ?", (self._store, *window)
        )
        customers = sorted({row[0] for row in rows} | {order.customer for order in placed})
        sessions: dict[int, list[Session]] = {}
        for session in load_sessions(self._bulk, customers, low - _REACH, high + _REACH):
            sessions.setdefault(session.customer, []).append(session)
        orders: dict[int, list[Order]] = {}
        for order in load_orders_of(self._bulk, customers, low - _REACH, high + _REACH):
            orders.setdefault(order.customer, []).append(order)
        wanted = {order.id for order in placed}
        credits: Credits = {}
        for customer in customers:
            counts, lines = sales(sessions.get(customer, ()), orders.get(customer, ()), self._local)
            add(found, counts)
            credits.update((id, credit) for id, credit in lines.items() if id in wanted)
        return credits

    def _presence(self, window: Window, found: Delta) -> None:
        start, end = self._times(window)
        points: dict[int, list[presence.Point]] = {}
        for agent, at, state in self._bulk.rows(
            "WITH bounds AS (SELECT id, "
            "coalesce((SELECT max(at) FROM presence WHERE agent_id = agents.id AND at < ?), ?) AS low, "
            "coalesce((SELECT min(at) FROM presence WHERE agent_id = agents.id AND at >= ?), ?) AS high "
            "FROM agents WHERE store_id = ?) "
            "SELECT b.id, p.at, p.state FROM bounds b JOIN presence p ON p.agent_id = b.id AND p.at BETWEEN b.low AND b.high "
            "ORDER BY b.id, p.at, p.state",
            (start, start, end, end, self._store),
        ):
            known = points.setdefault(agent, [])
            if not known and at >= start:
                known.append((at, presence.OFFLINE))  # an agent never heard of is offline
            # What lies outside is cut at the window's generous edges, so that an interval of a year is not split into its slots each time.
            known.append((min(max(at, start), end), state))
        for agent, own in points.items():
            add(found, presence.contribution(agent, own, self._local))

    def _visitors(self, window: Window, found: Delta) -> None:
        for kind, at in self._within("SELECT kind, first_at FROM visitors", window):
            name = "visitors_leave" if kind else "visitors_online"
            add(found, {Key(*self._local.day_slot(at), 0, 0, 0, 0): {name: 1}})


def by_day(slots: Delta) -> Delta:
    """Five-minute counters summed per day, as slot -1."""
    found: Delta = {}
    for key, counts in slots.items():
        add(found, {key._replace(slot=-1): counts})
    return found


def differences(wanted: Delta, held: Delta) -> Iterator[tuple[Key, str, int, int]]:
    """(key, field, wanted, held) wherever the two are not the same."""
    for key in wanted.keys() | held.keys():
        a, b = wanted.get(key, {}), held.get(key, {})
        if a != b:
            for name in a.keys() | b.keys():
                if a.get(name, 0) != b.get(name, 0):
                    yield key, name, a.get(name, 0), b.get(name, 0)


def rebuild(bulk: Bulk, store: int) -> None:
    """Writes all that is derived from the facts anew: sessions, credits, counters. The store's lock is held."""
    recount = Recount(bulk, store)
    for window in [*recount.windows(), None]:
        rows = [wanted for _, wanted, held in recount.sessions(window) if wanted != held]
        bulk.replace(schema.sessions, SESSION_COLUMNS, rows)
    rule = assessed_rule(bulk, store)
    for table in _COUNTERS:
        bulk.run(f"DELETE FROM {table} WHERE store_id = ?", (store,))
    for window in recount.windows():
        add_counters(bulk, store, recount.imported(window), rule)
        expected = recount.expected(window)
        add_counters(bulk, store, expected.counters, rule)
        held = recount.credits(window)
        for order, lines in expected.credits.items():
            for line, (wanted, now) in enumerate(zip(lines, held[order])):
                if wanted != now:
                    bulk.run(
                        "UPDATE order_lines SET session_24h = ?, session_7d = ?, session_15d = ? WHERE order_id = ? AND line = ?",
                        (*wanted, order, line),
                    )


def _without_zeros(found: Delta, window: Window) -> Delta:
    dense = {
        key: {name: value for name, value in counts.items() if value}
        for key, counts in found.items()
        if window.first <= key.day <= window.last
    }
    return {key: counts for key, counts in dense.items() if counts}
