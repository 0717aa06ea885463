"""Where somebody is in a table, to bring them back there."""

from __future__ import annotations

from typing import NamedTuple

from ui.widgets.table import DataTable, RowId


class TablePlace(NamedTuple):
    """The current row and column, and how far the table is scrolled, in pixels."""

    row: RowId | None
    column: str
    across: int
    down: int


def place_of(table: DataTable) -> TablePlace:
    index = table.currentIndex()
    column = table.rows().columns[index.column()].key if index.isValid() else ""
    return TablePlace(table.current_id(), column, table.horizontalScrollBar().value(), table.verticalScrollBar().value())


def bring_back(table: DataTable, place: TablePlace) -> None:
    """What of it is still there."""
    rows = table.rows()
    row = -1 if place.row is None else rows.row_of(place.row)
    if row >= 0:
        table.setCurrentIndex(rows.index(row, rows.column_of.get(place.column, 0)))
    table.updateGeometries()  # rows that have just come are not in the range of the bars yet
    table.horizontalScrollBar().setValue(place.across)
    table.verticalScrollBar().setValue(place.down)
