"""Rows that nobody looks at any more, let go a few at a time.

Python destroys what is no longer referred to at once and all together; tens of thousands of rows take the window longer than a frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer

_EVERY_MS, _AT_ONCE = 5, 1_000
_FEW = 2_000
"""So many rows can go at once."""


class Leftovers(QObject):
    """Keeps the rows it is given alive, and fewer of them with every tick."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[object] = []
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._drop_some)

    def take(self, rows: Sequence[object]) -> None:
        if len(rows) > _FEW:
            self._rows.extend(rows)
            self._timer.start()

    def _drop_some(self) -> None:
        del self._rows[-_AT_ONCE:]
        if not self._rows:
            self._timer.stop()
