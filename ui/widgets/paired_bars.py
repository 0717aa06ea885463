"""Everybody's value in two states: a bar for what it would be, a thin one beneath for what it is now. The largest come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.domain.language import T
from ui.theme import BODY, CAPTION, CONTROL_RADIUS, color, font
from ui.theme.pens import line
from ui.widgets.paint import LEFT, RIGHT, elided, width_of
from ui.widgets.painted import NOTHING_HERE, PaintedRows

_PAD, _GAP, _BAR, _THIN = 8, 10, 9, 4


class Pair(NamedTuple):
    """now is None where there is only one state."""

    key: str
    name: str
    value: int
    now: int | None = None


class PairedBars(PaintedRows):
    """Rows scroll inside the widget; the words that tell the bars apart stay."""

    def __init__(self, name: T, value_words: T, now_words: T, parent: QWidget | None = None) -> None:
        super().__init__(name, NOTHING_HERE, parent)
        self._value_words, self._now_words = value_words, now_words
        self._pairs: dict[str, Pair] = {}
        self._names = self._figures = 0.0
        self._most = 0
        self._paired = False

    def set_pairs(self, pairs: Sequence[Pair]) -> None:
        ordered = sorted(pairs, key=lambda pair: (-pair.value, -(pair.now or 0), pair.name))
        self._pairs = {pair.key: pair for pair in ordered}
        self._paired = any(pair.now is not None for pair in ordered)
        self._names = max((width_of(pair.name, BODY) for pair in ordered), default=0.0)
        self._figures = max((width_of(self._figure(pair), BODY) for pair in ordered), default=0.0)
        self._most = max((max(pair.value, pair.now or 0) for pair in ordered), default=0)
        self._show(list(self._pairs))

    def summary(self) -> str:
        return "; ".join(f"{pair.name} {self._figure(pair)}" for pair in list(self._pairs.values())[:5])

    def sizeHint(self) -> QSize:
        return QSize(480, self.HEAD + 6 * self.ROW)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.HEAD + 3 * self.ROW)

    def words_of(self, key: str) -> str:
        pair = self._pairs[key]
        lines = [pair.name, f"{self._value_words if self._paired else self._now_words} {pair.value:,}"]
        if pair.now is not None:
            lines += [f"{self._now_words} {pair.now:,}", f"{pair.value - pair.now:+,}"]
        return "\n".join(lines)

    def paint_head(self, painter: QPainter) -> None:
        """Which bar is which."""
        left, _ = self._span()
        painter.setFont(font(CAPTION))
        for words, high, shown in ((self._value_words, _BAR, True), (self._now_words, _THIN, self._paired)):
            if not shown:
                continue
            text = str(words if self._paired else self._now_words)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._ink("accent" if high == _BAR else "quiet"))
            painter.drawRoundedRect(QRectF(left, self.HEAD / 2 - high / 2, 16, high), 2, 2)
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(left + 22, 0, 240, self.HEAD), LEFT, text)
            left += 22 + width_of(text, CAPTION) + 2 * _GAP

    def paint_row(self, painter: QPainter, key: str) -> None:
        pair = self._pairs[key]
        box, (left, right) = self.box_of(pair.key), self._span()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if pair.key in (self._hover, self._current):
            painter.setPen(line("accent") if pair.key == self._current and self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(color("hover"))
            painter.drawRoundedRect(box.adjusted(2.5, 1.5, -2.5, -1.5), CONTROL_RADIUS, CONTROL_RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        high = _BAR + (_THIN + 2 if self._paired else 0)
        top = box.center().y() - high / 2
        for value, at, thick, role in ((pair.value, top, _BAR, "accent"), (pair.now, top + _BAR + 2, _THIN, "quiet")):
            if value:
                painter.setBrush(self._ink("accent" if role == "accent" else "quiet"))
                wide = max(2.0, (right - left) * value / self._most)
                painter.drawRoundedRect(QRectF(left, at, wide, thick), 2, 2)
        painter.setFont(font(BODY))
        painter.setPen(self._ink("text"))
        names = int(left - _PAD - _GAP)
        painter.drawText(QRectF(_PAD, box.top(), names, self.ROW), LEFT, elided(pair.name, names, BODY))
        painter.drawText(QRectF(right, box.top(), self._width() - _PAD - right, self.ROW), RIGHT, self._figure(pair))

    @staticmethod
    def _figure(pair: Pair) -> str:
        if pair.now is None:
            return f"{pair.value:,}"
        change = pair.value - pair.now
        return f"{pair.value:,} ({change:+,})" if change else f"{pair.value:,}"

    # Geometry

    def _span(self) -> tuple[float, float]:
        names = min(self._names, self._width() * 0.34) + 2
        return _PAD + names + _GAP, self._width() - _PAD - self._figures - _GAP
