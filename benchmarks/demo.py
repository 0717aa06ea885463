"""The first start of `main.py demo`: until the window shows numbers of today, and, the window live all along, until the history is in."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from app.sources.simulator.feed import SimulatedStore
from app.storage.database import Database
from app.storage.progress import Progress
from benchmarks.harness import Result
from benchmarks.processes import Observed, observed

_POLL_SECONDS = 0.25
_PATIENCE_SECONDS = 600.0


def run(quick: bool = False) -> list[Result]:
    days = 7 if quick else 30
    painted: list[float] = []
    live: list[float] = []
    whole: list[float] = []
    for _ in range(1 if quick else 3):
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
            home, store = Path(folder), Path(folder) / "demo.db"
            with observed("-m", "benchmarks.first_picture", str(store), str(days), home=home / "home") as console:
                painted.append(console.wait_for("painted")[0])
                live.append(console.wait_for("live")[0])
                _wait_until_filled(store, console)
                whole.append(time.perf_counter() - console.started)
    what = f"24 agents, {days} days"
    window, first, rest = statistics.median(painted), statistics.median(live), statistics.median(whole)
    return [
        Result("demo", f"{what}: first start until the first live picture", f"{first:.1f} s", "", first, f"{first:.1f} s", 15, 5),
        Result("demo", f"{what}: until the window is painted", f"{window:.2f} s", "", window, f"{window:.2f} s", None, None),
        Result("demo", f"{what}: until the whole history is in", f"{rest:.1f} s", "", rest, f"{rest / days:.2f} s a day", None, None),
    ]


def _wait_until_filled(file: Path, console: Observed) -> None:
    """Raises TimeoutError when the history is not in after ten minutes, RuntimeError when the console ends."""
    database = Database(str(file), create=False)
    try:
        ((store, *_),) = database.stores()
        progress = Progress(database, store, SimulatedStore.name)
        until = time.monotonic() + _PATIENCE_SECONDS
        begun = False
        while time.monotonic() < until:
            said = progress.said()
            if begun and said is None:
                return
            begun = begun or said is not None
            if not console.system.is_running():
                raise RuntimeError("the console has ended")
            time.sleep(_POLL_SECONDS)
        raise TimeoutError("the history is not in")
    finally:
        database.close()
