"""What the painted charts share: things with a key that can be pointed at, walked with the keys, heard, and clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QToolTip, QWidget

from app.domain.language import T
from app.domain.metrics import Numbers
from ui.theme import CONTROL_RADIUS, color
from ui.theme.roles import Role
from ui.widgets.empty import EmptyState

NOTHING_HERE = T("所选期间没有会话。换一个期间或分组。", "No sessions in this period. Choose another period or another group.")
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
_ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}


class Entry(NamedTuple):
    """Somebody or something that is compared: its key, what it is called, its counters over the period."""

    key: str
    name: str
    numbers: Numbers


class PaintedChart(QWidget):
    """A chart painted by QPainter. A subclass says where each key is (`box_of`, `key_at`), what it means (`words_of`), and paints.

    Hovering shows the words. The arrows, Home and End walk the keys and show the words too; Esc lets go. A click, Enter or Space sends
    `clicked`. Without keys an empty state stands in its place.
    """

    clicked = Signal(str)

    def __init__(self, name: T, why_empty: T, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[str] = []
        self._current = self._hover = ""
        self._stale = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(str(name))
        self._empty = EmptyState("chart", str(T("还没有数据", "No data yet")), str(why_empty), parent=self)

    # What a subclass says

    def box_of(self, key: str) -> QRectF:
        """Where a key is painted, in pixels of the widget; nowhere by default."""
        return QRectF()

    def key_at(self, at: QPointF) -> str:
        """The key painted there, "" for none."""
        return next((key for key in self._keys if self.box_of(key).contains(at)), "")

    def words_of(self, key: str) -> str:
        """What a key means, one fact a line: the tooltip, and what is heard. By default the key itself."""
        return key

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        """Paint what lies in `dirty`; called only when there are keys."""

    def reveal(self, key: str) -> None:
        """Bring the key into view; only charts that scroll need to."""

    # What a page uses

    def order(self) -> list[str]:
        """The keys in the order the arrows walk them."""
        return list(self._keys)

    def current(self) -> str:
        """The key the keyboard is at, "" for none."""
        return self._current

    def set_current(self, key: str) -> None:
        """Mark a key and bring it into view; an unknown one lets go."""
        self._current = key if key in self._keys else ""
        if self._current:
            self.reveal(key)
        self.setAccessibleDescription(self.words_of(key).replace("\n", ", ") if self._current else self.summary())
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.update()

    def summary(self) -> str:
        """What is heard before anything is chosen."""
        return ""

    def set_stale(self, stale: bool) -> None:
        """Grey while the data is old."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def is_empty(self) -> bool:
        return not self._keys

    # For subclasses

    def _show(self, keys: Sequence[str]) -> None:
        """Take new keys, in walking order; what was marked stays so where it still exists."""
        self._keys = list(keys)
        self._hover = ""
        self._empty.setVisible(not self._keys)
        self.set_current(self._current)

    def _ink(self, role: Role, opacity: float = 1.0) -> QColor:
        """The colour of a role, quiet while the data is old."""
        return color("quiet" if self._stale and role not in ("border", "surface", "track", "hover") else role, opacity)

    def _walk(self, key: Qt.Key) -> str | None:
        """The key an arrow leads to from the current one, None for a key that does not walk."""
        if key in _ENDS:
            return self._keys[_ENDS[key]]
        if key not in _STEPS:
            return None
        if not self._current:
            return self._keys[0]
        return self._keys[max(0, min(len(self._keys) - 1, self._keys.index(self._current) + _STEPS[key]))]

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._empty.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._keys:
            self.paint(painter, QRectF(event.rect()))
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.key_at(QPointF(event.pos())) if self._keys else ""
            QToolTip.showText(event.globalPos(), self.words_of(found) if found else "", self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self.key_at(event.position()) if self._keys else "")

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover("")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        found = self.key_at(event.position()) if self._keys and event.button() == Qt.MouseButton.LeftButton else ""
        if found:
            self.set_current(found)
            self.clicked.emit(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self._current and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self._current)
        elif self._current and key == Qt.Key.Key_Escape:
            self.set_current("")
            QToolTip.hideText()
        elif self._keys and (found := self._walk(key)) is not None:
            self.set_current(found)
            QToolTip.showText(self.mapToGlobal(self.box_of(found).bottomLeft().toPoint()), self.words_of(found), self)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _set_hover(self, key: str) -> None:
        if key != self._hover:
            self._hover = key
            self.setCursor(Qt.CursorShape.PointingHandCursor if key else Qt.CursorShape.ArrowCursor)
            self.update()


