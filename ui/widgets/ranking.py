"""Everybody's value as a bar, best first, with the team's mean as a line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.metrics import METRICS, Metric
from app.domain.statistics import Mark
from ui.theme import BODY, CAPTION, CONTROL_RADIUS, color, font
from ui.theme.pens import line
from ui.theme.roles import Role
from ui.widgets.funnel_marks import beyond, draw_mark, mark_role
from ui.widgets.metric_text import metric_equation, with_unit
from ui.widgets.paint import CENTER, LEFT, RIGHT, elided, level_mark, width_of
from ui.widgets.painted import NOTHING_HERE, Entry, PaintedRows

_BAR = 10
_PAD, _GAP, _MARK = 8, 10, 16
_SHOWN = 12


class RankingBars(PaintedRows):
    """Rows scroll inside the widget; the head with the mean stays."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(T("排名", "Ranking"), NOTHING_HERE, parent)
        self._metric: Metric = METRICS["consults"]
        self._window: Window = "24h"
        self._mean: float | None = None
        self._marks: Mapping[str, Mark] = {}
        self._highlighted: frozenset[str] = frozenset()
        self._entries: dict[str, Entry] = {}
        self._values: dict[str, float | int | None] = {}
        self._names = self._figures = 0.0

    def set_data(
        self,
        metric: Metric,
        entries: Sequence[Entry],
        mean: float | int | None = None,
        marks: Mapping[str, Mark] | None = None,
        highlighted: Collection[str] = (),
        window: Window = "24h",
    ) -> None:
        """Show these, the best first (the largest where neither direction is better), those without a value last.

        `mean` is the team's, as the mean row of the table has it. `marks` say who lies beyond the funnel's limits, `highlighted` whose
        rows stand out.
        """
        self._metric, self._window, self._mean = metric, window, mean
        self._marks, self._highlighted = marks or {}, frozenset(highlighted)
        self._entries = {entry.key: entry for entry in entries}
        self._values = {entry.key: metric.value(entry.numbers, window) for entry in entries}
        sign = 1 if metric.better == "down" else -1

        def place(entry: Entry) -> tuple[bool, float, str]:
            value = self._values[entry.key]
            return value is None, sign * (value or 0), entry.name

        keys = [entry.key for entry in sorted(entries, key=place)]
        self._names = max((width_of(entry.name, BODY, entry.key in self._highlighted) for entry in entries), default=0.0)
        self._figures = max((width_of(metric.text(value), BODY) for value in self._values.values()), default=0.0)
        self.setAccessibleName(tr(f"{metric.label}排名", f"Ranking by {metric.label}"))
        self._show(keys)
        self.updateGeometry()

    def set_highlighted(self, keys: Collection[str]) -> None:
        self._highlighted = frozenset(keys)
        self.update()

    def summary(self) -> str:
        return tr(f"{len(self._keys)} 人", f"{len(self._keys)} people") + self._mean_words(", ")

    def sizeHint(self) -> QSize:
        return QSize(480, self.HEAD + self.ROW * max(4, min(_SHOWN, len(self._keys))))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.HEAD + 4 * self.ROW)

    def words_of(self, key: str) -> str:
        entry, value = self._entries[key], self._values[key]
        lines = [
            f"{self._rows[key] + 1}. {entry.name}" if value is not None else entry.name,
            f"{self._metric.label} {metric_equation(self._metric, entry.numbers, self._window)}",
        ]
        if mean := self._mean_words():
            lines.append(mean)
        if mark := self._marks.get(key, ""):
            lines.append(str(beyond(mark)))
        return "\n".join(lines)

    def bar_of(self, key: str) -> QRectF:
        """The bar itself; without width where there is no value."""
        box, value = self.box_of(key), self._values[key]
        left, right = self._bar_span()
        wide = 0.0 if value is None else self._x(value) - left
        return QRectF(left, box.center().y() - _BAR / 2, max(0.0, min(wide, right - left)), _BAR)

    def paint_row(self, painter: QPainter, key: str) -> None:
        entry, value, box = self._entries[key], self._values[key], self.box_of(key)
        strong = key in self._highlighted
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if strong or key in (self._hover, self._current):
            painter.setPen(line("accent") if key == self._current and self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(color("selection" if strong else "hover"))
            painter.drawRoundedRect(box.adjusted(2.5, 1.5, -2.5, -1.5), CONTROL_RADIUS, CONTROL_RADIUS)
        level = self._metric.level(value)
        bar, (left, right) = self.bar_of(key), self._bar_span()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("track"))
        painter.drawRoundedRect(QRectF(left, bar.top(), right - left, _BAR), 3, 3)
        if value is not None and bar.width() > 0:
            role: Role = level or "accent"
            painter.setBrush(self._ink(role))
            painter.drawRoundedRect(bar.adjusted(0, 0, max(0.0, 2 - bar.width()), 0), 3, 3)
        painter.setFont(font(BODY, strong))
        painter.setPen(self._ink("text") if value is not None else color("quiet"))
        names = int(left - _PAD - _GAP)
        painter.drawText(QRectF(_PAD, box.top(), names, self.ROW), LEFT, elided(entry.name, names, BODY, strong))
        painter.setPen(color("quiet") if value is None else self._ink(level or "text"))
        painter.setFont(font(BODY))
        painter.drawText(QRectF(right, box.top(), self._width() - _PAD - right, self.ROW), RIGHT, self._metric.text(value))
        if level:
            level_mark(painter, right + _GAP, box.center().y(), level, self._ink(level))
        if mark := self._marks.get(key, ""):
            at = QPointF(right + _GAP + self._sides() - _MARK + 4, box.center().y())
            draw_mark(painter, at, mark, self._ink(mark_role(mark, self._metric)))

    def paint_head(self, painter: QPainter) -> None:
        if self._mean is None:
            return
        x = round(self._x(self._mean)) + 0.5
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(line("text", dashed=True))
        foot = self.HEAD + min(self._room(), len(self._keys) * self.ROW - self._scroll.value())
        painter.drawLine(QPointF(x, self.HEAD - 3), QPointF(x, foot))
        words = self._mean_words()
        wide = width_of(words, CAPTION) + 2
        left = max(float(_PAD), min(self._width() - _PAD - wide, x - wide / 2))
        painter.setFont(font(CAPTION))
        painter.setPen(color("quiet"))
        painter.drawText(QRectF(left, 2, wide, self.HEAD - 6), CENTER, words)

    def _mean_words(self, before: str = "") -> str:
        if self._mean is None:
            return ""
        return before + tr("团队 ", "Team ") + with_unit(self._metric, self._mean)

    # Geometry

    def _bar_span(self) -> tuple[float, float]:
        names = min(self._names, self._width() * 0.34) + 2
        return _PAD + names + _GAP, self._width() - _PAD - self._figures - self._sides() - _GAP

    def _sides(self) -> int:
        """Room for the shape of the level, and for that of the funnel where somebody has one."""
        return _MARK * (2 if any(self._marks.values()) else 1)

    def _x(self, value: float) -> float:
        left, right = self._bar_span()
        most = max((known for known in (*self._values.values(), self._mean) if known is not None), default=0)
        return left + (right - left) * (value / most if most > 0 else 0.0)
