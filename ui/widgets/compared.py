"""Figures in two states beside each other: what something would come to, what it comes to now, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.domain.language import T
from ui.theme import CAPTION, SECTION, SPACE_2, color, font, level_color
from ui.theme.roles import Level
from ui.widgets.paint import LEFT, arrow, elided, width_of

_CAPTION_HEIGHT, _VALUE_HEIGHT, _FOOT_HEIGHT = 18, 26, 20
_NARROWEST = 104


class Compared(NamedTuple):
    """`now` and `change` are "" where there is only one state. The change has a colour only where it means something (`level`)."""

    caption: T
    value: str
    now: str = ""
    change: str = ""
    direction: int = 0
    level: Level = ""
    tooltip: str = ""

    @property
    def words(self) -> str:
        what = f"{self.caption} {self.value}"
        return f"{what}, {self.now}, {self.change}" if self.now else what


class ComparedFigures(QWidget):
    """In a row, or in several where they do not fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figures: list[Compared] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def figures(self) -> list[Compared]:
        return list(self._figures)

    def set_figures(self, figures: Sequence[Compared]) -> None:
        self._figures = list(figures)
        self.setAccessibleName("; ".join(figure.words for figure in figures))
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self._figures) // self._columns(width))
        return rows * self._height() + max(0, rows - 1) * SPACE_2

    def sizeHint(self) -> QSize:
        return QSize(640, self.heightForWidth(max(640, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(_NARROWEST, self._height())

    def _height(self) -> int:
        return _CAPTION_HEIGHT + _VALUE_HEIGHT + (_FOOT_HEIGHT if any(figure.now for figure in self._figures) else 0)

    def _columns(self, width: int) -> int:
        fitting = max(1, width // _NARROWEST)
        rows = max(1, -(-len(self._figures) // fitting))
        return max(1, -(-len(self._figures) // rows))

    def _boxes(self) -> list[QRectF]:
        columns = self._columns(self.width())
        wide, high = self.width() / columns, self._height()
        return [QRectF(at % columns * wide, at // columns * (high + SPACE_2), wide - SPACE_2, high) for at in range(len(self._figures))]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for box, figure in zip(self._boxes(), self._figures, strict=True):
            room = int(box.width())
            painter.setFont(font(CAPTION))
            painter.setPen(color("quiet"))
            line = QRectF(box.x(), box.y(), box.width(), _CAPTION_HEIGHT)
            painter.drawText(line, LEFT, elided(str(figure.caption), room, CAPTION))
            line = QRectF(box.x(), line.bottom(), box.width(), _VALUE_HEIGHT)
            painter.setFont(font(SECTION, True))
            painter.setPen(color("quiet" if figure.value == "--" else "text"))
            painter.drawText(line, LEFT, elided(figure.value, room, SECTION, True))
            if figure.now:
                self._paint_foot(painter, QRectF(box.x(), line.bottom(), box.width(), _FOOT_HEIGHT), figure)

    def _paint_foot(self, painter: QPainter, line: QRectF, figure: Compared) -> None:
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        now = elided(figure.now, int(line.width()), CAPTION)
        painter.drawText(line, LEFT, now)
        left = line.x() + width_of(now, CAPTION) + SPACE_2
        if not figure.change or left + 7 > line.right():
            return
        ink = level_color(figure.level) if figure.level else color("text")
        arrow(painter, left, line.center().y(), figure.direction, ink)
        if left + 10 + width_of(figure.change, CAPTION) <= line.right():
            painter.setPen(ink)
            painter.drawText(QRectF(left + 10, line.y(), line.right() - left, line.height()), LEFT, figure.change)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = next((f for box, f in zip(self._boxes(), self._figures, strict=True) if box.contains(event.pos())), None)
            words = "" if found is None else "\n".join(line for line in (found.words, found.tooltip) if line)
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
