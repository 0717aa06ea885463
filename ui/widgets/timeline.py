"""Presence as bars over the day: who was there when, in which state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.domain.events import State
from app.domain.language import T, tr
from ui.theme import BODY, CAPTION, SPACE_2, SPACE_3, color, font
from ui.theme.pens import guide
from ui.theme.roles import Role
from ui.widgets.chart_data import ChartData, clock, foot_labels
from ui.widgets.paint import CENTER, LEFT, elided, width_of
from ui.widgets.painted import PaintedChart

DAY_MINUTES = 1440
_BAR, _FOOT = 28, 22
_ROW, _AXIS = 28, 24

# Word, colour, pattern: a state can be told without its colour.
STATES: dict[State, tuple[T, Role, Qt.BrushStyle]] = {
    "available": (T("接待", "Available"), "good", Qt.BrushStyle.SolidPattern),
    "away": (T("离开", "Away"), "info", Qt.BrushStyle.FDiagPattern),
    "suspended": (T("挂起", "Suspended"), "warn", Qt.BrushStyle.BDiagPattern),
    "offline": (T("离线", "Offline"), "track", Qt.BrushStyle.SolidPattern),
}


class Stretch(NamedTuple):
    """From `start` to `end`, in minutes since midnight, the agent was in this state."""

    start: float
    end: float
    state: State

    def words(self) -> str:
        length = round(self.end - self.start)
        hours, minutes = divmod(length, 60)
        long = tr(f"{hours} 小时 {minutes} 分", f"{hours} h {minutes} min") if hours else tr(f"{minutes} 分", f"{minutes} min")
        return f"{STATES[self.state][0]} {clock(round(self.start))}–{clock(round(self.end))} · {long}"


def paint_stretch(painter: QPainter, box: QRectF, state: State, faded: bool = False) -> None:
    """One bar in the colour and pattern of its state, with its word where that fits. The painter's font is CAPTION."""
    word, role, pattern = STATES[state]
    if faded:
        role = "track" if role == "track" else "quiet"
    if pattern == Qt.BrushStyle.SolidPattern:
        painter.fillRect(box, color(role))
    else:
        painter.fillRect(box, color(role, 0.25))
        painter.fillRect(box, QBrush(color(role), pattern))
    wide = width_of(str(word), CAPTION)
    if wide + 12 > box.width():
        return
    if role in ("good", "quiet") and pattern == Qt.BrushStyle.SolidPattern:
        painter.setPen(color("on_accent"))
    else:
        inset = min(4.0, max(1.0, (box.height() - 16) / 2))
        painter.fillRect(
            QRectF(box.center().x() - wide / 2 - 4, box.top() + inset, wide + 8, box.height() - 2 * inset), color("surface", 0.9)
        )
        painter.setPen(color("text"))
    painter.drawText(box, CENTER, str(word))


