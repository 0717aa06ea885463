"""Another order window: all three are counted at once, so nothing but the question is asked again."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from app.domain.counters import WINDOWS
from app.domain.metrics import HISTORY_METRICS, values
from app.storage.queries import Slice, sums
from benchmarks.harness import Result
from benchmarks.history import FIRST_DAY, FULL, QUICK, Store, days
from benchmarks.stores import TITLES, fresh


def run(quick: bool = False) -> list[Result]:
    size = QUICK if quick else FULL
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        stores = {kind: Store(fresh(kind, Path(name)), size, slots=False) for kind in TITLES}
        for day in days(size):
            for store in stores.values():
                store.add(day)
        for kind, store in stores.items():
            store.finish()
            took: list[float] = []
            shown: set[int] = set()
            for window in list(WINDOWS) * 5:
                began = time.perf_counter()
                with store.database.read() as connection:
                    counted = sums(connection, Slice(store.id, FIRST_DAY, FIRST_DAY + size.days - 1), ("agent_id",), histograms=True)
                rows = {agent: values(counts, HISTORY_METRICS, window) for agent, counts in counted.items()}
                took.append(time.perf_counter() - began)
                shown.add(round(sum(row["order_amount"] or 0 for row in rows.values())))
            assert len(shown) == len(WINDOWS), "each window has figures of its own"
            store.database.close()
            seconds, what = statistics.median(took), f"{TITLES[kind]}, {size.agents} agents × {size.days} days: another order window"
            longest = f"{seconds * 1000:.0f} ms (longest {max(took) * 1000:.0f})"
            found.append(Result("order_window", what, longest, "", seconds, f"{seconds:.2f} s", 1, 0.2))
    return found
