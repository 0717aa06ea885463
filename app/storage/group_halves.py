"""The counters of each group by half hour of the day: what reports cut by time, and the assessed figures of groups, read.

A row holds the sum over agents and channels of one day, half hour (0 to 47), group (0: none) and flag, written in the transaction that
changes the five-minute counters it is a sum of (docs/decisions/0010-agent-days.md). Imported days have no times and are not in it.
"""

from __future__ import annotations

from app.domain.counters import Counts, Delta
from app.domain.localtime import SLOTS_PER_HALF
from app.storage import schema
from app.storage.agent_days import FIELDS, gather, row_of
from app.storage.bulk import Bulk

KEYS = ("store_id", "day", "half", "group_id", "flag")


def add_group_halves(bulk: Bulk, store: int, delta: Delta) -> None:
    """Adds to the rows of the groups and half hours in `delta`. The store's lock is held."""
    halves: dict[tuple[int, int, int, int], Counts] = {}
    for key, counts in delta.items():
        if key.slot >= 0:
            gather(halves.setdefault((key.day, key.slot // SLOTS_PER_HALF, key.group, key.flag), {}), counts)
    rows = [(store, *key, *row_of(counts)) for key, counts in halves.items()]
    bulk.add(schema.group_halves, (*KEYS, *FIELDS), [row for row in rows if any(row[len(KEYS) :])])
