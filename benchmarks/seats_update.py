"""`python -m benchmarks.seats_update UPDATES`: the real seats page, handed answers of 500 seats in which 28 cells in view differ each time.

Says `updates {…}`: milliseconds of the UI thread from the notice until the change is painted, and what the second after it, in which the
change flashes and fades, costs beyond a second without news; how many cells changed and how many were signalled.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QEventLoop, QModelIndex, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from app.domain.counters import Counts
from app.domain.localtime import LocalTime
from app.domain.permissions import local_owner
from app.services.live import SeatRow, Seats
from benchmarks.answers import say
from ui import theme
from ui.pages.registry import PageContext
from ui.pages.seats import SeatsPage
from ui.runtime.feed import LiveFeed, Quality
from ui.runtime.operations import Operations
from ui.runtime.preferences import Preferences
from ui.widgets.table import DataTable, RowTableModel

SEATS, CHANGED = 500, 28
_NOW = 1_780_000_000_000


class Answers:
    """Stands for the live service: every answer differs from the one before in what CHANGED agents have sold."""

    def __init__(self) -> None:
        self._count = 0

    def seats(self, _store: object, _group: int | None = None, **_options: object) -> Seats:
        self._count += 1
        rows = [self._row(number) for number in range(SEATS)]
        return Seats(_NOW, rows, self._numbers(0), [], ["t1"])

    def _row(self, number: int) -> SeatRow:
        return SeatRow(number + 1, f"a{number:03}", f"Agent {number:03}", "t1", 10, "available", _NOW - 600_000, self._numbers(number))

    def _numbers(self, number: int) -> Counts:
        sold = self._count if number < CHANGED else 0
        return {
            "consults": 40 + number % 17, "received": 38 + number % 13, "replied_30s": 30, "replied_180s": 36, "invited": 20, "rated": 9,
            "satisfied": 8, "resolved": 7, "active": number % 7, "capacity": 10, "active_capped": number % 7, "order_amount_24h": 990_000,
            "orders_24h": 11, "order_items_24h": 12 + sold, "login_ms": 14_400_000, "first_reply_ms": 400_000,
        }  # fmt: skip


class Measured:
    """The page, and who looks over its shoulder."""

    def __init__(self, folder: Path) -> None:
        self._awaited: QEventLoop | None = None
        self._watch_painting()
        workspace: Any = SimpleNamespace(live=Answers(), local=lambda _store: LocalTime("Asia/Shanghai"))
        store: Any = SimpleNamespace(id=1, code="busy", name="busy", zone="Asia/Shanghai")
        self._operations = Operations()
        notices: Any = None
        context = PageContext(
            workspace, store, local_owner(), LiveFeed(notices), Preferences(folder / "preferences.json"), self._operations,
            lambda: _NOW, lambda _key, _where: None, lambda _text, _level: None,
        )  # fmt: skip
        self.page = SeatsPage(context)
        self.page.resize(1440, 900)
        self.page.show()
        self.page.on_quality(Quality("live"))
        self.page.activate()
        self.update()
        self.rest()

    def update(self) -> float:
        """Milliseconds of this thread until the next answer is painted."""
        self._awaited = loop = QEventLoop()
        began = time.thread_time()
        self.page.on_notice(frozenset({"orders"}))
        loop.exec()
        self._awaited = None
        return (time.thread_time() - began) * 1000

    def rest(self) -> float:
        """Milliseconds of this thread in a second without news."""
        loop = QEventLoop()
        began = time.thread_time()
        QTimer.singleShot(1000, loop, loop.quit)
        loop.exec()
        return (time.thread_time() - began) * 1000

    def compare(self) -> tuple[int, int]:
        """(cells that differ, cells signalled) by one update."""
        model = self.page.findChild(RowTableModel)
        assert model is not None
        before = {id: dict(model.cells(row)) for row, id in enumerate(model.ids())}
        signalled: list[int] = []

        def signal(first: QModelIndex, last: QModelIndex) -> None:
            signalled.append((last.row() - first.row() + 1) * (last.column() - first.column() + 1))

        model.dataChanged.connect(signal)
        self.update()
        model.dataChanged.disconnect(signal)
        changed = sum(model.cell(id, key) != cells.get(key) for id, cells in before.items() for key in cells if key in model.column_of)
        return changed, sum(signalled)

    def end(self) -> None:
        self.page.deactivate()
        self.page.deleteLater()
        self._operations.close()

    def _watch_painting(self) -> None:
        watched: Any = DataTable
        original = watched.paintEvent

        def paint(table: DataTable, event: QPaintEvent) -> None:
            original(table, event)
            if self._awaited is not None:
                QTimer.singleShot(0, self._awaited, self._awaited.quit)

        watched.paintEvent = paint


def main() -> None:
    updates = int(sys.argv[1])
    app = QApplication([])
    theme.apply(app, "light")
    with TemporaryDirectory(prefix="kefu-bench-") as folder:
        measured = Measured(Path(folder))
        idle = median(measured.rest() for _ in range(3))
        at_once: list[float] = []
        after: list[float] = []
        for _ in range(updates):
            at_once.append(measured.update())
            after.append(measured.rest() - idle)
        changed, signalled = measured.compare()
        measured.end()
    say("updates", {"at_once": median(at_once), "worst": max(at_once), "after": median(after), "changed": changed, "signalled": signalled})


if __name__ == "__main__":
    main()
