"""Rows of cells with identity: what changed is found here, and the order of the rows is kept here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.language import T, tr
from ui.theme.roles import Level, Role

RowId = str | int
Kind = Literal["text", "number", "bar", "state", "duration"]
Mark = Literal["", "low95", "low99", "high95", "high99"]
"""Where a figure lies among its equals: beyond the 95 % or the 99.8 % limit of chance, below or above."""
Index = QModelIndex | QPersistentModelIndex

_WIDTHS: dict[Kind, int] = {"text": 120, "number": 72, "bar": 144, "state": 132, "duration": 84}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `kind` decides alignment and painting: text left; number and duration right-aligned figures; bar a 64-px bar with its figure;
    state a dot with a word and an age. `optional` columns are hidden until chosen, `sticky` ones stay at the left. `link` cells can be
    opened one by one and look it. `names` are cut in the middle, after what stands beside them has its room. A duration does not flash
    when it changes: a running clock would flash for ever.
    """

    key: str
    title: T | str
    kind: Kind = "number"
    width: int = 0
    tooltip: T | str = ""
    optional: bool = False
    sticky: bool = False
    sortable: bool = True
    link: bool = False
    names: bool = False

    @property
    def start_width(self) -> int:
        return self.width or _WIDTHS[self.kind]

    @property
    def leads(self) -> bool:
        """Whether the text starts at the left edge."""
        return self.kind in ("text", "state")


class Cell(NamedTuple):
    """What a cell shows and what it is sorted by.

    `value` is the sort key and, in a bar, the share filled (1 is full); None sorts last in both directions. `detail` is smaller and
    quieter: a unit, or the age of a state. `mark` is drawn at the left edge of a figure, in the colour of `mark_role`.
    """

    text: str = ""
    value: float | int | str | None = None
    level: Level = ""
    detail: str = ""
    mark: Mark = ""
    mark_role: Role = "info"


EMPTY = Cell()
Cells = Mapping[str, Cell]
Row = tuple[RowId, Cells]


