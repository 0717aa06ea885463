"""Grey shapes in the place of what is being fetched, for waits of less than a second."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.domain.language import tr
from ui.theme import CARD_RADIUS, ROW_HEIGHT, SPACE_4, color, reduced_motion

_TICK_MS = 100
_PERIOD = 12


class Skeleton(QWidget):
    """`kind` tells what will stand here: rows of a table, one card, or lines of text."""

    def __init__(self, kind: Literal["rows", "card", "text"] = "rows", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._step = kind, 0
        self.setAccessibleName(tr("正在加载", "Loading"))
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not reduced_motion():
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _tick(self) -> None:
        self._step = (self._step + 1) % _PERIOD
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        away = abs(self._step - _PERIOD / 2) / (_PERIOD / 2)
        painter.setBrush(color("track", round(0.4 + 0.35 * away, 2)))
        width, height = self.width(), self.height()
        if self._kind == "card":
            painter.drawRoundedRect(QRectF(0, 0, width, height), CARD_RADIUS, CARD_RADIUS)
            return
        pitch, thick = (ROW_HEIGHT, 12) if self._kind == "rows" else (22, 10)
        for row in range(int(height // pitch)):
            y = row * pitch + (pitch - thick) / 2
            if self._kind == "text":
                painter.drawRoundedRect(QRectF(0, y, width * (0.9 - 0.17 * (row * 7 % 4)), thick), 5, 5)
                continue
            x, column = float(SPACE_4), 0
            while x < width - SPACE_4:
                cell = 120.0 if column == 0 else 56.0
                painter.drawRoundedRect(QRectF(x, y, min(cell, width - SPACE_4 - x), thick), 5, 5)
                x += cell + 44
                column += 1
