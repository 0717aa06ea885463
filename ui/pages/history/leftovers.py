"""Rows that nobody looks at any more, let go a few at a time.

Python destroys what is no longer referred to at once and all together; tens of thousands of rows take the window longer than a frame.
"""

from __future__ import annotations

import weakref
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.services.rows import Rows

_EVERY_MS, _AT_ONCE = 5, 2_000
_FEW = 2_000
"""So many rows can go at once."""


class Leftovers(QObject):
    """Takes over the columns that rows leave behind once nobody holds them any more, and drops a piece of them with every tick."""

    _left = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns: list[list[Any]] = []
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._drop_some)
        self._left.connect(self._take)

    def mind(self, rows: Rows) -> None:
        """On any thread, once for each answer."""
        if len(rows) > _FEW:
            weakref.finalize(rows, _hand_over, self, rows.columns()).atexit = False

    def _take(self, columns: list[list[Any]]) -> None:
        self._columns += columns
        self._timer.start()

    def _drop_some(self) -> None:
        column = self._columns[-1]
        del column[-_AT_ONCE:]
        if not column:
            self._columns.pop()
        if not self._columns:
            self._timer.stop()


def _hand_over(leftovers: Leftovers, columns: list[list[Any]]) -> None:
    """On whichever thread the last one lets go."""
    try:
        leftovers._left.emit(columns)
    except RuntimeError:  # the page is gone, and what it showed with it
        return
