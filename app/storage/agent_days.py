"""The counters of each agent by day and by week: what comparing many agents over many days reads.

A row of agent_days holds the sum over groups, channels, slots and flags, once of everything (assessed 0) and once of what the store's
assessment rule keeps (assessed 1), of one day (span 1) or of one week from Monday (span 7). A row of agent_hours holds the same of one
hour and flag: from these, another rule is worked out. All of them are written in the transaction that changes the counters they are
sums of (docs/decisions/0010-agent-days.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from app.domain.assessment import AssessedRule
from app.domain.counters import FIRST_REPLY_BINS, HISTOGRAM_FIELDS, SUM_FIELDS, Counts, Delta
from app.domain.localtime import SLOTS_PER_HOUR
from app.storage import schema
from app.storage.bulk import Bulk, Row

FIELDS = (*SUM_FIELDS, *FIRST_REPLY_BINS)
SPANS = (1, 7)
KEYS = ("store_id", "assessed", "span", "day", "agent_id")
HOUR_KEYS = ("store_id", "day", "agent_id", "hour", "flag")
_POSITION = {name: i for i, name in enumerate(FIELDS)}
_NAMES = ", ".join(FIELDS)
_SUMS = ", ".join(f"sum(c.{name})" for name in FIELDS)
_MONDAY = 3
"""Day 0, the first of January 1970, was a Thursday."""
_MEMORY = "256MB"
"""For the sums of all agents and days at once; with the usual 4 MB PostgreSQL goes through its disk."""


def begin(day: int, span: int) -> int:
    """The first day of the row that holds this day."""
    return day - (day + _MONDAY) % span


def assessed_rule(bulk: Bulk, store: int) -> AssessedRule:
    return AssessedRule.from_json(bulk.rows("SELECT assessed_rule FROM stores WHERE id = ?", (store,))[0][0])


def add_agent_days(bulk: Bulk, store: int, delta: Delta, rule: AssessedRule) -> None:
    """Adds to the rows of the agents, hours and days in `delta`. The store's lock is held."""
    whole, cut = rule.hours
    hours: dict[tuple[int, int, int, int], Counts] = {}
    days: dict[tuple[int, int, int], Counts] = {}
    for key, counts in delta.items():
        hour = key.slot // SLOTS_PER_HOUR  # -1 for what has a day alone
        gather(hours.setdefault((key.day, key.agent, hour, key.flag), {}), counts)
        if hour in cut and rule.keeps(key.slot, key.flag):
            gather(days.setdefault((1, key.day, key.agent), {}), counts)
    for (day, agent, hour, flag), counts in hours.items():
        gather(days.setdefault((0, day, agent), {}), counts)
        if hour in whole and flag in rule.flags:
            gather(days.setdefault((1, day, agent), {}), counts)
    weeks: dict[tuple[int, int, int], Counts] = {}
    for (assessed, day, agent), counts in days.items():
        gather(weeks.setdefault((assessed, begin(day, 7), agent), {}), counts)
    rows = [(store, key[0], span, *key[1:], *row_of(counts)) for span, sums in zip(SPANS, (days, weeks)) for key, counts in sums.items()]
    bulk.add(schema.agent_days, (*KEYS, *FIELDS), [row for row in rows if any(row[len(KEYS) :])])
    rows = [(store, *key, *row_of(counts)) for key, counts in hours.items()]
    bulk.add(schema.agent_hours, (*HOUR_KEYS, *FIELDS), [row for row in rows if any(row[len(HOUR_KEYS) :])])


def gather(into: Counts, counts: Counts) -> None:
    """into += counts, in place."""
    for name, value in counts.items():
        into[name] = into.get(name, 0) + value


def row_of(counts: Counts) -> Row:
    """In the order of FIELDS; NULL stands for 0, and what is none of FIELDS is left out."""
    row: list[int | None] = [None] * len(FIELDS)
    for name, value in counts.items():
        if value and name in _POSITION:
            row[_POSITION[name]] = value
    return tuple(row)


