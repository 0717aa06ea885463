"""Paints one cell. Called for every visible cell, so texts are laid out once and kept."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QStaticText, QTransform

from ui.theme import CAPTION, color, font, level_color
from ui.theme.fonts import BODY
from ui.widgets.paint import elided, elided_name, level_mark, metrics, width_of
from ui.widgets.table_model import Cell, Column

PADDING = 8
BAR_WIDTH = 64
MARK_WIDTH = 13
NO_VALUE = "--"
_MARK = 13
_BAR_FIGURE = 60
_KEPT_TEXTS = 6000

_Laid = tuple[QStaticText, float, float]
_texts: OrderedDict[tuple[str, int, bool], _Laid] = OrderedDict()


def _laid(text: str, size: int, strong: bool) -> _Laid:
    """(prepared text, width, height)."""
    key = (text, size, strong)
    found = _texts.get(key)
    if found is None:
        static = QStaticText(text)
        static.setTextFormat(Qt.TextFormat.PlainText)
        static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        static.prepare(QTransform(), font(size, strong))
        found = _texts[key] = (static, width_of(text, size, strong), metrics(size).height())
        if len(_texts) > _KEPT_TEXTS:
            _texts.popitem(last=False)
    return found


class CellPainter:
    """Holds the painter, colours and fonts of one paint pass.

    `faded` paints everything in the quiet colour (old data, a row that is gone), `strong` figures in the second weight.
    """

    def __init__(self, painter: QPainter) -> None:
        self.painter = painter
        self.text_ink, self.quiet_ink = color("text"), color("quiet")
        self.faded = False
        self._font: QFont | None = None
        self._ink: QColor | None = None
        self.body, self.body_strong, self.caption = font(BODY), font(BODY, True), font(CAPTION)

    def text(self, x: float, y: float, height: float, text: str, ink: QColor, size: int = BODY, strong: bool = False) -> float:
        """Text from `x`, centred in `height`; answers its width."""
        face = (self.body_strong if strong else self.body) if size == BODY else self.caption if size == CAPTION else font(size, strong)
        painter = self.painter
        if face is not self._font:
            painter.setFont(face)
            self._font = face
        if ink is not self._ink:
            painter.setPen(ink)
            self._ink = ink
        static, width, tall = _laid(text, size, strong)
        painter.drawStaticText(int(x), int(y + (height - tall) / 2), static)
        return width

    def cell(self, column: Column, cell: Cell, x: int, y: int, width: int, height: int, strong: bool = False) -> None:
        if not cell.text and column.kind != "bar":
            return
        kind = column.kind
        if kind == "text":
            self._leading(cell, x + PADDING, y, width - 2 * PADDING, height, strong, column.names)
        elif kind == "state":
            self._state(cell, x + PADDING, y, width - 2 * PADDING, height, column.link)
        elif kind == "bar":
            self._bar(cell, x + PADDING, y, width - 2 * PADDING, height, strong)
        else:
            self._figure(cell, x + PADDING, y, width - 2 * PADDING, height, strong)

    def focus(self, rect: QRect) -> None:
        """The frame of the cell the keyboard is at."""
        self.painter.save()
        self.painter.setPen(color("accent"))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawRect(rect.adjusted(0, 0, -1, -2))
        self.painter.restore()

    def _ink_of(self, cell: Cell) -> QColor:
        if self.faded or cell.text == NO_VALUE:
            return self.quiet_ink
        return level_color(cell.level) if cell.level else self.text_ink

    def _mark(self, cell: Cell, x: float, y: int, height: int, size: float = 8) -> None:
        self.painter.save()
        level_mark(self.painter, x, y + height / 2, cell.level, self.quiet_ink if self.faded else level_color(cell.level, "quiet"), size)
        self.painter.restore()

    def _figure(self, cell: Cell, x: int, y: int, width: int, height: int, strong: bool) -> None:
        right = x + width
        if cell.detail:
            right -= round(width_of(cell.detail, CAPTION))
            self.text(right, y + 1, height, cell.detail, self.quiet_ink, CAPTION)
            right -= 3
        text = cell.text
        taken = width_of(text, BODY, strong)
        if taken > right - x:
            text = elided(text, right - x, BODY, strong)
            taken = width_of(text, BODY, strong)
        self.text(right - taken, y, height, text, self._ink_of(cell), BODY, strong)
        if cell.mark:
            self._beyond(cell, x - 5, y, height)
        elif cell.level in ("warn", "alarm") and right - taken - _MARK >= x:
            self._mark(cell, right - taken - _MARK, y, height)

    def _beyond(self, cell: Cell, x: int, y: int, height: int) -> None:
        """A triangle up or down, small and pale for perhaps, large for more than chance; always full, where that of a level is hollow."""
        sure = cell.mark.endswith("99")
        size = 4.5 if sure else 3.5
        way = -1 if cell.mark.startswith("high") else 1
        middle, centre = y + height / 2, x + 4.5
        painter = self.painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.quiet_ink if self.faded else color(cell.mark_role, 1.0 if sure else 0.75))
        painter.drawPolygon([
            QPointF(centre - size, middle - way * size * 0.8), QPointF(centre + size, middle - way * size * 0.8),
            QPointF(centre, middle + way * size * 0.9),
        ])  # fmt: skip
        painter.restore()

    def _leading(self, cell: Cell, x: int, y: int, width: int, height: int, strong: bool, names: bool) -> None:
        if cell.level in ("warn", "alarm"):
            self._mark(cell, x, y, height)
            x, width = x + 14, width - 14
        if names:
            beside = round(width_of(cell.detail, CAPTION)) + 9 if cell.detail else 0
            text = elided_name(cell.text, width - beside, BODY, strong)
        else:
            text = elided(cell.text, width, BODY, strong)
        taken = self.text(x, y, height, text, self._ink_of(cell), BODY, strong)
        rest = int(width - taken - 8)
        if cell.detail and rest > 16:
            self.text(x + taken + 8, y + 1, height, elided(cell.detail, rest, CAPTION), self.quiet_ink, CAPTION)

    def _state(self, cell: Cell, x: int, y: int, width: int, height: int, link: bool) -> None:
        painter = self.painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.quiet_ink if self.faded else level_color(cell.level, "quiet")
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(ink if cell.level and cell.level != "quiet" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x + 4, y + height / 2), 3.25, 3.25)
        painter.restore()
        x, width = x + 14, width - 14
        text = elided(cell.text, width, BODY)
        plain = self.quiet_ink if self.faded or cell.level in ("", "quiet") else self.text_ink
        taken = self.text(x, y, height, text, level_color("info") if link and not self.faded else plain)
        # An age is whole or not there: a cut number would be a wrong one.
        if cell.detail and taken + 6 + width_of(cell.detail, CAPTION) <= width:
            self.text(x + taken + 6, y + 1, height, cell.detail, self.quiet_ink, CAPTION)

    def _bar(self, cell: Cell, x: int, y: int, width: int, height: int, strong: bool) -> None:
        figure = max(_BAR_FIGURE, round(width_of(cell.text, BODY, strong)) + _MARK + 1)
        long = min(BAR_WIDTH, width - figure - 4)
        if long >= 16 and isinstance(cell.value, int | float):
            painter = self.painter
            left, top = x + width - figure - 4 - long, y + height / 2 - 3
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("track"))
            painter.drawRoundedRect(QRectF(left, top, long, 6), 3, 3)
            share = max(0.0, min(1.0, float(cell.value)))
            if share > 0:
                painter.setBrush(color("quiet", 0.5) if self.faded else level_color(cell.level, "accent"))
                painter.drawRoundedRect(QRectF(left, top, max(6.0, long * share), 6), 3, 3)
            painter.restore()
        self._figure(cell, x + width - figure, y, figure, height, strong)
