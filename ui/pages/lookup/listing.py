"""One listing as a table that reads on as it is scrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from app.domain.language import tr
from ui.pages.lookup.cells import columns
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import Cells, DataTable, RowId, RowTableModel

if TYPE_CHECKING:
    from app.services.listings import ListingKind

PAGE_ROWS = 100
MOST_ROWS = 20_000
"""Nobody reads further; a filter or a file serves better."""
_READ_AHEAD = 30


@dataclass(frozen=True)
class Piece:
    """A page of rows, ready to be shown: (id, row as the service gives it, its cells). `after` is where the next begins."""

    rows: Sequence[tuple[RowId, dict[str, Any], Cells]]
    after: tuple[Any, ...] | None


class ListingTable(DataTable):
    """`more_wanted`: the end of what has been read is near. `sort_wanted`: another order is wanted, from the first row on."""

    more_wanted = Signal()
    sort_wanted = Signal()

    def __init__(self, report: str, kind: ListingKind) -> None:
        model = RowTableModel(columns(report, kind.columns))
        super().__init__(model)
        model.setParent(self)
        self.setAccessibleName(str(kind.title))
        self._report, self._kind = report, kind
        self._records: dict[RowId, dict[str, Any]] = {}
        self._shown: dict[RowId, Cells] = {}
        self.after: tuple[Any, ...] | None = None
        model.sort_by(kind.sort, descending=True)
        self.set_placeholder(Skeleton("rows"))
        model.sorted_by.connect(lambda key, descending: self.sort_wanted.emit())
        self.verticalScrollBar().valueChanged.connect(self._look_ahead)
        self.verticalScrollBar().rangeChanged.connect(self._look_ahead)

    def order(self) -> tuple[str, bool]:
        """(column key, descending); the listing's own order where none is chosen."""
        key, descending = self.rows().sort_state()
        return (key, descending) if key else (self._kind.sort, True)

    def record(self, row: RowId) -> dict[str, Any]:
        return self._records[row]

    def count(self) -> int:
        return len(self._records)

    def forget(self) -> None:
        """Other rows are on their way."""
        self._records, self._shown, self.after = {}, {}, None
        self.rows().set_rows([], flash=False)

    def show_first(self, piece: Piece) -> None:
        self._records, self._shown = {}, {}
        self._take(piece)

    def show_more(self, piece: Piece) -> None:
        self._take(piece)

    def is_complete(self) -> bool:
        return self.after is None

    def _take(self, piece: Piece) -> None:
        for id, record, made in piece.rows:
            self._records[id] = record
            self._shown[id] = made
        self.after = piece.after if len(self._records) < MOST_ROWS else None
        self.rows().set_rows(list(self._shown.items()), flash=False)

    def _look_ahead(self, *_: int) -> None:
        bar = self.verticalScrollBar()
        if self.after is not None and bar.value() >= bar.maximum() - _READ_AHEAD * bar.singleStep():
            self.more_wanted.emit()

    def tooltip(self, row: RowId, key: str) -> str:
        cell = self.rows().cell(row, key)
        if key == "rule" and self._records[row].get("source") == "imported":
            return tr("导入的订单按原文件归属", "An imported order is credited as its file says")
        return cell.text
