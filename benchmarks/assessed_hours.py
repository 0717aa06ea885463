"""Other assessed hours: the assessed sums of every agent and day worked out again, and the question asked again.

The store has all five-minute counters and histograms of its ten million sessions, as the recorder would have left them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from app.domain.assessment import AssessedRule
from app.domain.metrics import HISTORY_METRICS, values
from app.storage.agent_days import rebuild_assessed
from app.storage.bulk import Bulk
from app.storage.notices import TOPICS
from app.storage.queries import Slice, sums
from app.storage.recorder import announce, lock_store
from benchmarks.harness import Result
from benchmarks.history import FIRST_DAY, FULL, QUICK, Store, filled
from benchmarks.stores import TITLES, fresh

_RULES = (
    ("an hour longer", AssessedRule((102, 282), (0,))),
    ("with spam", AssessedRule((108, 276), (0, 1))),
    ("half a day", AssessedRule((120, 264), (0,))),
    ("half a day, to the half hour", AssessedRule((126, 258), (0,))),
    ("the nights", AssessedRule((216, 120), (0, 1, 2))),
)
_REPEATS = 3


def run(quick: bool = False) -> list[Result]:
    size = QUICK if quick else FULL
    found: list[Result] = []
    for kind, title in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder, filled(fresh(kind, Path(folder)), size) as store:
            for what, rule in _RULES:
                took = [_change(store, rule, FIRST_DAY + size.days - 1) for _ in range(_REPEATS)]
                seconds = statistics.median(took)
                said = f"{title}, {size.agents} agents × {size.days} days: {what}"
                found.append(Result("assessed_hours", said, f"{seconds:.2f} s", "", seconds, f"{seconds:.2f} s", 5, 1))
    return found


def _change(store: Store, rule: AssessedRule, last: int) -> float:
    """Seconds from the wish to the figures of the report."""
    began = time.perf_counter()
    with store.database.write() as connection:
        bulk = Bulk(connection)
        revision = lock_store(bulk, store.id)
        rebuild_assessed(bulk, store.id, rule)
        announce(bulk, store.id, revision + 1, TOPICS, None)
        bulk.close()
    with store.database.read() as connection:
        what = Slice(store.id, FIRST_DAY, last, slots=rule.slots, flags=rule.flags, assessed=True)
        counted = sums(connection, what, ("agent_id",), histograms=True)
    rows = [values(counts, HISTORY_METRICS) for counts in counted.values()]
    assert rows
    return time.perf_counter() - began
