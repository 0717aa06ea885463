"""Numbers in a few lines: caption above, figure beneath, its threshold colour with a mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.theme import CAPTION, EMPHASIS, SPACE_2, color, font, level_color
from ui.theme.roles import Level
from ui.widgets.paint import LEFT, elided, level_mark, width_of

_MOST_COLUMNS = 4
_CAPTION_HEIGHT, _FIGURE_HEIGHT = 18, 22


class Figure(NamedTuple):
    """`unit` is quiet, `tooltip` says how the number was made."""

    caption: str
    text: str
    unit: str = ""
    level: Level = ""
    tooltip: str = ""


class Figures(QWidget):
    """As many in a row as their captions allow, four at most."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figures: list[Figure] = []
        self._stale = False
        self._columns = _MOST_COLUMNS
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def figures(self) -> list[Figure]:
        return list(self._figures)

    def set_figures(self, figures: Sequence[Figure]) -> None:
        if list(figures) == self._figures:
            return
        self._figures = list(figures)
        self._arrange()
        self.setAccessibleName("; ".join(f"{figure.caption} {figure.text}{figure.unit}" for figure in figures))
        self.update()

    def set_stale(self, stale: bool) -> None:
        self._stale = stale
        self.update()

    def sizeHint(self) -> QSize:
        rows = self._row_count()
        return QSize(320, rows * (_CAPTION_HEIGHT + _FIGURE_HEIGHT) + max(0, rows - 1) * SPACE_2)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        widest = max((width_of(figure.caption, CAPTION) for figure in self._figures), default=0) + SPACE_2
        before = self._row_count()
        self._columns = max(1, min(_MOST_COLUMNS, int(self.width() // max(1, widest))))
        if self._row_count() != before or self.height() != self.sizeHint().height():
            self.updateGeometry()

    def _row_count(self) -> int:
        return -(-len(self._figures) // self._columns)

    def _boxes(self) -> list[QRectF]:
        width, height = self.width() / self._columns, _CAPTION_HEIGHT + _FIGURE_HEIGHT
        return [
            QRectF(index % self._columns * width, index // self._columns * (height + SPACE_2), width - SPACE_2, height)
            for index in range(len(self._figures))
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for box, figure in zip(self._boxes(), self._figures, strict=True):
            painter.setFont(font(CAPTION))
            painter.setPen(color("quiet"))
            caption = elided(figure.caption, int(box.width()), CAPTION)
            painter.drawText(QRectF(box.x(), box.y(), box.width(), _CAPTION_HEIGHT), LEFT, caption)
            quiet = self._stale or figure.text == "--"
            ink = color("quiet") if quiet else level_color(figure.level)
            line = QRectF(box.x(), box.y() + _CAPTION_HEIGHT, box.width(), _FIGURE_HEIGHT)
            if figure.level in ("warn", "alarm"):
                level_mark(painter, line.x(), line.center().y(), figure.level, ink, 9)
                line.setLeft(line.x() + 14)
            painter.setFont(font(EMPHASIS, True))
            painter.setPen(ink)
            text = elided(figure.text, int(line.width()), EMPHASIS, True)
            painter.drawText(line, LEFT, text)
            line.setLeft(line.x() + width_of(text, EMPHASIS, True) + 3)
            if figure.unit and not quiet and width_of(figure.unit, CAPTION) <= line.width():
                painter.setFont(font(CAPTION))
                painter.setPen(color("quiet"))
                painter.drawText(line.translated(0, 1), LEFT, figure.unit)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = next((f for box, f in zip(self._boxes(), self._figures, strict=True) if box.contains(event.pos())), None)
            QToolTip.showText(event.globalPos(), found.tooltip if found else "", self)
            return True
        return super().event(event)