class PresenceTimeline(QWidget):
    """One day: stretches as bars; what was not recorded stays empty. Hovering, or the keys left and right, says what a bar is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stretches: list[Stretch] = []
        self._first, self._last = 0, DAY_MINUTES
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("今日出勤", "Presence today"))

    def set_stretches(self, stretches: Sequence[Stretch], first: int = 0, last: int = DAY_MINUTES) -> None:
        """Show these, in ascending order, on a day from minute `first` to `last`."""
        self._stretches = [stretch for stretch in stretches if stretch.end > stretch.start]
        self._first, self._last = first, max(first + 1, last)
        self._current = min(self._current, len(self._stretches) - 1)
        self.setAccessibleDescription("; ".join(stretch.words() for stretch in self._stretches))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, _BAR + _FOOT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _BAR + _FOOT)

    def stretch_at(self, x: float) -> Stretch | None:
        """What is painted at this pixel."""
        return next((s for s in self._stretches if self._x(s.start) <= x < max(self._x(s.end), self._x(s.start) + 2)), None)

    def _x(self, minute: float) -> float:
        return 1 + (minute - self._first) / (self._last - self._first) * (self.width() - 2)

    def _box(self, stretch: Stretch) -> QRectF:
        left = self._x(max(stretch.start, self._first))
        return QRectF(left, 1, max(2.0, self._x(min(stretch.end, self._last)) - left), _BAR - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("hover"))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), _BAR), 4, 4)
        painter.setFont(font(CAPTION))
        for stretch in self._stretches:
            paint_stretch(painter, self._box(stretch), stretch.state)
        painter.setPen(color("quiet"))
        hours = ChartData(minutes=range(self._first, self._last + 1))
        for minute, words in foot_labels(hours, self.width(), 56):
            wide = width_of(words, CAPTION)
            left = max(0.0, min(self.width() - wide, self._x(minute) - wide / 2))
            painter.drawText(QRectF(left, _BAR + 3, wide + 1, _FOOT - 4), CENTER, words)
        if self.hasFocus() and 0 <= self._current < len(self._stretches):
            painter.setPen(QPen(color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._box(self._stretches[self._current]))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.stretch_at(event.pos().x())
            QToolTip.showText(event.globalPos(), found.words() if found else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.stretch_at(event.position().x())
        if found is not None:
            self._current = self._stretches.index(found)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._stretches:
            super().keyPressEvent(event)
            return
        self._current = max(0, min(len(self._stretches) - 1, self._current + step))
        stretch = self._stretches[self._current]
        QToolTip.showText(self.mapToGlobal(self._box(stretch).bottomLeft().toPoint()), stretch.words(), self)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


class PresenceRow(NamedTuple):
    """An agent or a day, what it is called, and its stretches in ascending order."""

    key: str
    name: str
    stretches: Sequence[Stretch]


class PresenceRows(PaintedChart):
    """One bar a row on a common axis of 24 hours, for the days of one agent or the agents of one day.

    Up and down walk the rows, left and right the stretches of a row. It is as tall as its rows are many: put it into a scroll area.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(T("出勤明细", "Attendance"), T("所选期间没有出勤记录。", "No attendance recorded in this period."), parent)
        self._rows: dict[str, PresenceRow] = {}
        self._places: dict[str, int] = {}
        self._stretch = -1
        self._names = 0.0

    def set_rows(self, rows: Sequence[PresenceRow]) -> None:
        """Show these from top to bottom; a row without stretches stays empty."""
        self._rows = {row.key: row for row in rows}
        self._places = {row.key: place for place, row in enumerate(rows)}
        self._names = max((width_of(row.name, BODY) for row in rows), default=0.0)
        self._show(list(self._rows))
        self.updateGeometry()

    def set_current(self, key: str) -> None:
        if key != self._current:
            self._stretch = -1
        super().set_current(key)

    def summary(self) -> str:
        return tr(f"{len(self._keys)} 行", f"{len(self._keys)} rows")

    def sizeHint(self) -> QSize:
        return QSize(640, self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(300, _AXIS + _ROW * len(self._keys) + 4 if self._keys else 160)

    def box_of(self, key: str) -> QRectF:
        return QRectF(0, _AXIS + self._places[key] * _ROW, self.width(), _ROW)

    def stretch_box(self, key: str, stretch: Stretch) -> QRectF:
        box, left = self.box_of(key), self._x(max(0.0, stretch.start))
        return QRectF(left, box.top() + 4, max(2.0, self._x(min(DAY_MINUTES, stretch.end)) - left), _ROW - 8)

    def key_at(self, at: QPointF) -> str:
        place = int((at.y() - _AXIS) // _ROW)
        return self._keys[place] if at.y() >= _AXIS and place < len(self._keys) else ""

    def words_at(self, at: QPointF) -> str:
        """The row, and the stretch under the pointer or else all of the row."""
        key = self.key_at(at)
        if not key:
            return ""
        found = [s for s in self._rows[key].stretches if self.stretch_box(key, s).contains(at)]
        return f"{self._rows[key].name}\n{found[0].words()}" if found else self.words_of(key)

    def words_of(self, key: str) -> str:
        row = self._rows[key]
        if key == self._current and 0 <= self._stretch < len(row.stretches):
            return f"{row.name}\n{row.stretches[self._stretch].words()}"
        return "\n".join([row.name, *(stretch.words() for stretch in row.stretches)]) if row.stretches else f"{row.name}\n--"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        last = _AXIS + len(self._keys) * _ROW
        hours = foot_labels(ChartData(minutes=range(DAY_MINUTES + 1)), self._x(DAY_MINUTES) - self._x(0), 52)
        for minute, words in hours:
            x, wide = self._x(minute), width_of(words, CAPTION)
            painter.drawText(QRectF(min(self.width() - wide - 2, x - wide / 2), 2, wide + 1, _AXIS - 4), CENTER, words)
        seen = self._keys[max(0, int((dirty.top() - _AXIS) // _ROW)) : int((dirty.bottom() - _AXIS) // _ROW) + 1]
        for key in seen:
            self._paint_ground(painter, key)
        painter.setPen(guide())
        for minute, _ in hours:
            painter.drawLine(QPointF(round(self._x(minute)), _AXIS - 2), QPointF(round(self._x(minute)), last))
        for key in seen:
            self._paint_stretches(painter, key)

    def _paint_ground(self, painter: QPainter, key: str) -> None:
        row, box = self._rows[key], self.box_of(key)
        if key in (self._hover, self._current):
            painter.fillRect(box.adjusted(2, 0, -2, 0), color("hover"))
        painter.setFont(font(BODY))
        painter.setPen(self._ink("text"))
        names = int(self._x(0) - SPACE_2 - SPACE_3)
        painter.drawText(QRectF(SPACE_2, box.top(), names, _ROW), LEFT, elided(row.name, names, BODY))
        painter.fillRect(QRectF(self._x(0), box.top() + 4, self._x(DAY_MINUTES) - self._x(0), _ROW - 8), color("hover"))

    def _paint_stretches(self, painter: QPainter, key: str) -> None:
        row = self._rows[key]
        painter.setFont(font(CAPTION))
        for stretch in row.stretches:
            paint_stretch(painter, self.stretch_box(key, stretch), stretch.state, self._stale)
        if key == self._current and 0 <= self._stretch < len(row.stretches):
            painter.setPen(QPen(color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.stretch_box(key, row.stretches[self._stretch]))

    def _walk(self, key: Qt.Key) -> str | None:
        if key not in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            return super()._walk(key)
        if not self._current:
            return self._keys[0]
        last = len(self._rows[self._current].stretches) - 1
        self._stretch = min(last, max(0, self._stretch + (1 if key == Qt.Key.Key_Right else -1)))
        return self._current

    def _x(self, minute: float) -> float:
        left = SPACE_2 + min(self._names, self.width() * 0.3) + 2 + SPACE_3
        return left + minute / DAY_MINUTES * (self.width() - SPACE_3 - left)
