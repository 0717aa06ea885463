"""A value for each weekday and hour: when it is busy, and when it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QLinearGradient, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.metrics import METRICS, Metric, Numbers
from app.domain.terms import WEEKDAYS
from ui.theme import CAPTION, SPACE_2, color, font, ink_on, mix, theme
from ui.widgets.metric_text import metric_equation, with_unit
from ui.widgets.paint import CENTER, LEFT, RIGHT, elided, width_of
from ui.widgets.painted import NOTHING_HERE, PaintedChart

_HEAD, _FOOT, _LOWEST, _TALLEST = 22, 30, 18, 44
_FAINTEST, _FULLEST = 0.08, 0.9
_FEWEST_HOURS = 8
_EDGE = 6
_ACROSS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}

Cell = tuple[int, int]
"""(weekday, hour)."""


def cell_key(weekday: int, hour: int) -> str:
    """The key that `HeatMap.clicked` sends: "0-14" is Monday, 14:00 to 15:00."""
    return f"{weekday}-{hour}"


def cell_of(key: str) -> Cell:
    """The cell of such a key."""
    weekday, hour = key.split("-")
    return int(weekday), int(hour)


class HeatMap(PaintedChart):
    """Darker is more. Without a value a cell is hatched. Hours before the first and after the last with a value are left away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(T("按星期和小时", "By weekday and hour"), NOTHING_HERE, parent)
        self._metric: Metric = METRICS["consults"]
        self._window: Window = "24h"
        self._numbers: dict[str, Numbers] = {}
        self._values: dict[str, float | int | None] = {}
        self._low: float | int = 0
        self._high: float | int = 0
        self._hours = range(24)

    def set_data(
        self,
        metric: Metric,
        values: Sequence[Sequence[float | int | None]],
        numbers: Mapping[Cell, Numbers] | None = None,
        window: Window = "24h",
    ) -> None:
        """`values[weekday][hour]`, 7 × 24: Monday is 0 as in `date.weekday()`, hours are the store's; None for no value.

        With `numbers`, the counters of cells, the words of a cell tell numerator and denominator.
        """
        self._metric, self._window = metric, window
        self._numbers = {cell_key(*cell): counts for cell, counts in (numbers or {}).items()}
        known = {(day, hour): value for day, row in enumerate(values) for hour, value in enumerate(row) if value is not None}
        self._low, self._high = min(known.values(), default=0), max(known.values(), default=0)
        first, last = min((hour for _, hour in known), default=0), max((hour for _, hour in known), default=23)
        first = max(0, min(first, last + 1 - _FEWEST_HOURS))
        self._hours = range(first, max(last + 1, first + _FEWEST_HOURS))
        self._values = {cell_key(day, hour): known.get((day, hour)) for day in range(7) for hour in self._hours}
        self.setAccessibleName(tr(f"{metric.label}：按星期和小时", f"{metric.label} by weekday and hour"))
        self._show(list(self._values) if known else [])

    def summary(self) -> str:
        if self.is_empty():
            return ""
        return tr("从 {} 到 {}", "from {} to {}").format(with_unit(self._metric, self._low), with_unit(self._metric, self._high))

    def sizeHint(self) -> QSize:
        return QSize(640, _HEAD + 7 * 32 + _FOOT)

    def minimumSizeHint(self) -> QSize:
        return QSize(300, _HEAD + 7 * _LOWEST + _FOOT)

    def box_of(self, key: str) -> QRectF:
        day, hour = cell_of(key)
        left, wide, tall = self._left(), self._wide(), self._tall()
        return QRectF(left + (hour - self._hours.start) * wide, _HEAD + day * tall, wide, tall)

    def words_of(self, key: str) -> str:
        day, hour = cell_of(key)
        numbers, value = self._numbers.get(key), with_unit(self._metric, self._values[key])
        if numbers is not None and self._values[key] is not None:
            value = metric_equation(self._metric, numbers, self._window)
        return f"{WEEKDAYS[day]} {hour:02d}:00–{hour + 1:02d}:00\n{self._what()} {value}"

    def _what(self) -> str:
        """What a figure is: of counts the mean of the days of that weekday."""
        return str(self._metric.label) + ("" if self._metric.is_ratio else tr("，平均每天", ", mean per day"))

    def shade(self, key: str) -> float | None:
        """How strongly a cell is filled, 0 to 1; None without a value."""
        value = self._values[key]
        if value is None:
            return None
        share = (value - self._low) / (self._high - self._low) if self._high > self._low else 0.5
        return _FAINTEST + (_FULLEST - _FAINTEST) * share

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        wide, tall = self._wide(), self._tall()
        painter.setFont(font(CAPTION))
        figures = max((width_of(self._short(value), CAPTION) for value in self._values.values()), default=0.0) + 4 <= wide
        painter.setPen(color("quiet"))
        every = next(step for step in (1, 2, 3, 4, 6, 12) if step * wide >= 30 or step == 12)
        for hour in self._hours:
            if (hour - self._hours.start) % every == 0:
                middle = self._left() + (hour - self._hours.start + 0.5) * wide
                painter.drawText(QRectF(middle - 15, 0, 30, _HEAD - 1), CENTER, f"{hour:02d}")
        for day, name in enumerate(WEEKDAYS):
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(0, _HEAD + day * tall, self._left() - SPACE_2, tall), RIGHT, str(name))
        for key, value in self._values.items():
            box, shade = self.box_of(key).adjusted(0.5, 0.5, -0.5, -0.5), self.shade(key)
            if shade is None:
                painter.fillRect(box, color("hover"))
                painter.fillRect(box, QBrush(color("quiet", 0.35), Qt.BrushStyle.BDiagPattern))
                continue
            filled = self.fill(shade)
            painter.fillRect(box, filled)
            if figures:
                painter.setPen(ink_on(filled))
                painter.drawText(box, CENTER, self._short(value))
        for key in {self._hover, self._current} - {""}:
            painter.setPen(QPen(color("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.box_of(key).adjusted(1, 1, -1, -1))
        self._paint_legend(painter)

    def fill(self, shade: float) -> str:
        """The colour of a cell, #RRGGBB."""
        roles = theme().roles
        return mix(roles.quiet if self._stale else roles.accent, roles.surface, shade)

    def _paint_legend(self, painter: QPainter) -> None:
        top, x = _HEAD + 7 * self._tall() + 10, self._left()
        low, high = with_unit(self._metric, self._low), with_unit(self._metric, self._high)
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        what = elided(self._what(), round(self.width() * 0.4), CAPTION)
        painter.drawText(QRectF(x, top, self.width(), 16), LEFT, what)
        x += width_of(what, CAPTION) + 2 * SPACE_2
        painter.drawText(QRectF(x, top, 200, 16), LEFT, low)
        x += width_of(low, CAPTION) + SPACE_2
        bar = QRectF(x, top + 4, min(120.0, self.width() * 0.25), 8)
        scale = QLinearGradient(bar.topLeft(), bar.topRight())
        scale.setColorAt(0, self.fill(_FAINTEST))
        scale.setColorAt(1, self.fill(_FULLEST))
        painter.fillRect(bar, scale)
        x = bar.right() + SPACE_2
        painter.drawText(QRectF(x, top, 200, 16), LEFT, high)
        words = tr("-- 无数据", "-- no data")
        x = self.width() - width_of(words, CAPTION) - 24 - _EDGE
        if x > bar.right() + width_of(high, CAPTION) + 16 and None in self._values.values():
            painter.fillRect(QRectF(x, top + 2, 14, 12), color("hover"))
            painter.fillRect(QRectF(x, top + 2, 14, 12), QBrush(color("quiet", 0.35), Qt.BrushStyle.BDiagPattern))
            painter.drawText(QRectF(x + 20, top, 200, 16), LEFT, words)

    def _short(self, value: float | int | None) -> str:
        """A figure for a small cell: rates as whole percent without the sign, which the legend has."""
        if value is None:
            return ""
        return f"{value * 100:.0f}" if self._metric.unit == "%" else self._metric.text(value)

    def _walk(self, key: Qt.Key) -> str | None:
        if key not in _ACROSS or not self._current:
            return super()._walk(key)
        day, hour = cell_of(self._current)
        down, across = _ACROSS[key]
        day, hour = max(0, min(6, day + down)), max(self._hours.start, min(self._hours.stop - 1, hour + across))
        return cell_key(day, hour)

    def _left(self) -> float:
        return max(width_of(str(name), CAPTION) for name in WEEKDAYS) + SPACE_2 + _EDGE

    def _wide(self) -> float:
        return (self.width() - self._left() - _EDGE) / len(self._hours)

    def _tall(self) -> float:
        return max(_LOWEST, min(_TALLEST, (self.height() - _HEAD - _FOOT) / 7))