def rebuild_assessed(bulk: Bulk, store: int, rule: AssessedRule) -> None:
    """Makes `rule` the store's and works out its assessed rows again. The store's lock is held; the caller announces a revision.

    An hour that is cut is taken for kept or not as most of its slots are, and its other slots are made good one by one.
    """
    if not bulk.sqlite:
        bulk.run(f"SET LOCAL work_mem = '{_MEMORY}'")
    bulk.run("UPDATE stores SET assessed_rule = ? WHERE id = ?", (rule.to_json(), store))
    bulk.run("DELETE FROM agent_days WHERE store_id = ? AND assessed = 1", (store,))
    whole, _ = rule.hours
    added, removed = _exceptions(rule)
    mostly = whole | {slot // SLOTS_PER_HOUR for slot in removed}
    flags = _listed(rule.flags)
    bulk.run(
        f"INSERT INTO agent_days ({', '.join(KEYS)}, {_NAMES}) SELECT ?, 1, 1, c.day, c.agent_id, {_SUMS} FROM agent_hours c "
        f"WHERE c.store_id = ? AND c.hour IN ({_listed(mostly)}) AND c.flag IN ({flags}) GROUP BY c.day, c.agent_id",
        (store, store),
    )
    for slots, sign in ((added, 1), (removed, -1)):
        if slots:
            _add_slots(bulk, store, _ranges(slots), flags, sign)
    bulk.run(
        f"INSERT INTO agent_days ({', '.join(KEYS)}, {_NAMES}) SELECT w.store_id, 1, 7, w.day, w.agent_id, {_SUMS} "
        "FROM agent_days w CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6)) d CROSS JOIN agent_days c "
        "WHERE w.store_id = ? AND w.assessed = 0 AND w.span = 7 AND c.store_id = w.store_id AND c.assessed = 1 AND c.span = 1 "
        "AND c.day = w.day + d.column1 AND c.agent_id = w.agent_id GROUP BY w.store_id, w.day, w.agent_id",
        (store,),
    )


def _exceptions(rule: AssessedRule) -> tuple[list[int], list[int]]:
    """The slots kept of hours that are mostly not, and those not kept of hours that mostly are."""
    added: list[int] = []
    removed: list[int] = []
    for hour in sorted(rule.hours[1]):
        slots = range(hour * SLOTS_PER_HOUR, (hour + 1) * SLOTS_PER_HOUR)
        kept = [slot for slot in slots if rule.within(slot)]
        if 2 * len(kept) > SLOTS_PER_HOUR:
            removed += [slot for slot in slots if slot not in kept]
        else:
            added += kept
    return added, removed


def _listed(values: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(values))) or "-2"  # of neither hours nor flags


def _add_slots(bulk: Bulk, store: int, ranges: str, flags: str, sign: int) -> None:
    """Adds some slots to the assessed days, or takes them away."""
    bins = {name: f"CASE WHEN bin = {HISTOGRAM_FIELDS.index(name)} THEN n END" for name in FIRST_REPLY_BINS}
    own = {name: name for name in SUM_FIELDS}
    for table, columns, further in (("slot_counters", own, ""), ("slot_histograms", bins, f" AND bin < {len(bins)}")):
        sums = ", ".join(f"{sign} * sum({value})" for value in columns.values())
        sets = ", ".join(f"{name} = coalesce(agent_days.{name}, 0) + coalesce(excluded.{name}, 0)" for name in columns)
        # Days come first, so that each day's other slots are passed over.
        bulk.run(
            f"INSERT INTO agent_days ({', '.join((*KEYS, *columns))}) SELECT ?, 1, 1, c.day, c.agent_id, {sums} "
            "FROM (SELECT DISTINCT day FROM agent_days WHERE store_id = ? AND assessed = 0 AND span = 1) d "
            f"CROSS JOIN (VALUES {ranges}) s CROSS JOIN {table} c "
            f"WHERE c.store_id = ? AND c.day = d.day AND c.slot >= s.column1 AND c.slot < s.column2 AND c.flag IN ({flags}){further} "
            f"GROUP BY c.day, c.agent_id ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET {sets}",
            (store, store, store),
        )


def _ranges(slots: list[int]) -> str:
    """Ascending slots as rows (first, past)."""
    runs = [[slot for _, slot in run] for _, run in groupby(enumerate(slots), lambda place: place[1] - place[0])]
    return ", ".join(f"({run[0]}, {run[-1] + 1})" for run in runs)
