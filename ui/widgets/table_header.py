"""The head of a table: titles, sort arrow, and the rows that stay on top.

The pinned rows are painted by the header because it already scrolls, resizes and reorders with the columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QToolTip, QWidget

from app.domain.language import tr
from ui.theme import CAPTION, ROW_HEIGHT, color
from ui.widgets.flash import Flashes
from ui.widgets.paint import arrow, elided, width_of
from ui.widgets.table_cells import PADDING, CellPainter
from ui.widgets.table_model import EMPTY, RowId, RowTableModel

_ONE_LINE, _TWO_LINES, _LINE = 34, 46, 16
_ARROW = 12
_WORTH = 1.25


def wrapped(text: str, width: int) -> tuple[str, ...]:
    """A title on one line, or broken near its middle on two; what still does not fit ends in …."""
    if width_of(text, CAPTION) <= width:
        return (text,)
    words = _words(text)
    if max(width_of(line, CAPTION) for line in words) <= width:
        return words
    return tuple(elided(line, width, CAPTION) for line in _halves(text))


def title_width(text: str) -> int:
    """How wide a column must be to show this title on two lines."""
    return math.ceil(max(width_of(line, CAPTION) for line in _words(text))) + 2 * PADDING


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[str, ...]:
    """Broken at a space where that costs little width, so that a unit in brackets stands whole on its line; else as `_halves`."""
    shortest = _halves(text)
    most = max(width_of(line, CAPTION) for line in shortest) * _WORTH
    for at in [at for at, letter in enumerate(text) if letter == " "]:
        parts = (text[:at].rstrip(), text[at:].lstrip())
        if all(parts) and max(width_of(part, CAPTION) for part in parts) <= most:
            return parts
    return shortest


@lru_cache(maxsize=1024)
def _halves(text: str) -> tuple[str, ...]:
    """Broken at a space or between ideographs so that the longer part is as short as can be; one part where nothing can break."""
    best: tuple[float, str, str] | None = None
    for at in range(1, len(text)):
        if text[at - 1] != " " and text[at - 1].isascii() and text[at].isascii():
            continue
        first, second = text[:at].rstrip(), text[at:].lstrip()
        worst = max(width_of(first, CAPTION), width_of(second, CAPTION))
        if second and (best is None or worst < best[0]):
            best = (worst, first, second)
    return (text,) if best is None else best[1:]


class TableHeader(QHeaderView):
    """Columns can be dragged, resized and clicked; the sticky one stays at the left edge."""

    title_clicked = Signal(int)
    menu_wanted = Signal(QPoint)
    pinned_clicked = Signal(object, str)

    def __init__(self, model: RowTableModel, flashes: Flashes, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._table, self._flashes = model, flashes
        self.sticky = next((index for index, column in enumerate(model.columns) if column.sticky), -1)
        self.order_waits = False
        self.stale = False
        self.walked = -1
        """The row on top that the keyboard is at, -1 for none."""
        self.cell_tooltip: Callable[[RowId, str], str] | None = None
        self._pressed, self._press_at = -1, QPoint()
        self.setSectionsMovable(True)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(40)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self._hover = -1
        self._title_height = _ONE_LINE

    def title_height(self) -> int:
        return self._title_height

    def wanted_height(self) -> int:
        """Titles and pinned rows; asking for the whole size hint would have Qt measure every column."""
        return self._title_height + ROW_HEIGHT * len(self._table.pinned()) + 1

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.wanted_height())

    def fit_titles(self) -> None:
        """Take two lines for the titles when one is not enough for all."""
        lines = [len(self._lines(index)) for index in range(self.count()) if not self.isSectionHidden(index)]
        height = _TWO_LINES if max(lines, default=1) > 1 else _ONE_LINE
        if height != self._title_height:
            self._title_height = height
            self.updateGeometry()
            self.geometriesChanged.emit()

    def places(self) -> list[tuple[int, int, int]]:
        """(column, x, width) of the columns in view, left to right, the sticky one where it would be without sticking."""
        width = self.viewport().width()
        found = []
        for visual in range(self.count()):
            column = self.logicalIndex(visual)
            size = self.sectionSize(column)
            x = self.sectionViewportPosition(column)
            if size and x < width and x + size > 0:
                found.append((column, x, size))
        return found

    def sticky_width(self) -> int:
        """How much of the left edge the sticky column covers at the moment; 0 when it stands in its own place."""
        if self.sticky < 0 or self.offset() <= 0:
            return 0
        return self.sectionSize(self.sticky)

    def walked_column(self) -> int:
        view = self.parent()
        return view.currentIndex().column() if isinstance(view, QAbstractItemView) else -1

    def column_at(self, x: int) -> int:
        return self.sticky if x < self.sticky_width() else self.logicalIndexAt(x)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        pen = CellPainter(painter)
        area = event.rect()
        painter.fillRect(area, color("surface"))
        width = self.viewport().width()
        bottom = self._title_height
        pinned = self._table.pinned()
        if pinned:
            painter.fillRect(QRect(area.left(), bottom, area.width(), ROW_HEIGHT * len(pinned)), self._band())
        covered = self.sticky_width()
        for column, x, size in self.places():
            if x + size > covered and column != self.sticky and x <= area.right() and x + size >= area.left():
                self._column(pen, column, x, size)
        if self.sticky >= 0 and not self.isSectionHidden(self.sticky):
            x = 0 if covered else self.sectionViewportPosition(self.sticky)
            size = self.sectionSize(self.sticky)
            painter.fillRect(QRect(x, 0, size, bottom), color("surface"))
            painter.fillRect(QRect(x, bottom, size, ROW_HEIGHT * len(pinned)), self._band())
            self._column(pen, self.sticky, x, size)
            if covered:
                painter.fillRect(QRect(size - 1, 0, 1, self.height()), color("border"))
        for line in range(len(pinned) + 1):
            painter.fillRect(QRect(0, bottom - 1 + line * ROW_HEIGHT, width, 1), color("border"))

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        """Only for the picture of a title that is being dragged; the rest is painted in one pass."""
        painter.fillRect(rect, color("raised"))
        self._title(CellPainter(painter), logical, rect.x(), rect.width())

    def _band(self) -> QColor:
        return color("hover") if color("raised") == color("surface") else color("raised")

    def _lines(self, column: int) -> tuple[str, ...]:
        return wrapped(str(self._table.columns[column].title), max(1, self.sectionSize(column) - 2 * PADDING))

    def _column(self, pen: CellPainter, column: int, x: int, width: int) -> None:
        self._title(pen, column, x, width)
        shape = self._table.columns[column]
        pen.faded = self.stale
        for line, (row_id, cells) in enumerate(self._table.pinned()):
            y = self._title_height + line * ROW_HEIGHT
            if strength := self._flashes.strength((row_id, shape.key)):
                pen.painter.fillRect(QRect(x, y, width, ROW_HEIGHT), color("accent", round(0.14 * strength, 3)))
            pen.cell(shape, cells.get(shape.key, EMPTY), x, y, width, ROW_HEIGHT, strong=True)
            if line == self.walked and column == self.walked_column():
                pen.focus(QRect(x, y, width, ROW_HEIGHT))

    def _title(self, pen: CellPainter, column: int, x: int, width: int) -> None:
        shape = self._table.columns[column]
        key, descending = self._table.sort_state()
        is_sorted = key == shape.key
        ink = color("text") if is_sorted or column == self._hover else color("quiet")
        lines = self._lines(column)
        y = (self._title_height - _LINE * len(lines)) / 2
        for line in lines:
            taken = width_of(line, CAPTION)
            pen.text(x + PADDING if shape.leads else x + width - PADDING - taken, y, _LINE, line, ink, CAPTION)
            y += _LINE
        if is_sorted:
            taken = max(width_of(line, CAPTION) for line in lines)
            at = x + PADDING + taken + 4 if shape.leads else x + width - PADDING - taken - _ARROW + 1
            at = max(float(x), at)
            pen.painter.save()
            ink = color("quiet") if self.order_waits else color("accent")
            arrow(pen.painter, at, self._title_height / 2, -1 if descending else 1, ink)
            pen.painter.restore()

    # The pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        self._pressed = self.column_at(at.x())
        self._press_at = at
        if at.y() < self._title_height and at.x() >= self.sticky_width():
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if event.buttons() or at.y() < self._title_height:
            super().mouseMoveEvent(event)
        else:
            self.unsetCursor()
        self._hover_on(self.column_at(at.x()) if at.y() < self._title_height else -1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        # A click on the line between two titles resizes; only a click that stays in the title sorts.
        resized = self.cursor().shape() == Qt.CursorShape.SplitHCursor
        super().mouseReleaseEvent(event)
        column, self._pressed = self._pressed, -1
        if event.button() != Qt.MouseButton.LeftButton or column < 0 or column != self.column_at(at.x()) or resized:
            return
        if (at - self._press_at).manhattanLength() > 6:
            return
        if at.y() < self._title_height:
            self.title_clicked.emit(column)
        else:
            line = (at.y() - self._title_height) // ROW_HEIGHT
            if line < len(self._table.pinned()) and self._table.columns[column].link:
                self.pinned_clicked.emit(self._table.pinned()[line][0], self._table.columns[column].key)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover_on(-1)

    def _hover_on(self, column: int) -> None:
        if column != self._hover:
            self._hover = column
            self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tooltip_at(event.pos()), self)
            return True
        return super().viewportEvent(event)

    def _tooltip_at(self, at: QPoint) -> str:
        column, line = self.column_at(at.x()), (at.y() - self._title_height) // ROW_HEIGHT
        if column < 0 or line >= len(self._table.pinned()):
            return ""
        if line < 0:
            return self.title_tooltip(column)
        return self.cell_tooltip(self._table.pinned()[line][0], self._table.columns[column].key) if self.cell_tooltip else ""

    def title_tooltip(self, column: int) -> str:
        """Title and definition, and that the order waits where it does."""
        shape = self._table.columns[column]
        parts = [str(shape.title), str(shape.tooltip)]
        if self.order_waits and self._table.sort_state()[0] == shape.key:
            parts.append(tr("指针离开表格后重新排序", "Rows are put in order when the pointer leaves the table"))
        return "\n".join(part for part in parts if part)

    def _menu(self, at: QPoint) -> None:
        self.menu_wanted.emit(self.mapToGlobal(at))