class PaintedRows(PaintedChart):
    """One row a key, of the same height, scrolling beneath a head that stays. A subclass paints `paint_row` and `paint_head`."""

    ROW, HEAD = 28, 24
    """Heights in pixels."""

    def __init__(self, name: T, why_empty: T, parent: QWidget | None = None) -> None:
        super().__init__(name, why_empty, parent)
        self._rows: dict[str, int] = {}
        self._scroll = QScrollBar(Qt.Orientation.Vertical, self)
        self._scroll.setSingleStep(self.ROW)
        self._scroll.valueChanged.connect(self.update)
        self._scroll.hide()

    def paint_row(self, painter: QPainter, key: str) -> None:
        """Paint what stands at `box_of(key)`."""

    def paint_head(self, painter: QPainter) -> None:
        """Paint what stays above the rows, and what lies across them."""

    def box_of(self, key: str) -> QRectF:
        return QRectF(0, self.HEAD + self._rows[key] * self.ROW - self._scroll.value(), self._width(), self.ROW)

    def key_at(self, at: QPointF) -> str:
        row = int((at.y() - self.HEAD + self._scroll.value()) // self.ROW)
        inside = self.HEAD <= at.y() < self.HEAD + self._room() and at.x() < self._width()
        return self._keys[row] if inside and 0 <= row < len(self._keys) else ""

    def reveal(self, key: str) -> None:
        top, room = self._rows[key] * self.ROW, self._room()
        if top < self._scroll.value():
            self._scroll.setValue(top)
        elif top + self.ROW > self._scroll.value() + room:
            self._scroll.setValue(top + self.ROW - room)

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        painter.setClipRect(QRectF(0, self.HEAD, self.width(), self._room()))
        first = max(0, self._scroll.value() // self.ROW)
        last = min(len(self._keys), (self._scroll.value() + self._room()) // self.ROW + 1)
        for key in self._keys[first:last]:
            self.paint_row(painter, key)
        painter.setClipping(False)
        self.paint_head(painter)

    def _show(self, keys: Sequence[str]) -> None:
        self._rows = {key: row for row, key in enumerate(keys)}
        self._fit()
        super()._show(keys)

    def _width(self) -> float:
        """What the scroll bar leaves."""
        return self.width() - (self._scroll.width() if not self._scroll.isHidden() else 0)

    def _room(self) -> int:
        """Pixels for rows. Where they scroll these are whole rows, so that neither the edge nor the frame of the keyboard cuts one."""
        rows, free = len(self._rows) * self.ROW, max(0, self.height() - self.HEAD)
        return rows if rows <= free else max(min(free, self.ROW), free // self.ROW * self.ROW)

    def _fit(self) -> None:
        over = len(self._rows) * self.ROW - self._room()
        self._scroll.setVisible(over > 0)
        wide = self._scroll.sizeHint().width()
        self._scroll.setGeometry(self.width() - wide, self.HEAD, wide, max(0, self.height() - self.HEAD))
        self._scroll.setPageStep(max(1, self._room()))
        self._scroll.setRange(0, max(0, over))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._scroll.isHidden():
            super().wheelEvent(event)
        else:
            self._scroll.setValue(self._scroll.value() - round(event.angleDelta().y() / 120 * 3 * self.ROW))
            event.accept()
