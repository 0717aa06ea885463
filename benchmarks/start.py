"""From the start of the process until the first window is painted, and until its first page shows numbers."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.harness import Result, paired
from benchmarks.processes import observed

FLOOR = ("-m", "benchmarks.floor")


def run(quick: bool = False) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
        home, store = Path(folder), str(Path(folder) / "demo.db")
        _make(store)
        shown: list[float] = []

        def console() -> float:
            with observed("main.py", "demo", "--db", store, home=home / "home") as process:
                painted, _ = process.wait_for("painted")
                shown.append(process.wait_for("shown")[0])
                return painted

        def bare() -> float:
            with observed(*FLOOR, home=home / "home") as process:
                return process.wait_for("painted")[0]

        console()  # the first one after an installation compiles; both sides are measured warm
        bare()
        shown.clear()
        ours, floor = paired(console, bare, 3 if quick else 15)
    until_shown = statistics.median(shown)
    peer = f"{floor * 1000:.0f} ms (a bare window, same libraries)"
    return [
        Result("start", "process start until the window is painted", f"{ours * 1000:.0f} ms", peer, ours / floor,
               f"{ours / floor:.2f} ×", 1.3, 0.7),
        Result("start", "process start until the first page shows its numbers", f"{until_shown * 1000:.0f} ms", peer,
               until_shown / floor, f"{until_shown / floor:.2f} ×", None, None),
    ]  # fmt: skip


def _make(store: str) -> None:
    """A small demo store, complete, as it is found on a second start."""
    from app.desk.simulated import Setup, build
    from app.sources.simulator import Plan
    from app.storage.database import Database

    database = Database(store)
    try:
        build(database, Setup(plan=Plan(agents=15, store="demo"), days=2))
    finally:
        database.close()
