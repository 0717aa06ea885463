"""The UI thread of the real console while 500 seats are busy: its longest stall, and the share of a core the console takes.

The peer is a window that shows nothing beside the same writer: what of a stall is the machine's.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks import traffic
from benchmarks.harness import Result
from benchmarks.heartbeat import Pulse
from benchmarks.processes import Observed, observed
from benchmarks.stores import TITLES, fresh

PAGES = {"overview": "overview (18 tiles, chart, list)", "seats": "seats (500 rows)"}


def run(quick: bool = False) -> list[Result]:
    warm, span = (4.0, 6.0) if quick else (15.0, 40.0)
    found: list[Result] = []
    for kind, database in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
            home, url = Path(folder), fresh(kind, Path(folder))
            traffic.make(url, 3_000 if quick else 30_000)
            with traffic.busy(url, home / "writer"):
                with observed("-m", "benchmarks.floor", "--answering", home=home / "floor") as floor:
                    floor.wait_for("painted")
                    time.sleep(warm / 2)
                    empty = _pulse(floor, span / 2)
                with observed("-m", "benchmarks.console", url, "overview", home=home / "console") as console:
                    console.wait_for("shown")
                    for page, title in PAGES.items():
                        console.tell(f"page {page}")
                        time.sleep(warm)
                        share = _share_of_a_core(console, span)
                        found += _results(f"{database}, {title}", share, _pulse(console, span), empty)
    return found


def _share_of_a_core(process: Observed, span: float) -> float:
    """Of all its threads, without the watch over the UI thread, which costs something itself."""
    used, began = process.cpu_seconds(), time.perf_counter()
    time.sleep(span)
    return (process.cpu_seconds() - used) / (time.perf_counter() - began)


def _pulse(process: Observed, span: float) -> Pulse:
    process.tell("beat")
    time.sleep(span)
    process.tell("rest")
    return Pulse(**json.loads(process.wait_for("pulse")[1]))


def _results(where: str, share: float, pulse: Pulse, empty: Pulse) -> list[Result]:
    ours = f"{pulse.longest_ms:.1f} ms (99.9 %: {pulse.p999_ms:.1f}; own work: {pulse.work_ms:.1f})"
    peer = f"{empty.longest_ms:.1f} ms (99.9 %: {empty.p999_ms:.1f}) in an empty window"
    return [
        Result("stall", f"{where}: longest stall", ours, peer, pulse.longest_ms, f"{pulse.longest_ms:.1f} ms", 50, 16),
        Result("stall", f"{where}: share of a core", f"{share:.1%}", "", share * 100, f"{share:.1%}", 25, 10),
    ]
