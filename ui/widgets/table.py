"""The table of the product: live rows, pinned rows on top, a sticky first column, columns as the person wants them.

The view paints its visible cells itself, in one pass: asking the model cell by cell through a delegate costs five times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)  # fmt: skip
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QHeaderView, QTableView, QToolTip, QWidget

from ui.theme import ROW_HEIGHT, color
from ui.widgets.flash import Flashes
from ui.widgets.popover import CheckMenu
from ui.widgets.table_cells import CellPainter
from ui.widgets.table_columns import ColumnLayout
from ui.widgets.table_header import TableHeader
from ui.widgets.table_model import EMPTY, Cell, Cells, Column, Row, RowId, RowTableModel
from ui.widgets.table_pinned import PinnedWalk

__all__ = ["Cell", "Cells", "Column", "DataTable", "Row", "RowId", "RowTableModel"]


class DataTable(QTableView):
    """Shows a RowTableModel.

    Keyboard: arrows walk, up from the first row into those on top; Home and End go to the first and last row, Enter opens, Alt with an
    arrow up or down sorts by the current column, F1 explains the current cell, Ctrl+C copies the selected rows, Esc lets go. While the
    pointer is inside, or the keyboard walks, rows keep their order.
    """

    opened = Signal(object)
    """Row id: Enter or a double click."""
    cell_opened = Signal(object, str)
    """Row id and column key: a click, or Enter, on a cell of a `link` column; pinned rows too."""
    current_changed = Signal(object)
    """Row id, or None."""
    row_menu_wanted = Signal(object, QPoint)
    """Row id and global position."""
    columns_changed = Signal()
    """Columns, widths or sorting were changed by the person: `columns_state()` is worth keeping."""

    def __init__(self, model: RowTableModel, multiple: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = model
        self._flashes = Flashes(self, self._flashed)
        self._header = TableHeader(model, self._flashes, self)
        self._pinned = PinnedWalk(self, model, self._header)
        self._tooltip: Callable[[RowId, str], str] | None = None
        self._placeholder: QWidget | None = None
        self._hover_row, self._hover_column = -1, -1
        self._stale = self._walking = False
        self.setModel(model)
        self.setHorizontalHeader(self._header)
        self._set_up(multiple)
        self._layout = ColumnLayout(model, self._header, self)
        self._layout.applied.connect(self._columns_applied)
        self._layout.kept.connect(self.columns_changed)
        self._header.title_clicked.connect(self._title_clicked)
        self._header.menu_wanted.connect(self._show_columns_menu)
        self._header.pinned_clicked.connect(self.cell_opened)
        model.cells_flashed.connect(self._cells_flashed)
        model.pinned_changed.connect(self._pinned_changed)
        model.order_waits.connect(self._order_waits)
        model.sorted_by.connect(self._sorted)
        model.rowsInserted.connect(self._rows_counted)
        model.rowsRemoved.connect(self._rows_counted)
        self._layout.reset()

    def _set_up(self, multiple: bool) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if multiple else mode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        vertical = self.verticalHeader()
        vertical.hide()
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setMinimumSectionSize(ROW_HEIGHT)
        vertical.setDefaultSectionSize(ROW_HEIGHT)
        self.verticalScrollBar().setSingleStep(ROW_HEIGHT)
        self.setTabKeyNavigation(False)

    # For pages

    def rows(self) -> RowTableModel:
        return self._rows

    def set_tooltip(self, tooltip: Callable[[RowId, str], str]) -> None:
        """What the pointer over a cell shows, and F1 at it, asked for only then: (row id, column key) to text; pinned rows too."""
        self._tooltip = self._header.cell_tooltip = tooltip

    def set_placeholder(self, placeholder: QWidget) -> None:
        """Shown in place of the rows while there are none."""
        if self._placeholder is not None:
            self._placeholder.deleteLater()
        self._placeholder = placeholder
        placeholder.setParent(self.viewport())
        self._rows_counted()

    def set_stale(self, stale: bool) -> None:
        """Grey all figures: they are no longer fresh."""
        if stale != self._stale:
            self._stale = self._header.stale = stale
            self.viewport().update()
            self._header.viewport().update()

    def current_id(self) -> RowId | None:
        index = self.currentIndex()
        return self._rows.row_id(index.row()) if index.isValid() else None

    def select(self, row_id: RowId | None) -> None:
        """Make a row current and bring it into view; None, or a row that is not there, selects nothing."""
        row = -1 if row_id is None else self._rows.row_of(row_id)
        if row < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            return
        column = max(0, self.currentIndex().column()) if self.currentIndex().isValid() else self._header.logicalIndex(0)
        self.setCurrentIndex(self._rows.index(row, column))

    def selected_ids(self) -> list[RowId]:
        """In the order shown."""
        return [self._rows.row_id(row) for row in sorted(index.row() for index in self.selectionModel().selectedRows())]

    def shown_columns(self) -> list[str]:
        """Column keys from left to right."""
        return self._layout.shown()

    def columns_state(self) -> dict[str, Any]:
        """Columns, widths and sorting as plain JSON types, for `restore_columns`."""
        return self._layout.state()

    def restore_columns(self, state: Mapping[str, Any]) -> None:
        """Take over a `columns_state()`, from another version too: what is unknown or malformed is passed over."""
        self._layout.restore(state)

    def reset_columns(self) -> None:
        self._layout.reset()

    def columns_menu(self) -> CheckMenu:
        """The menu in which columns are ticked, for the button of a page; the caller shows and deletes it."""
        return self._layout.menu(self)

    def _columns_applied(self) -> None:
        self.updateGeometries()
        self._header.viewport().update()
        self.viewport().update()

    def _show_columns_menu(self, at: QPoint) -> None:
        menu = self.columns_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    # Order

    def _title_clicked(self, column: int) -> None:
        """Figures are first wanted from the top, names from the start; a third click gives the natural order back."""
        shape = self._rows.columns[column]
        if not shape.sortable:
            return
        key, descending = self._rows.sort_state()
        first_descends = not shape.leads
        if key != shape.key:
            self._rows.sort_by(shape.key, first_descends)
        elif descending == first_descends:
            self._rows.sort_by(shape.key, not first_descends)
        else:
            self._rows.sort_by("")
        self._layout.touch()

    def _sorted(self, key: str, descending: bool) -> None:
        self._header.viewport().update()

    def _order_waits(self, waits: bool) -> None:
        self._header.order_waits = waits
        self._header.viewport().update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._rows.hold("pointer")

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover_on(-1, -1)
        self._rows.release("pointer")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        # A menu or another window takes the focus for a moment; the walk goes on afterwards.
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason):
            self._walk(False)
            self._pinned.leave()
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rows.release("pointer")
        self._walk(False)

    # Keyboard and pointer

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, index = event.key(), self.currentIndex()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if (at_top := self._pinned.cell()) is not None and key in _TELLING:
            self._tell_pinned(*at_top, explain=key == Qt.Key.Key_F1)
            return
        if self._pinned.press(event):
            return
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self._open(index)
        elif key == Qt.Key.Key_F1 and index.isValid():
            self._explain(index, self.viewport().mapToGlobal(self.visualRect(index).bottomLeft()))
        elif key == Qt.Key.Key_Escape and self._walking:
            self._walk(False)
        elif alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and index.isValid():
            if (shape := self._rows.columns[index.column()]).sortable:
                self._rows.sort_by(shape.key, key == Qt.Key.Key_Down)
                self.scrollTo(self.currentIndex())
                self._layout.touch()
        else:
            if key in _WALKING:
                self._walk(True)
            super().keyPressEvent(event)

    def _tell_pinned(self, row_id: RowId, key: str, explain: bool) -> None:
        if explain:
            QToolTip.showText(self._pinned.place(), self._tooltip(row_id, key) if self._tooltip is not None else "", self)
        elif self._rows.columns[self._rows.column_of[key]].link:
            self.cell_opened.emit(row_id, key)

    def _walk(self, walking: bool) -> None:
        self._walking = walking
        if walking:
            self._rows.hold("keyboard")
        else:
            self._rows.release("keyboard")

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Home and End mean rows; Qt's own mean columns."""
        moves = QAbstractItemView.CursorAction
        if action in (moves.MoveHome, moves.MoveEnd) and self._rows.rowCount():
            column = self.currentIndex().column() if self.currentIndex().isValid() else self._header.logicalIndex(0)
            return self._rows.index(0 if action == moves.MoveHome else self._rows.rowCount() - 1, column)
        return super().moveCursor(action, modifiers)

    def _open(self, index: QModelIndex) -> None:
        row_id, column = self._rows.row_id(index.row()), self._rows.columns[index.column()]
        if column.link:
            self.cell_opened.emit(row_id, column.key)
        else:
            self.opened.emit(row_id)

    def _copy(self) -> None:
        """The selected rows with their titles, as tab-separated text."""
        columns = [self._rows.columns[self._rows.column_of[key]] for key in self.shown_columns()]
        lines = ["\t".join(str(column.title) for column in columns)]
        for row_id in self.selected_ids():
            lines.append("\t".join(" ".join(self._rows.cell(row_id, column.key).text.split()) for column in columns))
        if len(lines) > 1:
            QApplication.clipboard().setText("\n".join(lines))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton and not self._rows.columns[index.column()].link:
            self.opened.emit(self._rows.row_id(index.row()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._pinned.leave()
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton or index != self.currentIndex():
            return
        if (column := self._rows.columns[index.column()]).link:
            self.cell_opened.emit(self._rows.row_id(index.row()), column.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = event.position().toPoint()
        self._hover_on(self.rowAt(at.y()), self._header.column_at(at.x()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            at = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        else:
            index, at = self.indexAt(event.pos()), event.globalPos()
        if index.isValid():
            self.row_menu_wanted.emit(self._rows.row_id(index.row()), at)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._explain(self.indexAt(event.pos()), event.globalPos())
            return True
        return super().viewportEvent(event)

    def _explain(self, index: QModelIndex, at: QPoint) -> None:
        text = ""
        if index.isValid() and self._tooltip is not None:
            text = self._tooltip(self._rows.row_id(index.row()), self._rows.columns[index.column()].key)
        QToolTip.showText(at, text, self)

    def _hover_on(self, row: int, column: int) -> None:
        if (row, column) == (self._hover_row, self._hover_column):
            return
        links = self._rows.columns[column].link if column >= 0 and row >= 0 else False
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if links else Qt.CursorShape.ArrowCursor)
        for touched in {self._hover_row, row} if row != self._hover_row else {row}:
            self._update_row(touched)
        self._hover_row, self._hover_column = row, column

    # Geometry, with the sticky column where it is seen

    def indexAt(self, at: QPoint) -> QModelIndex:
        if at.x() < self._header.sticky_width():
            return self._rows.index(self.rowAt(at.y()), self._header.sticky)
        return super().indexAt(at)

    def visualRect(self, index: QModelIndex | QPersistentModelIndex) -> QRect:
        rect = super().visualRect(index)
        if index.isValid() and index.column() == self._header.sticky and self._header.sticky_width():
            rect.moveLeft(0)
        return rect

    def scrollTo(
        self, index: QModelIndex | QPersistentModelIndex, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        bar = self.horizontalScrollBar()
        if index.column() == self._header.sticky:
            kept = bar.value()
            super().scrollTo(index, hint)
            bar.setValue(kept)
            return
        super().scrollTo(index, hint)
        hidden = self._header.sticky_width() - self._header.sectionViewportPosition(index.column())
        if hidden > 0:
            bar.setValue(bar.value() - hidden)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if dx and self._header.sticky >= 0:
            self.viewport().update()
            self._header.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout.fit_into(self.viewport().width())
        if self._placeholder is not None:
            self._placeholder.setGeometry(self.viewport().rect())

    def _rows_counted(self) -> None:
        if self._placeholder is not None:
            self._placeholder.setGeometry(self.viewport().rect())
            self._placeholder.setVisible(self._rows.rowCount() == 0)

    def _pinned_changed(self) -> None:
        if self._header.height() != self._header.wanted_height():
            self.updateGeometries()
        self._header.viewport().update()
        if self._pinned.active:
            self._pinned.leave() if self._pinned.cell() is None else self._pinned.tell()

    def currentChanged(self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex) -> None:
        super().currentChanged(current, previous)
        for index in (previous, current):
            if index.isValid():
                self._update_row(index.row())
        if self._pinned.active:
            self._pinned.leave() if current.row() != 0 else self._pinned.tell()
        if current.row() != previous.row():
            self.current_changed.emit(self._rows.row_id(current.row()) if current.isValid() else None)

    # What has to be painted again

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        """Only the changed cells in view. Qt's own answer is asked for only where a screen reader listens."""
        if QAccessible.isActive():
            super().dataChanged(top_left, bottom_right, roles)
        viewport = self.viewport()
        top = self.rowViewportPosition(top_left.row())
        height = (bottom_right.row() - top_left.row() + 1) * ROW_HEIGHT
        if top >= viewport.height() or top + height <= 0:
            return
        header, region = self._header, QRegion()
        for column in range(top_left.column(), bottom_right.column() + 1):
            x = 0 if column == header.sticky and header.sticky_width() else header.sectionViewportPosition(column)
            region += QRect(x, top, header.sectionSize(column), height)
        viewport.update(region)

    def _update_row(self, row: int) -> None:
        if row >= 0:
            self.viewport().update(0, self.rowViewportPosition(row), self.viewport().width(), ROW_HEIGHT)

    def _cells_flashed(self, keys: list[tuple[RowId, str]]) -> None:
        self._flashes.touch(keys)

    def _flashed(self, keys: Collection[Hashable]) -> None:
        header, region, in_header = self._header, QRegion(), False
        pinned = {row_id for row_id, _ in self._rows.pinned()}
        place_of = self._visible_rows()
        for row_id, key in cast("Collection[tuple[RowId, str]]", keys):
            in_header = in_header or row_id in pinned
            if row_id in place_of:
                column = self._rows.column_of[key]
                x = 0 if column == header.sticky and header.sticky_width() else header.sectionViewportPosition(column)
                region += QRect(x, self.rowViewportPosition(place_of[row_id]), header.sectionSize(column), ROW_HEIGHT)
        self.viewport().update(region)
        if in_header:
            header.viewport().update()

    def _visible_rows(self) -> dict[RowId, int]:
        first = max(0, self.rowAt(0))
        last = self.rowAt(self.viewport().height() - 1)
        last = self._rows.rowCount() - 1 if last < 0 else last
        return {self._rows.row_id(row): row for row in range(first, last + 1)}

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        pen = CellPainter(painter)
        places = self._header.places()
        covered = self._header.sticky_width()
        dirty: dict[int, set[tuple[int, int, int]]] = {}
        offset, count = -self.rowViewportPosition(0) if self._rows.rowCount() else 0, self._rows.rowCount()
        for area in cast("Iterable[QRect]", event.region()):
            painter.fillRect(area, color("surface"))
            first, last = (area.top() + offset) // ROW_HEIGHT, (area.bottom() + offset) // ROW_HEIGHT
            touched = [place for place in places if place[1] <= area.right() and place[1] + place[2] > area.left()]
            for row in range(max(0, first), min(count - 1, last) + 1):
                dirty.setdefault(row, set()).update(touched)
        for row, cells in dirty.items():
            self._paint_row(pen, row, row * ROW_HEIGHT - offset, cells, covered)

    def _paint_row(self, pen: CellPainter, row: int, y: int, places: set[tuple[int, int, int]], covered: int) -> None:
        painter, model, sticky = pen.painter, self._rows, self._header.sticky
        row_id = model.row_id(row)
        selected = self.selectionModel().isRowSelected(row, QModelIndex())
        ground = color("selection" if selected else "hover" if row == self._hover_row else "surface")
        current = self.currentIndex() if self.hasFocus() and not self._pinned.active else QModelIndex()
        painter.fillRect(0, y, self.viewport().width(), ROW_HEIGHT, ground)
        cells = model.cells(row)
        pen.faded = self._stale or model.is_gone(row)
        over_sticky = False
        for column, x, width in places:
            if column == sticky and covered:
                over_sticky = True
            elif x + width > covered:
                self._paint_cell(pen, row_id, cells, column, x, y, width)
                over_sticky = over_sticky or x < covered
                if current.isValid() and current.row() == row and current.column() == column:
                    pen.focus(QRect(x, y, width, ROW_HEIGHT))
            else:
                over_sticky = True
        if covered and over_sticky:
            painter.fillRect(0, y, covered, ROW_HEIGHT, ground)
            self._paint_cell(pen, row_id, cells, sticky, 0, y, covered)
            painter.fillRect(covered - 1, y, 1, ROW_HEIGHT, color("border"))
            if current.isValid() and current.row() == row and current.column() == sticky:
                pen.focus(QRect(0, y, covered, ROW_HEIGHT))
        painter.fillRect(0, y + ROW_HEIGHT - 1, self.viewport().width(), 1, color("border", 0.6))

    def _paint_cell(self, pen: CellPainter, row_id: RowId, cells: Cells, column: int, x: int, y: int, width: int) -> None:
        shape = self._rows.columns[column]
        if self._flashes and (strength := self._flashes.strength((row_id, shape.key))):
            pen.painter.fillRect(x, y, width, ROW_HEIGHT, color("accent", round(0.14 * strength, 3)))
        pen.cell(shape, cells.get(shape.key, EMPTY), x, y, width, ROW_HEIGHT)


_TELLING = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F1})
_WALKING = frozenset({
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End,
})  # fmt: skip
