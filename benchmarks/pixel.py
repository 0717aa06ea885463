"""From the commit of an event to the pixel of its seat, at 500 events a second.

The writer tells when it has committed an agent's next consultation, the console when its table has painted that number or a later one.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks import traffic
from benchmarks.harness import Result, percentile
from benchmarks.processes import Observed, observed
from benchmarks.stores import TITLES, fresh

Event = tuple[str, int, int]
"""(agent, consultations, epoch ns)."""
_LAST_SECONDS = 3.0


def run(quick: bool = False) -> list[Result]:
    warm, span = (4.0, 10.0) if quick else (15.0, 90.0)
    found: list[Result] = []
    for kind, database in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
            home, url = Path(folder), fresh(kind, Path(folder))
            traffic.make(url, 3_000 if quick else 30_000)
            with (
                traffic.busy(url, home / "writer") as writer,
                observed("-m", "benchmarks.console", url, "seats", home=home / "console") as console,
            ):
                console.wait_for("shown")
                time.sleep(warm)
                since = time.time_ns()
                time.sleep(span)
                until = time.time_ns()
                time.sleep(_LAST_SECONDS)
                committed = [event for event in _told(writer) if since <= event[2] < until]
                delays = latencies(committed, [tuple(event) for event in console.ask("seen", "seen")])
        found += _results(database, len(committed), delays)
    return found


def latencies(committed: Iterable[Event], painted: Iterable[Event]) -> list[float]:
    """Milliseconds from each commit until its number of consultations, or a larger one, was painted.

    Raises RuntimeError where it never was.
    """
    shown: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for agent, value, at in painted:
        shown[agent].append((at, value))
    found = []
    for agent, wanted, at in committed:
        # Painted before the writer itself knew of the commit: it took no time.
        seen = min((when for when, value in shown[agent] if value >= wanted), default=None)
        if seen is None:
            raise RuntimeError(f"{agent}: {wanted} was never painted")
        found.append(max(0, seen - at) / 1e6)
    return found


def _told(writer: Observed) -> list[Event]:
    return [tuple(json.loads(said)) for said in writer.said("marked")]


def _results(database: str, events: int, delays: list[float]) -> list[Result]:
    middle, slowest = percentile(delays, 0.5), percentile(delays, 0.99)
    what = f"{database}: commit until painted"
    return [
        Result("pixel", f"{what}, p50", f"{middle:.0f} ms ({events} events)", "", middle, f"{middle:.0f} ms", 300, 100),
        Result("pixel", f"{what}, p99", f"{slowest:.0f} ms (longest {max(delays):.0f})", "", slowest, f"{slowest:.0f} ms", 1000, 250),
    ]
