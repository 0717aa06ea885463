"""The real console under measurement: `python -m benchmarks.console URL PAGE`, further driven as benchmarks/answers.py tells.

`page KEY` shows another page. `seen` answers `seen [[agent, consultations, epoch ns], …]`: when the table of the seats page has
painted another number of consultations of an agent, since it was last asked.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from benchmarks.answers import Answers, say
from benchmarks.traffic import MARKED, STORE
from ui.application import Console, Options
from ui.widgets.table import DataTable

_WATCHED = "consults"


class NoSecrets:
    """A measured console asks nobody for passwords."""

    def get(self, name: str) -> str | None:
        return None

    def put(self, name: str, password: str) -> str:
        return ""

    def forget(self, name: str) -> None:
        return


class PaintLog:
    """Looks over the table's shoulder: which numbers it has just painted of the marked agents, and when."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int]] = []
        self._last: dict[str, str] = {}
        watched: Any = DataTable
        original = watched.paintEvent

        def paint(table: DataTable, event: QPaintEvent) -> None:
            original(table, event)
            self._note(table, event)

        watched.paintEvent = paint

    def _note(self, table: DataTable, event: QPaintEvent) -> None:
        now, model, region = time.time_ns(), table.rows(), event.region()
        column = model.column_of.get(_WATCHED)
        if column is None:
            return
        for row in range(min(MARKED, model.rowCount())):
            code = str(model.row_id(row))
            text = model.cells(row)[_WATCHED].text
            if text != self._last.get(code) and region.contains(table.visualRect(model.index(row, column))):
                self._last[code] = text
                self.seen.append((code, int(text.replace(",", "").replace("--", "0")), now))

    def tell(self, _rest: str) -> None:
        self.seen, seen = [], self.seen
        say("seen", seen)


def main() -> None:
    url, page = sys.argv[1:]
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    log = PaintLog()
    console = Console(app, Options(url=url, store=STORE, page=page, engine=False), secrets=NoSecrets())
    console.finished.connect(app.quit)

    def show(key: str) -> None:
        assert console.shell is not None
        console.shell.open_page(key)

    commands: dict[str, Any] = {"page": show, "seen": log.tell, "end": lambda _rest: console.window.close()}
    answers = Answers(commands, console)
    console.start()
    answers.start()
    sys.exit(app.exec())


if __name__ == "__main__":
    main()
