"""The UI thread while a table of 45,000 rows is loaded, sorted, scrolled, filtered …: 员工日报 of five hundred agents over ninety days.

The window is the real console's; each act is done as the person does it, and watched from then until its rows have been painted and
everything is still again. The peer is a window that shows nothing: what of a stall is the machine's.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from app.domain.localtime import day_date
from benchmarks import export
from benchmarks.harness import Result
from benchmarks.heartbeat import Pulse
from benchmarks.processes import Observed, observed
from benchmarks.stores import TITLES, fresh

DAYS, QUICK_DAYS = 90, 20
_FIRST = day_date(export.FIRST_DAY)
_STILL_SECONDS = 0.6
_SCROLLS, _SCROLL_MS = 60, 16
_KEY_MS, _MENU_MS = 250, 200
ACTS = {
    "load": "load", "sort": "sort by a figure", "scroll": "scroll through", "window": "another order window", "columns": "choose columns",
    "filter": "type a code to filter by", "leave": "another report",
}  # fmt: skip


def run(quick: bool = False) -> list[Result]:
    days, turns = (QUICK_DAYS, 1) if quick else (DAYS, 3)
    found: list[Result] = []
    for kind, database in TITLES.items():
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
            home, url = Path(folder), fresh(kind, Path(folder))
            export.fill(url, days, sessions=False)
            with observed("-m", "benchmarks.floor", "--answering", home=home / "floor") as floor:
                floor.wait_for("painted")
                time.sleep(1)
                empty = _watched(floor, lambda: time.sleep(2))
            with observed("-m", "benchmarks.long_table", url, str(days), home=home / "console") as console:
                console.wait_for("ready")
                pulses: dict[str, list[Pulse]] = {act: [] for act in ACTS}
                waits: dict[str, list[float]] = {act: [] for act in ACTS}
                for _ in range(turns):
                    for act in ACTS:
                        pulse, wait = _acted(console, act)
                        pulses[act].append(pulse)
                        waits[act].append(wait)
            rows = export.AGENTS * days
            found += [_result(f"{database}, {rows:,} rows: {ACTS[act]}", pulses[act], waits[act], empty) for act in ACTS]
    return found


def _acted(console: Observed, act: str) -> tuple[Pulse, float]:
    """What the UI thread did, and how many seconds it took until the table had painted what was wanted, or the first of it."""
    took = 0.0

    def do() -> None:
        nonlocal took
        began = time.perf_counter()
        console.tell(act)
        console.wait_for("painted")
        took = time.perf_counter() - began
        time.sleep(_STILL_SECONDS)

    return _watched(console, do), took


def _watched(process: Observed, act: Callable[[], object]) -> Pulse:
    process.tell("beat")
    act()
    process.tell("rest")
    return Pulse(**json.loads(process.wait_for("pulse")[1]))


def _result(what: str, pulses: list[Pulse], waits: list[float], empty: Pulse) -> Result:
    longest = [pulse.longest_ms for pulse in pulses]
    middle, work = statistics.median(longest), statistics.median(pulse.work_ms for pulse in pulses)
    ours = f"{middle:.1f} ms (at most {max(longest):.1f}; own work: {work:.1f}); painted after {statistics.median(waits):.2f} s"
    return Result("long_table", what, ours, f"{empty.longest_ms:.1f} ms in an empty window", middle, f"{middle:.1f} ms", 50, 16)


def main() -> None:
    """`python -m benchmarks.long_table URL DAYS`: the console, which does what ACTS name and says `painted`."""
    from PySide6.QtCore import QPoint, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QMenu

    from benchmarks.answers import Answers, say
    from benchmarks.console import NoSecrets
    from ui.application import Console, Options
    from ui.pages.history.page import HistoryPage
    from ui.pages.history.table import ReportTable

    url, days = sys.argv[1], int(sys.argv[2])
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    console = Console(app, Options(url=url, store=export.STORE, page="compare", engine=False), secrets=NoSecrets())
    console.finished.connect(app.quit)
    console.window.resize(1600, 1000)
    period = {"first": _FIRST.isoformat(), "last": (_FIRST + timedelta(days=days - 1)).isoformat()}

    def page() -> HistoryPage:
        assert console.shell is not None
        assert console.shell.host is not None
        found = console.shell.host.page
        assert isinstance(found, HistoryPage)
        return found

    def look() -> None:
        if console.shell is not None and console.shell.host is not None and console.shell.host.page is not None:
            waiting.stop()
            say("ready", "")

    waiting = QTimer(console, interval=100)
    waiting.timeout.connect(look)

    def painted() -> None:
        QTimer.singleShot(0, lambda: say("painted", ""))  # behind the events that paint

    watched: Any = ReportTable
    original = watched.show_picture

    def show_picture(table: ReportTable, picture: Any, flash: bool) -> None:
        original(table, picture, flash)
        painted()

    watched.show_picture = show_picture

    def one_by_one(steps: Iterable[Callable[[], object]], interval: int) -> None:
        ticks, left = QTimer(console, interval=interval), iter(steps)

        def step() -> None:
            do = next(left, None)
            if do is None:
                ticks.stop()
                painted()
            else:
                do()

        ticks.timeout.connect(step)
        ticks.start()

    def scroll(_rest: str) -> None:
        bar = page()._table().verticalScrollBar()
        one_by_one([partial(bar.setValue, bar.maximum() * at // _SCROLLS) for at in range(_SCROLLS + 1)], _SCROLL_MS)

    def type_code(_rest: str) -> None:
        search = page()._tools.search
        page().focus_filter()
        one_by_one([partial(QTest.keyClick, search, key) for key in "a0007"], _KEY_MS)

    def choose_columns(_rest: str) -> None:
        table = page()._table()

        def menu() -> QMenu:
            found = QApplication.activePopupWidget()
            assert isinstance(found, QMenu)
            return found

        one_by_one(
            [lambda: table.show_columns(QPoint(800, 300)), lambda: menu().actions()[-1].trigger(), lambda: menu().close()], _MENU_MS
        )  # fmt: skip

    def other_window(_rest: str) -> None:
        page()._choose_window("15d" if page()._window() == "7d" else "7d")

    commands: dict[str, Any] = {
        "load": lambda _rest: page().open_at({"report": "daily", **period}),
        "sort": lambda _rest: page()._table().model_.sort_by("consults", descending=True),
        "scroll": scroll, "window": other_window, "columns": choose_columns, "filter": type_code,
        "leave": lambda _rest: page().open_at({"report": "workload", **period}),
        "end": lambda _rest: console.window.close(),
    }  # fmt: skip
    answers = Answers(commands, console)
    console.start()
    answers.start()
    waiting.start()
    sys.exit(app.exec())


if __name__ == "__main__":
    main()
