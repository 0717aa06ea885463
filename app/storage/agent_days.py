"""The counters of each agent by day and by week: what comparing many agents over many days reads.

A row holds the sum over groups, channels, slots and flags, once of everything (assessed 0) and once of what the store's assessment rule
keeps (assessed 1), of one day (span 1) or of one week from Monday (span 7). All of them are written in the transaction that
changes the counters they are sums of (docs/decisions/0010-agent-days.md).
"""

from __future__ import annotations

from app.domain.assessment import AssessedRule
from app.domain.counters import FIRST_REPLY_BINS, HISTOGRAM_FIELDS, SUM_FIELDS, Counts, Delta
from app.domain.localtime import SLOTS_PER_DAY
from app.storage import schema
from app.storage.bulk import Bulk, Row

FIELDS = (*SUM_FIELDS, *FIRST_REPLY_BINS)
SPANS = (1, 7)
KEYS = ("store_id", "assessed", "span", "day", "agent_id")
_POSITION = {name: i for i, name in enumerate(FIELDS)}
_MONDAY = 3
"""Day 0, the first of January 1970, was a Thursday."""


def begin(day: int, span: int) -> int:
    """The first day of the row that holds this day."""
    return day - (day + _MONDAY) % span


def assessed_rule(bulk: Bulk, store: int) -> AssessedRule:
    return AssessedRule.from_json(bulk.rows("SELECT assessed_rule FROM stores WHERE id = ?", (store,))[0][0])


def add_agent_days(bulk: Bulk, store: int, delta: Delta, rule: AssessedRule) -> None:
    """Adds to the rows of the agents and days in `delta`. The store's lock is held."""
    days: dict[tuple[int, int, int], Counts] = {}
    for key, counts in delta.items():
        for assessed in (0, 1) if rule.keeps(key.slot, key.flag) else (0,):
            _gather(days.setdefault((assessed, key.day, key.agent), {}), counts)
    weeks: dict[tuple[int, int, int], Counts] = {}
    for (assessed, day, agent), counts in days.items():
        _gather(weeks.setdefault((assessed, begin(day, 7), agent), {}), counts)
    rows = [(store, key[0], span, *key[1:], *_row(counts)) for span, sums in zip(SPANS, (days, weeks)) for key, counts in sums.items()]
    bulk.add(schema.agent_days, (*KEYS, *FIELDS), [row for row in rows if any(row[len(KEYS) :])])


def _gather(into: Counts, counts: Counts) -> None:
    for name, value in counts.items():
        into[name] = into.get(name, 0) + value


def _row(counts: Counts) -> Row:
    row: list[int | None] = [None] * len(FIELDS)
    for name, value in counts.items():
        position = _POSITION.get(name)
        if position is not None:
            row[position] = value or None
    return tuple(row)


def rebuild_assessed(bulk: Bulk, store: int, rule: AssessedRule) -> None:
    """Makes `rule` the store's and works out its assessed rows again. The store's lock is held; the caller announces a revision.

    What is kept of a day is the whole day (day counters of the flags kept) less its slots outside the hours, or the slots inside where
    fewer are filled.
    """
    bulk.run("UPDATE stores SET assessed_rule = ? WHERE id = ?", (rule.to_json(), store))
    bulk.run("DELETE FROM agent_days WHERE store_id = ? AND assessed = 1", (store,))
    first, past = rule.slots
    outside = _ranges(past, first)
    whole = not outside or _filled(bulk, store, outside) <= _filled(bulk, store, _ranges(first, past))
    ranges = outside if whole else _ranges(first, past)
    flags = ", ".join(map(str, rule.flags)) or "NULL"
    parts = [_slots_part(ranges, flags, -1 if whole else 1), _bins_part(ranges, flags, -1 if whole else 1)] if ranges else []
    if whole:
        parts.append(f"SELECT day, agent_id, {', '.join(FIELDS)} FROM day_counters WHERE store_id = ? AND flag IN ({flags})")
    names = ", ".join(FIELDS)
    sums = ", ".join(f"sum({name})" for name in FIELDS)
    bulk.run(
        f"INSERT INTO agent_days ({', '.join(KEYS)}, {names}) SELECT ?, 1, 1, day, agent_id, {sums} "
        f"FROM ({' UNION ALL '.join(parts)}) parts GROUP BY day, agent_id",
        (store,) * (1 + sum(part.count("?") for part in parts)),
    )
    bulk.run(
        f"INSERT INTO agent_days ({', '.join(KEYS)}, {names}) "
        f"SELECT store_id, 1, 7, (day + {_MONDAY}) / 7 * 7 - {_MONDAY} AS monday, agent_id, {sums} FROM agent_days "
        "WHERE store_id = ? AND assessed = 1 AND span = 1 GROUP BY store_id, monday, agent_id",
        (store,),
    )


def _ranges(first: int, past: int) -> str:
    """The slots from the first to the one before `past`, over midnight if need be, as rows (low, past); none where they are equal."""
    cut = [(first, past)] if first <= past else [(first, SLOTS_PER_DAY), (0, past)]
    return ", ".join(f"({low}, {high})" for low, high in cut if low < high)


def _filled(bulk: Bulk, store: int, ranges: str) -> int:
    """How many counters these slots hold on the last day but one, which is seldom cut short."""
    statement = (
        f"SELECT count(*) FROM (VALUES {ranges}) s CROSS JOIN slot_counters c WHERE c.store_id = ? "
        "AND c.day = (SELECT max(day) - 1 FROM slot_counters WHERE store_id = ?) AND c.slot >= s.column1 AND c.slot < s.column2"
    )
    return int(bulk.rows(statement, (store, store))[0][0])


def _slots_part(ranges: str, flags: str, sign: int) -> str:
    sums = ", ".join(f"{sign} * sum({name}) AS {name}" for name in SUM_FIELDS)
    nothing = ", ".join(f"NULL AS {name}" for name in FIRST_REPLY_BINS)
    return f"SELECT c.day, agent_id, {sums}, {nothing} FROM {_within('slot_counters', ranges, flags)} GROUP BY c.day, agent_id"


def _bins_part(ranges: str, flags: str, sign: int) -> str:
    nothing = ", ".join(f"NULL AS {name}" for name in SUM_FIELDS)
    bins = ", ".join(f"{sign} * sum(CASE WHEN bin = {HISTOGRAM_FIELDS.index(name)} THEN n END) AS {name}" for name in FIRST_REPLY_BINS)
    return f"SELECT c.day, agent_id, {nothing}, {bins} FROM {_within('slot_histograms', ranges, flags)} GROUP BY c.day, agent_id"


def _within(table: str, ranges: str, flags: str) -> str:
    """The rows `c` of some slots; days come first, so that each day's other slots are passed over."""
    return (
        "(SELECT DISTINCT day FROM agent_days WHERE store_id = ? AND assessed = 0 AND span = 1) d "
        f"CROSS JOIN (VALUES {ranges}) s CROSS JOIN {table} c "
        f"WHERE c.store_id = ? AND c.day = d.day AND c.slot >= s.column1 AND c.slot < s.column2 AND c.flag IN ({flags})"
    )
