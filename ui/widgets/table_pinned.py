"""The keyboard in the rows on top of a table, which are no rows of its model: up from the first row leads into them, down back out."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import QTableView

from ui.theme import ROW_HEIGHT
from ui.widgets.table_header import TableHeader
from ui.widgets.table_model import EMPTY, RowId, RowTableModel

_KEPT = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta})
"""Keys that leave the walk where it is: the table goes on to move its column."""


class PinnedWalk:
    """The column is that of the table's current cell, which stays in the first row meanwhile."""

    def __init__(self, table: QTableView, model: RowTableModel, header: TableHeader) -> None:
        self._table, self._model, self._header = table, model, header

    @property
    def active(self) -> bool:
        return self._header.walked >= 0

    def press(self, event: QKeyEvent) -> bool:
        """Whether the key is used up; others go on to the table, and most of them lead out."""
        key, index = event.key(), self._table.currentIndex()
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        lines, at = len(self._model.pinned()), self._header.walked
        if at < 0:
            enters = plain and key == Qt.Key.Key_Up and index.isValid() and index.row() == 0 and lines > 0
            if enters:
                self._go_to(lines - 1)
            return enters
        if plain and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            following = at + (1 if key == Qt.Key.Key_Down else -1)
            self._go_to(max(0, following) if following < lines else -1)
            return True
        if key not in _KEPT and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.leave()
            return key == Qt.Key.Key_Escape
        return False

    def cell(self) -> tuple[RowId, str] | None:
        """The row on top and the column the keyboard is at."""
        index, pinned = self._table.currentIndex(), self._model.pinned()
        if not self.active or not index.isValid() or self._header.walked >= len(pinned):
            return None
        return pinned[self._header.walked][0], self._model.columns[index.column()].key

    def place(self) -> QPoint:
        """The lower left corner of that cell on the screen."""
        x = self._header.sectionViewportPosition(self._table.currentIndex().column())
        y = self._header.title_height() + (self._header.walked + 1) * ROW_HEIGHT
        return self._header.viewport().mapToGlobal(QPoint(max(0, x), y))

    def leave(self) -> None:
        if self.active:
            self._go_to(-1)

    def tell(self) -> None:
        """Have it painted, and heard."""
        self._header.viewport().update()
        self._table.viewport().update()
        words = ""
        if (found := self.cell()) is not None:
            row_id, key = found
            cells = dict(self._model.pinned())[row_id]
            column = self._model.columns[self._model.column_of[key]]
            first = next((cell.text for cell in cells.values() if cell.text), "")
            cell = cells.get(key, EMPTY)
            words = ", ".join(dict.fromkeys(part for part in (first, f"{column.title} {cell.text}", cell.detail) if part))
        self._table.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleEvent(self._table, QAccessible.Event.DescriptionChanged))

    def _go_to(self, line: int) -> None:
        self._header.walked = line
        self.tell()
