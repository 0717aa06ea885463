"""Reading the counters: one function sums them over any slice, and everything that is reported goes through it.

Counters are read, never raw sessions, so the cost of an answer does not grow with the history behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, bindparam, cast, func, or_, select

from app.domain.counters import HISTOGRAM_FIELDS, SUM_FIELDS, Counts, Delta
from app.domain.localtime import LocalTime
from app.domain.presence import OFFLINE, counters_of, spend
from app.storage import schema

Dimension = Literal["day", "slot", "agent_id", "group_id", "channel"]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which counters: days inclusive, and whatever else is not None. Slots are [first, past); flags are those kept."""

    store: int
    first_day: int
    last_day: int
    agent: int | None = None
    group: int | None = None
    slots: tuple[int, int] | None = None
    """Every day's slots from the first (inclusive) to the second (exclusive); wraps past midnight when first > second."""
    flags: tuple[int, ...] | None = None

    @property
    def needs_slots(self) -> bool:
        return self.slots is not None


def sums(connection: Connection, what: Slice, by: Sequence[Dimension] = (), histograms: bool = False) -> dict[Any, Counts]:
    """Sums of all counters by the given dimensions: {value, or tuple of values, of `by`: {counter: non-zero sum}}.

    Without `by` the only key is (). histograms: also the first-reply and turn bins.
    """
    use_slots = what.needs_slots or "slot" in by
    names = SUM_FIELDS if use_slots or not histograms else (*SUM_FIELDS, *HISTOGRAM_FIELDS)
    statement = _statement("slot" if use_slots else "day", tuple(by), names, *_shape(what))
    found: dict[Any, Counts] = {}
    width = len(by)
    for row in connection.execute(statement, _parameters(what)):
        counts = {name: value for name, value in zip(names, row[width:]) if value}
        if counts:
            found[row[0] if width == 1 else tuple(row[:width])] = counts
    if use_slots and histograms:
        statement = _histogram_statement(tuple(by), *_shape(what))
        for row in connection.execute(statement, _parameters(what)):
            counts = found.setdefault(row[0] if width == 1 else tuple(row[:width]), {})
            counts[HISTOGRAM_FIELDS[row[width]]] = row[width + 1]
    return found


def running_presence(connection: Connection, store: int, local: LocalTime, at: int) -> Delta:
    """The time of every online agent since the last change point up to `at`: what no counter holds yet."""
    delta: Delta = {}
    for agent, state, since in _present(connection, store, at):
        spend(delta, agent, state, since, at, local)
    return delta


def running_today(connection: Connection, store: int, local: LocalTime, at: int) -> dict[int, Counts]:
    """`running_presence` of the day of `at` alone, by agent. It does not go through the slots: the live pages ask all the time."""
    day = local.day(at)
    start = local.start_of_day(day)
    found: dict[int, Counts] = {}
    for agent, state, since in _present(connection, store, at):
        since = max(since, start)
        if local.offset(since) == local.offset(at):
            spent = at - since
        else:
            spent = sum(ms for in_day, _, ms in local.split(since, at) if in_day == day)
        found[agent] = dict.fromkeys(counters_of(state), spent)
    return found


def _present(connection: Connection, store: int, at: int) -> list[tuple[int, int, int]]:
    """(agent, state, its last change point before `at`) of everyone who is not offline."""
    a, p = schema.agents.c, schema.presence.c
    last = select(func.max(p.at)).where(p.agent_id == a.id).scalar_subquery()
    rows = connection.execute(select(a.id, a.state, last).where(a.store_id == store, a.state != OFFLINE))
    return [(agent, state, since) for agent, state, since in rows if since is not None and since < at]


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


def _shape(what: Slice) -> tuple[bool, bool, bool, bool, tuple[int, ...] | None]:
    wraps = what.slots is not None and what.slots[0] > what.slots[1]
    return what.agent is not None, what.group is not None, what.slots is not None, wraps, what.flags


def _parameters(what: Slice) -> dict[str, int | None]:
    first, past = what.slots or (None, None)
    return {
        "p_store": what.store, "p_first": what.first_day, "p_last": what.last_day, "p_agent": what.agent, "p_group": what.group,
        "p_from": first, "p_past": past,
    }  # fmt: skip


@cache
def _statement(
    grain: str,
    by: tuple[str, ...],
    names: tuple[str, ...],
    agent: bool,
    group: bool,
    slots: bool,
    wraps: bool,
    flags: tuple[int, ...] | None,
) -> Select[Any]:
    table = schema.slot_counters if grain == "slot" else schema.day_counters
    keys = [table.c[name] for name in by]
    # PostgreSQL answers numeric for a sum of bigint; the counters stay far inside 64 bits.
    columns = [cast(func.sum(table.c[name]), BigInteger) for name in names]
    return select(*keys, *columns).where(_where(table, agent, group, slots, wraps, flags)).group_by(*keys)


@cache
def _histogram_statement(
    by: tuple[str, ...], agent: bool, group: bool, slots: bool, wraps: bool, flags: tuple[int, ...] | None
) -> Select[Any]:
    table = schema.slot_histograms
    keys = [table.c[name] for name in by]
    where = _where(table, agent, group, slots, wraps, flags)
    return select(*keys, table.c.bin, cast(func.sum(table.c.n), BigInteger)).where(where).group_by(*keys, table.c.bin)


def _where(table: Any, agent: bool, group: bool, slots: bool, wraps: bool, flags: Iterable[int] | None) -> ColumnElement[bool]:
    c = table.c
    terms: list[ColumnElement[bool]] = [
        c.store_id == bindparam("p_store"), c.day >= bindparam("p_first"), c.day <= bindparam("p_last")
    ]  # fmt: skip
    if agent:
        terms.append(c.agent_id == bindparam("p_agent"))
    if group:
        terms.append(c.group_id == bindparam("p_group"))
    if slots:
        after, before = c.slot >= bindparam("p_from"), c.slot < bindparam("p_past")
        terms.append(or_(after, before) if wraps else and_(after, before))
    if flags is not None:
        terms.append(c.flag.in_(list(flags)))
    return and_(*terms)
