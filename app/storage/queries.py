"""Reading the counters: one function sums them over any slice, and everything that is reported goes through it.

Counters are read, never raw sessions, so the cost of an answer does not grow with the history behind it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from app.domain.counters import FIRST_REPLY_BINS, HISTOGRAM_FIELDS, IMPORTED, SUM_FIELDS, Counts
from app.domain.localtime import SLOTS_PER_DAY, SLOTS_PER_HALF, SLOTS_PER_HOUR
from app.domain.metrics import GAP_FIELDS
from app.domain.presence import OFFLINE
from app.storage import schema
from app.storage.agent_days import begin

Dimension = Literal["day", "slot", "half", "hour", "agent_id", "group_id", "channel"]
"""Half hours and hours go by the first slot of each."""
Grain = Literal["agent", "day", "half", "hour", "slot"]
"""The tables that can answer, in order of preference: agent_days, day_counters, group_halves, agent_hours, and the two of slots."""

_ALL = frozenset({*SUM_FIELDS, *GAP_FIELDS})
_AT_ONCE = 200
"""Rows fetched in one go: more of them hold the interpreter, and with it the window, for longer than a frame."""
_STEPS = {"slot": 1, "half": SLOTS_PER_HALF, "hour": SLOTS_PER_HOUR}
"""Slots in each step of the dimensions of time, which are columns of the grains called alike."""
_FEW_SLOTS = 2 * SLOTS_PER_HOUR
"""So many are looked up day by day rather than passing over the others."""
_MOST_CHANGES = 500
"""A reader further behind than so many commits reads everything again."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Which counters: days inclusive, and whatever else is not None. Slots are [first, past); flags and agents are those kept."""

    store: int
    first_day: int
    last_day: int
    agent: int | None = None
    group: int | None = None
    slots: tuple[int, int] | None = None
    """Every day's slots from the first (inclusive) to the second (exclusive); wraps past midnight when first > second."""
    flags: tuple[int, ...] | None = None
    agents: tuple[int, ...] | None = None
    channel: int | None = None
    assessed: bool = False
    """Slots and flags are those of the store's assessment rule (None: all slots): then sums by agent and day are kept ready."""

    def grain(self, by: Sequence[Dimension]) -> Grain:
        narrow = self.group is not None or self.channel is not None or not {"agent_id", "day"}.issuperset(by)
        if not narrow and (self.assessed or (self.slots is None and self.flags is None)):
            return "agent"
        if self.slots is None and _STEPS.keys().isdisjoint(by):
            return "day"
        everybody = self.agent is None and self.agents is None
        if everybody and self.channel is None and self._fits("half", by, {"day", "half", "hour", "group_id"}):
            return "half"
        if self.group is None and self.channel is None and self._fits("hour", by, {"day", "hour", "agent_id"}):
            return "hour"
        return "slot"

    def _fits(self, grain: Grain, by: Sequence[Dimension], known: set[Dimension]) -> bool:
        """Whether `by` has only what the table knows, and the slots make whole rows of it."""
        return known.issuperset(by) and all(slot % _STEPS[grain] == 0 for slot in self.slots or ())

    def parts(self, by: Sequence[Dimension]) -> list[Slice]:
        """Slices that make up this one: where its slots cut half hours or hours, whole ones and the slots at either end."""
        if self.slots is None or self.grain(by) != "slot":
            return [self]
        first, past = self.slots
        for step in (SLOTS_PER_HALF, SLOTS_PER_HOUR):
            whole = -(-first // step) * step, past // step * step
            inner = replace(self, slots=whole)
            if inner.grain(by) != "slot" and (first > past or whole[0] <= whole[1]):
                ends = ((first, whole[0]), (whole[1], past))
                return [inner, *(replace(self, slots=end) for end in ends if end[0] < end[1])]
        return [self]

    @property
    def has_imports(self) -> bool:
        """Whether days from files are in it: they have no group, channel or slot, and are never assessed."""
        narrow = self.group or self.channel or self.slots is not None or self.assessed
        return not narrow and (self.flags is None or IMPORTED in self.flags)


def sums(
    connection: Connection, what: Slice, by: Sequence[Dimension] = (), histograms: bool = False, *, fields: Collection[str] = _ALL
) -> dict[Any, Counts]:
    """Sums of counters by the given dimensions: {value, or tuple of values, of `by`: {counter: non-zero sum}}.

    Without `by` the only key is (). histograms: also the first-reply bins. fields: of SUM_FIELDS and GAP_FIELDS; what has none of the
    first is left out, so means over rows that have any data need all of them.
    """
    first, *others = what.parts(by)
    found = _sums(connection, first, by, histograms, fields)
    for part in others:
        for key, counts in _sums(connection, part, by, histograms, fields).items():
            into = found.setdefault(key, {})
            for name, value in counts.items():
                into[name] = into.get(name, 0) + value
    return found


def _sums(connection: Connection, what: Slice, by: Sequence[Dimension], histograms: bool, fields: Collection[str]) -> dict[Any, Counts]:
    grain = what.grain(by)
    timed = not _STEPS.keys().isdisjoint(by)
    bins = FIRST_REPLY_BINS if histograms and grain != "slot" else ()
    names = tuple(name for name in SUM_FIELDS if name in fields) + bins
    shape, parameters = _shape(what, by, grain), _parameters(what, grain)
    found: dict[Any, Counts] = {}
    width = len(by)
    for part in connection.execute(_statement(tuple(by), names, shape), parameters).partitions(_AT_ONCE):
        for row in part:
            counts = {name: value for name, value in zip(names, row[width:]) if value}
            if counts:
                found[row[0] if width == 1 else tuple(row[:width])] = counts
    if histograms and grain == "slot":
        for row in connection.execute(_histogram_statement(tuple(by), shape), parameters):
            if row[width + 1]:
                counts = found.setdefault(row[0] if width == 1 else tuple(row[:width]), {})
                counts[HISTOGRAM_FIELDS[row[width]]] = row[width + 1]
    names = tuple(name for name in GAP_FIELDS if name in fields)
    if names and what.has_imports and not timed:
        for row in connection.execute(_gaps_statement(tuple(by), names, shape), parameters):
            counts = found.get(row[0] if width == 1 else tuple(row[:width]), {})
            counts.update((name, value) for name, value in zip(names, row[width:]) if value)
    return found


def present_since(connection: Connection, store: int) -> list[tuple[int, int, int]]:
    """(agent, state, last change point) of everyone who is not offline."""
    a, p = schema.agents.c, schema.presence.c
    last = select(func.max(p.at)).where(p.agent_id == a.id).scalar_subquery()
    rows = connection.execute(select(a.id, a.state, last).where(a.store_id == store, a.state != OFFLINE))
    return [(agent, state, since) for agent, state, since in rows if since is not None]


def touched_since(connection: Connection, store: int, revision: int) -> tuple[int, frozenset[str], frozenset[int] | None]:
    """(the store's revision now, topics and agents of everything committed after `revision`); None for agents: it could be any."""
    current = int(connection.execute(_REVISION, {"p_store": store}).scalar_one())
    if revision < 0 or not 0 <= current - revision <= _MOST_CHANGES:
        return current, frozenset(), None
    rows = connection.execute(_CHANGES, {"p_store": store, "p_revision": revision}).scalars().all()
    said = [json.loads(row) for row in rows]
    if len(said) != current - revision or any("agents" not in what for what in said):
        return current, frozenset(), None
    topics = frozenset(topic for what in said for topic in what["topics"])
    return current, topics, frozenset(agent for what in said for agent in what["agents"])


class _Shape(NamedTuple):
    """What of a slice decides the statement: the rest are its parameters."""

    grain: Grain
    one_day: bool
    agent: bool
    agents: bool
    one_by_one: bool
    group: bool
    slots: bool
    wraps: bool
    flags: tuple[int, ...] | None
    channel: bool
    assessed: bool
    weeks: bool


def _shape(what: Slice, by: Sequence[Dimension], grain: Grain) -> _Shape:
    whole_weeks, past_them = _weeks(what)
    wraps = what.slots is not None and what.slots[0] > what.slots[1]
    one_day = what.first_day == what.last_day
    return _Shape(
        grain, one_day, what.agent is not None, what.agents is not None, _is_one_by_one(what, grain), what.group is not None,
        what.slots is not None, wraps, what.flags,
        what.channel is not None, what.assessed, grain == "agent" and "day" not in by and whole_weeks < past_them,
    )  # fmt: skip


def _is_one_by_one(what: Slice, grain: Grain) -> bool:
    """Whether days, and slots, are looked up one by one, because what is asked is little of each."""
    return grain in ("hour", "slot") and (what.agent is not None or what.agents is not None or len(_slots(what)) <= _FEW_SLOTS)


def _slots(what: Slice) -> Sequence[int]:
    first, past = what.slots or (0, SLOTS_PER_DAY)
    return range(first, past) if first <= past else (*range(past), *range(first, SLOTS_PER_DAY))


def _weeks(what: Slice) -> tuple[int, int]:
    """The whole weeks inside the slice: first day, and the first one past them."""
    return begin(what.first_day + 6, 7), begin(what.last_day + 1, 7)


def _parameters(what: Slice, grain: Grain) -> dict[str, object]:
    first, past = what.slots or (0, SLOTS_PER_DAY)
    step = _STEPS.get(grain, 1)
    one_by_one = _is_one_by_one(what, grain)
    whole_weeks, past_them = _weeks(what)
    return {
        "p_store": what.store, "p_first": what.first_day, "p_last": what.last_day, "p_agent": what.agent,
        "p_agents": what.agents or (), "p_group": what.group, "p_from": first // step, "p_past": past // step,
        "p_channel": what.channel, "p_week": whole_weeks, "p_past_weeks": past_them,
        "p_days": range(what.first_day, what.last_day + 1) if one_by_one else (), "p_slots": _slots(what) if one_by_one else (),
    }  # fmt: skip


_TABLES = {
    "agent": schema.agent_days, "day": schema.day_counters, "half": schema.group_halves, "hour": schema.agent_hours,
    "slot": schema.slot_counters,
}  # fmt: skip


@cache
def _statement(by: tuple[str, ...], names: tuple[str, ...], shape: _Shape) -> Select[Any]:
    table = _TABLES[shape.grain]
    keys: list[Any] = [_key(table, shape.grain, name) for name in by]
    if shape.grain == "agent" and not shape.weeks and ("day" in by or shape.one_day) and ("agent_id" in by or shape.agent):
        return select(*keys, *(table.c[name] for name in names)).where(_where(table, shape))  # every row is such a sum
    # PostgreSQL answers numeric for a sum of bigint; the counters stay far inside 64 bits.
    columns = [cast(func.sum(table.c[name]), BigInteger) for name in names]
    return select(*keys, *columns).where(_where(table, shape)).group_by(*keys)


@cache
def _gaps_statement(by: tuple[str, ...], names: tuple[str, ...], shape: _Shape) -> Select[Any]:
    c = schema.imported_gaps.c
    keys = [c[name] if name in c else literal(0) for name in by]
    columns = [cast(func.sum(c[name]), BigInteger) for name in names]
    where = _where(schema.imported_gaps, shape._replace(group=False, channel=False, flags=None))
    return select(*keys, *columns).where(where).group_by(*(c[name] for name in by if name in c))


@cache
def _histogram_statement(by: tuple[str, ...], shape: _Shape) -> Select[Any]:
    table = schema.slot_histograms
    keys: list[Any] = [_key(table, shape.grain, name) for name in by]
    where = and_(_where(table, shape), table.c.bin < len(FIRST_REPLY_BINS))
    return select(*keys, table.c.bin, cast(func.sum(table.c.n), BigInteger)).where(where).group_by(*keys, table.c.bin)


def _key(table: Table, grain: Grain, name: str) -> ColumnElement[Any]:
    if name not in _STEPS:
        return table.c[name]
    # Not parameters: PostgreSQL would not know that it selects what it groups by.
    rows, slots = literal_column(str(_STEPS[name] // _STEPS[grain]), Integer), literal_column(str(_STEPS[name]), Integer)
    return table.c[grain] // rows * slots


def _where(table: Table, shape: _Shape) -> ColumnElement[bool]:
    c = table.c
    terms: list[ColumnElement[bool]] = [c.store_id == bindparam("p_store")]
    # Equations, so that the key of the table leads on to the agents.
    days = c.day == bindparam("p_first") if shape.one_day else and_(c.day >= bindparam("p_first"), c.day <= bindparam("p_last"))
    if table is schema.agent_days:
        terms.append(c.assessed == int(shape.assessed))
        if shape.weeks:
            monday: Any = bindparam("p_week")
            past: Any = bindparam("p_past_weeks")
            before = and_(c.span == 1, c.day >= bindparam("p_first"), c.day < monday)
            after = and_(c.span == 1, c.day >= past, c.day <= bindparam("p_last"))
            days = or_(and_(c.span == 7, c.day >= monday, c.day < past), before, after)
        else:
            terms.append(c.span == 1)
    if shape.one_by_one and not shape.one_day:
        days = c.day.in_(bindparam("p_days", expanding=True))
    terms.append(days)
    if shape.agent:
        terms.append(c.agent_id == bindparam("p_agent"))
    if shape.agents:
        terms.append(c.agent_id.in_(bindparam("p_agents", expanding=True)))
    if shape.group:
        terms.append(c.group_id == bindparam("p_group"))
    if shape.channel:
        terms.append(c.channel == bindparam("p_channel"))
    if shape.grain == "slot" and shape.one_by_one:
        terms.append(c.slot.in_(bindparam("p_slots", expanding=True)))
    elif shape.slots and shape.grain in _STEPS:
        time = c[shape.grain]
        from_, before = time >= bindparam("p_from"), time < bindparam("p_past")
        terms.append(or_(from_, before) if shape.wraps else and_(from_, before))
    if shape.grain == "hour":
        terms.append(c.hour >= 0)  # days from files have none
    if shape.flags is not None and table is not schema.agent_days:
        terms.append(c.flag.in_(list(shape.flags)))
    return and_(*terms)


_REVISION = select(schema.stores.c.revision).where(schema.stores.c.id == bindparam("p_store"))
_CHANGES = select(schema.changes.c.topics).where(
    schema.changes.c.store_id == bindparam("p_store"), schema.changes.c.revision > bindparam("p_revision")
)
