"""What the console takes up after ten minutes in front of a store of 500 busy seats, against a bare window with the same libraries.

Resident size, as the system reports it; of a local store it holds what is mapped of the file, too. The two live pages take turns.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import traffic
from benchmarks.harness import Result
from benchmarks.processes import Observed, observed
from benchmarks.stores import TITLES, fresh

_SAMPLE_SECONDS = 2.0
_TURN_SAMPLES = 5
_PAGES = ("seats", "overview")


def run(quick: bool = False) -> list[Result]:
    seconds = 60.0 if quick else 600.0
    found: list[Result] = []
    for kind, database in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
            home, url = Path(folder), fresh(kind, Path(folder))
            traffic.make(url, 3_000 if quick else 30_000)
            with observed("-m", "benchmarks.floor", home=home / "floor") as floor:
                floor.wait_for("painted")
                time.sleep(_SAMPLE_SECONDS)
                bare = _resident(floor)
            with traffic.busy(url, home / "writer"), observed("-m", "benchmarks.console", url, "seats", home=home / "console") as console:
                console.wait_for("shown")
                sizes = _sizes(console, seconds)
        tenth = max(1, len(sizes) // 10)
        early, late = median(sizes[2 * tenth : 3 * tenth]), median(sizes[-tenth:])
        after = f"{database}, after {seconds / 60:.0f} min, 500 seats"
        growth = late / early - 1
        found += [
            Result("memory", after, f"{late:.0f} MB", f"{bare:.0f} MB (a bare window)", late / bare, f"{late / bare:.2f} ×", 1.6, 1.3),
            Result("memory", f"{after}: growth since the third tenth", f"{late - early:+.1f} MB", f"{early:.0f} MB", growth * 100,
                   f"{growth:+.1%}", None, None),
        ]  # fmt: skip
    return found


def _sizes(console: Observed, seconds: float) -> list[float]:
    sizes: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if len(sizes) % _TURN_SAMPLES == 0:
            console.tell(f"page {_PAGES[len(sizes) // _TURN_SAMPLES % len(_PAGES)]}")
        time.sleep(_SAMPLE_SECONDS)
        sizes.append(_resident(console))
    return sizes


def _resident(process: Observed) -> float:
    """Megabytes."""
    return float(process.system.memory_info().rss) / (1 << 20)