class RowTableModel(QAbstractTableModel):
    """The rows of a table.

    `set_rows` and `update_rows` compare with what is there and announce only the cells that differ. While somebody holds the order
    (the pointer is over the table, the keyboard walks in it), rows keep their places: new ones wait at the end, and vanished ones stay,
    marked by `is_gone`, until the last hold is released.
    """

    cells_flashed = Signal(object)
    """list[(row id, column key)]: texts that changed and should be noticed."""
    pinned_changed = Signal()
    order_waits = Signal(bool)
    """Whether rows are out of order or gone because the order is held."""
    sorted_by = Signal(str, bool)
    """Column key ("" for the order as given) and whether it descends."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self.column_of = {column.key: index for index, column in enumerate(self.columns)}
        self._flashing = {column.key for column in self.columns if column.kind != "duration"}
        self._ids: list[RowId] = []
        self._rows: dict[RowId, Cells] = {}
        self._gone: set[RowId] = set()
        self._given: dict[RowId, int] = {}
        self._wanted: list[RowId] = []
        self._pinned: list[Row] = []
        self._sort_key, self._descending = "", False
        self._holds: set[str] = set()
        self._waits = False

    # What is shown

    def row_id(self, row: int) -> RowId:
        return self._ids[row]

    def row_of(self, row_id: RowId) -> int:
        """The row's place, -1 when it is not shown."""
        try:
            return self._ids.index(row_id)
        except ValueError:
            return -1

    def ids(self) -> list[RowId]:
        """All rows in the order shown."""
        return list(self._ids)

    def cells(self, row: int) -> Cells:
        return self._rows[self._ids[row]]

    def cell(self, row_id: RowId, key: str) -> Cell:
        """Raises KeyError for a row that is not shown."""
        return self._rows[row_id].get(key, EMPTY)

    def is_gone(self, row: int) -> bool:
        """Whether the row has left the data and only waits to be taken away."""
        return bool(self._gone) and self._ids[row] in self._gone

    def pinned(self) -> Sequence[Row]:
        return self._pinned

    def sort_state(self) -> tuple[str, bool]:
        """(column key or "", descending)."""
        return self._sort_key, self._descending

    # New data

    def set_rows(self, rows: Iterable[Row], flash: bool = True) -> None:
        """All rows, in their natural order. Ids must be unique.

        `flash=False` where the question changed, not the facts (another filter): nothing flashes, and rows come, go and move at once.
        """
        new = dict(rows)
        before, self._given = self._given, {row_id: place for place, row_id in enumerate(new)}
        same_rows = before.keys() == new.keys()
        reorder = self._announce(new, flash) or not same_rows or (not self._sort_key and list(before) != list(new))
        if not same_rows:
            self._add_and_drop(new)
        if reorder or (self._waits and not flash):
            self._order(at_once=not flash)

    def update_rows(self, rows: Mapping[RowId, Cells], flash: bool = True) -> None:
        """New cells for some of the rows already given; others are left alone and unknown ids are passed over."""
        if self._announce({row_id: cells for row_id, cells in rows.items() if row_id in self._given}, flash):
            self._order()

    def set_pinned(self, rows: Sequence[Row], flash: bool = True) -> None:
        """The rows that stay on top (overview, total, mean), never sorted."""
        before = dict(self._pinned)
        self._pinned = list(rows)
        changed = [
            (row_id, key)
            for row_id, cells in rows
            if row_id in before
            for key, cell in cells.items()
            if key in self._flashing and cell.text != before[row_id].get(key, cell).text
        ]
        self.pinned_changed.emit()
        if changed and flash:
            self.cells_flashed.emit(changed)

    def _announce(self, new: Mapping[RowId, Cells], flash: bool) -> bool:
        """Take over changed cells of known rows and signal them; answers whether a sort key changed."""
        changed: dict[RowId, list[int]] = {}
        flashed: list[tuple[RowId, str]] = []
        resort = False
        column_of, rows, sort_key = self.column_of, self._rows, self._sort_key
        for row_id, cells in new.items():
            old = rows.get(row_id)
            if old is None or old is cells or old == cells:
                continue
            rows[row_id] = cells
            places = []
            for key, column in column_of.items():
                was, now = old.get(key, EMPTY), cells.get(key, EMPTY)
                if was != now:
                    places.append(column)
                    if was.text != now.text and key in self._flashing:
                        flashed.append((row_id, key))
                    if key == sort_key and was.value != now.value:
                        resort = True
            if places:
                changed[row_id] = places
        if changed:
            self._signal(changed)
            if flash and flashed:
                self.cells_flashed.emit(flashed)
        return resort

    def _signal(self, changed: Mapping[RowId, list[int]]) -> None:
        """One dataChanged per rectangle: neighbouring columns of a row together, and equal runs of neighbouring rows."""
        if len(changed) > 8:
            place_of = {row_id: place for place, row_id in enumerate(self._ids)}
            by_row = sorted((place_of[row_id], columns) for row_id, columns in changed.items())
        else:
            by_row = sorted((self._ids.index(row_id), columns) for row_id, columns in changed.items())
        open_runs: dict[tuple[int, int], tuple[int, int]] = {}
        for row, columns in by_row:
            runs = set(_runs(columns))
            for span in [span for span, (_, last) in open_runs.items() if last != row - 1 or span not in runs]:
                self._emit(span, open_runs.pop(span))
            for span in runs:
                first = open_runs[span][0] if span in open_runs else row
                open_runs[span] = (first, row)
        for span, rows in open_runs.items():
            self._emit(span, rows)

    def _emit(self, columns: tuple[int, int], rows: tuple[int, int]) -> None:
        self.dataChanged.emit(self.createIndex(rows[0], columns[0]), self.createIndex(rows[1], columns[1]))

    def _add_and_drop(self, new: Mapping[RowId, Cells]) -> None:
        before, self._gone = self._gone, {row_id for row_id in self._ids if row_id not in new}
        fresh = [row_id for row_id in new if row_id not in self._rows]
        if fresh:
            self.beginInsertRows(QModelIndex(), len(self._ids), len(self._ids) + len(fresh) - 1)
            self._ids.extend(fresh)
            for row_id in fresh:
                self._rows[row_id] = new[row_id]
            self.endInsertRows()
        if self._holds and (turned := self._gone ^ before):
            for row in (row for row, row_id in enumerate(self._ids) if row_id in turned):
                self._emit((0, len(self.columns) - 1), (row, row))

    # Order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort now, held or not: it is the person who asks. A column below 0 gives the natural order back."""
        self.sort_by(self.columns[column].key if column >= 0 else "", order == Qt.SortOrder.DescendingOrder)

    def sort_by(self, key: str, descending: bool = False) -> None:
        self._sort_key = key if key in self.column_of else ""
        self._descending = descending and bool(self._sort_key)
        self._order(at_once=True)
        self.sorted_by.emit(self._sort_key, self._descending)

    def hold(self, reason: str) -> None:
        """Keep every row where it is until `release` is called with the same reason."""
        self._holds.add(reason)

    def release(self, reason: str) -> None:
        self._holds.discard(reason)
        if not self._holds and self._waits:
            self._order()

    def is_held(self) -> bool:
        return bool(self._holds)

    def _order(self, at_once: bool = False) -> None:
        wanted = list(self._given)
        if self._sort_key:
            key, rows = self._sort_key, self._rows
            known = [(value, row_id) for row_id in wanted if (value := rows[row_id].get(key, EMPTY).value) is not None]
            known.sort(key=_first, reverse=self._descending)
            wanted = [row_id for _, row_id in known] + [row_id for row_id in wanted if rows[row_id].get(key, EMPTY).value is None]
        waits = bool(self._holds) and not at_once and wanted != self._ids
        if not waits:
            self._remove_gone()
            self._permute(wanted)
        if waits != self._waits:
            self._waits = waits
            self.order_waits.emit(waits)

    def _remove_gone(self) -> None:
        if not self._gone:
            return
        places = [row for row, row_id in enumerate(self._ids) if row_id in self._gone]
        for first, last in reversed(_runs(places)):
            self.beginRemoveRows(QModelIndex(), first, last)
            for row_id in self._ids[first : last + 1]:
                del self._rows[row_id]
            del self._ids[first : last + 1]
            self.endRemoveRows()
        self._gone.clear()

    def _permute(self, wanted: list[RowId]) -> None:
        if wanted == self._ids:
            return
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        kept = {self._ids[index.row()] for index in old}
        place_of = {row_id: place for place, row_id in enumerate(wanted) if row_id in kept} if kept else {}
        new = [self.createIndex(place_of[self._ids[index.row()]], index.column()) for index in old]
        self._ids = wanted
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    # Qt's questions, for accessibility, copying and generic views

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        cell = self._rows[self._ids[index.row()]].get(column.key, EMPTY)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{cell.text} {cell.detail}" if cell.detail else cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            level = {"warn": tr("需注意", "warning"), "alarm": tr("告警", "alarm")}.get(cell.level, "")
            beyond = _MARK_WORDS[cell.mark]
            return " ".join(part for part in (str(column.title), cell.text, cell.detail, level, str(beyond)) if part)
        if role == Qt.ItemDataRole.UserRole:
            return cell.value
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignLeft if column.leads else Qt.AlignmentFlag.AlignRight)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return str(column.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join([str(column.title), *(cells.get(column.key, EMPTY).text for _, cells in self._pinned)])
        return None


_MARK_WORDS: dict[Mark, T] = {
    "": T("", ""),
    "low95": T("低于95%界限", "below the 95 % limit"),
    "low99": T("低于99.8%界限", "below the 99.8 % limit"),
    "high95": T("高于95%界限", "above the 95 % limit"),
    "high99": T("高于99.8%界限", "above the 99.8 % limit"),
}


def _first(pair: tuple[Any, RowId]) -> Any:
    return pair[0]


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as (first, last) of each unbroken run."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
