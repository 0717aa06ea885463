"""The model of a table with any number of rows: cells are made when they are looked at, the order is worked out elsewhere.

A RowTableModel holds every cell of every row, and sorts while the window waits; with the tens of thousands of rows of a long report
that would be a second. Here rows come as a `RowSource` made on a worker thread, which knows their order and makes the cells of one row
on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QModelIndex, QObject, Signal

from ui.widgets.table_model import EMPTY, Cells, Column, RowId, RowTableModel


class RowSource(Protocol):
    """All rows of one answer. `ids` are in the order they are to be shown in; `cells` makes one row, the same each time.

    `members` has every id once. Both are never changed; two sources of the same rows had better have the same members.
    """

    @property
    def ids(self) -> list[RowId]: ...
    @property
    def members(self) -> Mapping[Any, int]: ...

    def cells(self, row_id: RowId) -> Cells: ...


class _Rows(dict[RowId, Cells]):
    """The rows that have been looked at of late; others are made when they are asked for."""

    def __init__(self, make: Callable[[RowId], Cells]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, row_id: RowId) -> Cells:
        if len(self) >= _KEPT:
            del self[next(iter(self))]
        cells = self[row_id] = self._make(row_id)
        return cells


_KEPT = 256
"""Rows: more than a tall screen shows. Each has a cell for every column, and who scrolls through a long report passes thousands."""


def _nothing(row_id: RowId) -> Cells:
    return {}


class ReportModel(RowTableModel):
    """Rows come by `set_source` only. Sorting is a wish: `order_wanted` asks for a source in the order of `sort_state()`."""

    order_wanted = Signal()

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(columns, parent)
        self._rows: dict[RowId, Cells] = _Rows(_nothing)
        self._members: Mapping[Any, int] = {}
        self._ordered: list[RowId] = []

    def set_source(self, source: RowSource, flash: bool) -> None:
        """Another answer. flash: to the same question, so what changed is shown, and rows keep their places while they are held."""
        before, self._rows = self._rows, _Rows(source.cells)
        self._ordered = source.ids
        members, self._members = self._members, source.members
        if members is not self._members and members.keys() != self._members.keys():
            self._replace()
            return
        if flash:
            self._tell_changes(before)
        if self._ids:
            self._emit((0, len(self.columns) - 1), (0, len(self._ids) - 1))
        self._order(at_once=not flash)

    def sort_by(self, key: str, descending: bool = False) -> None:
        self._sort_key = key if key in self.column_of else ""
        self._descending = descending and bool(self._sort_key)
        self.sorted_by.emit(self._sort_key, self._descending)
        self.order_wanted.emit()

    def _replace(self) -> None:
        """Other rows: all leave and all come, which costs less than to find out which stay."""
        if self._ids:
            self.beginRemoveRows(QModelIndex(), 0, len(self._ids) - 1)
            self._ids = []
            self.endRemoveRows()
        if self._ordered:
            self.beginInsertRows(QModelIndex(), 0, len(self._ordered) - 1)
            self._ids = self._ordered
            self.endInsertRows()
        if self._waits:
            self._waits = False
            self.order_waits.emit(False)

    def _tell_changes(self, before: dict[RowId, Cells]) -> None:
        """What of the rows that were looked at reads differently now."""
        changed = [
            (row_id, key)
            for row_id, old in before.items()
            if row_id in self._members
            for key, cell in self._rows[row_id].items()
            if key in self._flashing and cell.text != old.get(key, EMPTY).text
        ]
        if changed:
            self.cells_flashed.emit(changed)

    def _order(self, at_once: bool = False) -> None:
        waits = bool(self._holds) and not at_once and self._ordered != self._ids
        if not waits:
            self._permute(self._ordered)
        if waits != self._waits:
            self._waits = waits
            self.order_waits.emit(waits)
