"""Reading the counters: one function sums them over any slice, and everything that is reported goes through it.

Counters are read, never raw sessions, so the cost of an answer does not grow with the history behind it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, bindparam, cast, func, or_, select

from app.domain.counters import HISTOGRAM_FIELDS, SUM_FIELDS, Counts, Delta
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, spend
from app.storage import schema

Dimension = Literal["day", "slot", "agent_id", "group_id", "channel"]

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

    @property
    def needs_slots(self) -> bool:
        return self.slots is not None


def sums(connection: Connection, what: Slice, by: Sequence[Dimension] = (), histograms: bool = False) -> dict[Any, Counts]:
    """Sums of all counters by the given dimensions: {value, or tuple of values, of `by`: {counter: non-zero sum}}.

    Without `by` the only key is (). histograms: also the first-reply and turn bins.
    """
    use_slots = what.needs_slots or "slot" in by
    names = SUM_FIELDS if use_slots or not histograms else (*SUM_FIELDS, *HISTOGRAM_FIELDS)
    statement = _statement("slot" if use_slots else "day", tuple(by), names, _shape(what))
    found: dict[Any, Counts] = {}
    width = len(by)
    for row in connection.execute(statement, _parameters(what)):
        counts = {name: value for name, value in zip(names, row[width:]) if value}
        if counts:
            found[row[0] if width == 1 else tuple(row[:width])] = counts
    if use_slots and histograms:
        statement = _histogram_statement(tuple(by), _shape(what))
        for row in connection.execute(statement, _parameters(what)):
            counts = found.setdefault(row[0] if width == 1 else tuple(row[:width]), {})
            counts[HISTOGRAM_FIELDS[row[width]]] = row[width + 1]
    return found


def running_presence(connection: Connection, store: int, local: LocalTime, at: int) -> Delta:
    """The time of every online agent since the last change point up to `at`: what no counter holds yet."""
    delta: Delta = {}
    for agent, state, since in present_since(connection, store):
        spend(delta, agent, state, since, at, local)
    return delta


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


def matches(what: Slice, day: int, slot: int, agent: int, group: int, flag: int) -> bool:
    """Whether a counter key lies in the slice; for what is not in the database yet (running presence)."""
    if not what.first_day <= day <= what.last_day:
        return False
    if (what.agent is not None and agent != what.agent) or (what.group is not None and group != what.group):
        return False
    if what.flags is not None and flag not in what.flags:
        return False
    if what.slots is None:
        return True
    first, past = what.slots
    return first <= slot < past if first <= past else slot >= first or slot < past


class _Shape(NamedTuple):
    """What of a slice decides the statement: the rest are its parameters."""

    one_day: bool
    agent: bool
    agents: bool
    group: bool
    slots: bool
    wraps: bool
    flags: tuple[int, ...] | None
    channel: bool


def _shape(what: Slice) -> _Shape:
    wraps = what.slots is not None and what.slots[0] > what.slots[1]
    one_day = what.first_day == what.last_day
    return _Shape(
        one_day, what.agent is not None, what.agents is not None, what.group is not None, what.slots is not None, wraps, what.flags,
        what.channel is not None,
    )  # fmt: skip


def _parameters(what: Slice) -> dict[str, object]:
    first, past = what.slots or (None, None)
    return {
        "p_store": what.store, "p_first": what.first_day, "p_last": what.last_day, "p_agent": what.agent,
        "p_agents": what.agents or (), "p_group": what.group, "p_from": first, "p_past": past, "p_channel": what.channel,
    }  # fmt: skip


@cache
def _statement(grain: str, by: tuple[str, ...], names: tuple[str, ...], shape: _Shape) -> Select[Any]:
    table = schema.slot_counters if grain == "slot" else schema.day_counters
    keys = [table.c[name] for name in by]
    # PostgreSQL answers numeric for a sum of bigint; the counters stay far inside 64 bits.
    columns = [cast(func.sum(table.c[name]), BigInteger) for name in names]
    return select(*keys, *columns).where(_where(table, shape)).group_by(*keys)


@cache
def _histogram_statement(by: tuple[str, ...], shape: _Shape) -> Select[Any]:
    table = schema.slot_histograms
    keys = [table.c[name] for name in by]
    return select(*keys, table.c.bin, cast(func.sum(table.c.n), BigInteger)).where(_where(table, shape)).group_by(*keys, table.c.bin)


def _where(table: Any, shape: _Shape) -> ColumnElement[bool]:
    c = table.c
    terms: list[ColumnElement[bool]] = [c.store_id == bindparam("p_store")]
    if shape.one_day:  # an equation, so that the key of the table leads on to the agents
        terms.append(c.day == bindparam("p_first"))
    else:
        terms += [c.day >= bindparam("p_first"), c.day <= bindparam("p_last")]
    if shape.agent:
        terms.append(c.agent_id == bindparam("p_agent"))
    if shape.agents:
        terms.append(c.agent_id.in_(bindparam("p_agents", expanding=True)))
    if shape.group:
        terms.append(c.group_id == bindparam("p_group"))
    if shape.channel:
        terms.append(c.channel == bindparam("p_channel"))
    if shape.slots:
        after, before = c.slot >= bindparam("p_from"), c.slot < bindparam("p_past")
        terms.append(or_(after, before) if shape.wraps else and_(after, before))
    if shape.flags is not None:
        terms.append(c.flag.in_(list(shape.flags)))
    return and_(*terms)


_REVISION = select(schema.stores.c.revision).where(schema.stores.c.id == bindparam("p_store"))
_CHANGES = select(schema.changes.c.topics).where(
    schema.changes.c.store_id == bindparam("p_store"), schema.changes.c.revision > bindparam("p_revision")
)
