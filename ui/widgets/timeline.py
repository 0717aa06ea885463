"""A day's presence as one bar: who was there when, in which state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.domain.events import State
from app.domain.language import T, tr
from ui.theme import CAPTION, color, font
from ui.theme.roles import Role
from ui.widgets.chart_data import ChartData, clock, foot_labels
from ui.widgets.paint import CENTER, width_of

DAY_MINUTES = 1440
_BAR, _FOOT = 28, 22

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


class PresenceTimeline(QWidget):
    """Stretches as bars over the day; what was not recorded stays empty. Hovering, or the keys left and right, says what a bar is."""

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
            word, role, pattern = STATES[stretch.state]
            box = self._box(stretch)
            if pattern == Qt.BrushStyle.SolidPattern:
                painter.fillRect(box, color(role))
            else:
                painter.fillRect(box, color(role, 0.25))
                painter.fillRect(box, QBrush(color(role), pattern))
            if width_of(str(word), CAPTION) + 12 <= box.width():
                self._label(painter, box, str(word), solid=role == "good")
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

    def _label(self, painter: QPainter, box: QRectF, word: str, solid: bool) -> None:
        if solid:
            painter.setPen(color("on_accent"))
        else:
            chip = QRectF(box.center().x() - width_of(word, CAPTION) / 2 - 4, box.top() + 4, width_of(word, CAPTION) + 8, box.height() - 8)
            painter.fillRect(chip, color("surface", 0.9))
            painter.setPen(color("text"))
        painter.drawText(box, CENTER, word)

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
