"""From consultation to order: how many get to each step, and at which rate."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.domain.language import T
from app.domain.metrics import METRICS
from ui.theme import BODY, CAPTION, CONTROL_RADIUS, SPACE_2, SPACE_3, color, font
from ui.theme.pens import line
from ui.widgets.paint import LEFT, RIGHT, arrow, elided, width_of
from ui.widgets.painted import NOTHING_HERE, PaintedChart

STEPS = ("consults", "received", "presale_customers", "order_customers", "orders")
# How one step relates to the next: the catalogue's rate where it has one, else what is counted per what.
_RATES = ("answer_rate", "", "conversion", "")
_PER = {1: T("每次接待 {} 位售前客户", "{} pre-sale per handled"), 3: T("每位下单客户 {} 单", "{} orders per customer")}
FIGURES = (*STEPS, *filter(None, _RATES))
_ROW, _BETWEEN, _BAR = 34, 20, 14


class OrderFunnel(PaintedChart):
    """One bar a step; between two steps the rate from one to the next. Its keys are those of the metrics."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(T("从咨询到下单", "From consultation to order"), NOTHING_HERE, parent)
        self._values: dict[str, float | int | None] = {}
        self._rates: dict[str, float | int | None] = {}

    def set_data(self, values: Mapping[str, float | int | None]) -> None:
        """{metric key: value over the period} of FIGURES; None where the period or the filter does not know it."""
        self._values = {key: values.get(key) for key in STEPS}
        self._rates = {key: values.get(key) for key in _RATES if key}
        self._show(STEPS if any(self._values.values()) else ())

    def summary(self) -> str:
        return "; ".join(f"{METRICS[key].label} {METRICS[key].text(self._values[key])}" for key in self._keys)

    def rate_words(self, step: int) -> str:
        """What stands between step `step` and the next, "--" where it cannot be said."""
        before, after = self._values[STEPS[step]], self._values[STEPS[step + 1]]
        if not before or after is None:
            return "--"
        if metric := METRICS.get(_RATES[step]):
            return f"{metric.label} {metric.text(self._rates[metric.key])}"
        return str(_PER[step].format(f"{after / before:.2f}"))

    def sizeHint(self) -> QSize:
        return QSize(420, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(280, self._height())

    def box_of(self, key: str) -> QRectF:
        return QRectF(0, 2 + STEPS.index(key) * (_ROW + _BETWEEN), self.width(), _ROW)

    def bar_of(self, key: str) -> QRectF:
        left, right = self._span()
        most, value = max(known for known in self._values.values() if known is not None), self._values[key] or 0
        return QRectF(left, self.box_of(key).center().y() - _BAR / 2, (right - left) * value / most if most else 0.0, _BAR)

    def words_of(self, key: str) -> str:
        metric, step = METRICS[key], STEPS.index(key)
        lines = [f"{metric.label} {metric.text(self._values[key])}", str(metric.definition)]
        if step and (rate := METRICS.get(_RATES[step - 1])) and (before := self._values[STEPS[step - 1]]):
            reached, share = self._values[key], self._rates[rate.key]
            # Days from files that say one of the two only are in the steps, and not in the rate.
            whole = reached is not None and share is not None and abs(reached / before - share) < 1e-9
            parts = f"{metric.text(reached)} / {METRICS[STEPS[step - 1]].text(before)} = " if whole else ""
            lines.insert(1, f"{rate.label} {parts}{rate.text(share)}")
        elif step:
            lines.insert(1, self.rate_words(step - 1))
        return "\n".join(lines)

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, right = self._span()
        for step, key in enumerate(STEPS):
            metric, box, bar = METRICS[key], self.box_of(key), self.bar_of(key)
            if key in (self._hover, self._current):
                painter.setPen(line("accent") if key == self._current and self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(color("hover"))
                painter.drawRoundedRect(box.adjusted(2.5, 0.5, -2.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("track"))
            painter.drawRoundedRect(QRectF(left, bar.top(), right - left, _BAR), 3, 3)
            if self._values[key]:
                painter.setBrush(self._ink("accent"))
                painter.drawRoundedRect(bar.adjusted(0, 0, max(0.0, 3 - bar.width()), 0), 3, 3)
            painter.setFont(font(BODY))
            painter.setPen(self._ink("text"))
            names = int(left - SPACE_2 - SPACE_3)
            painter.drawText(QRectF(SPACE_2, box.top(), names, _ROW), LEFT, elided(str(metric.label), names, BODY))
            painter.setFont(font(BODY, True))
            painter.drawText(QRectF(right, box.top(), self.width() - SPACE_2 - right, _ROW), RIGHT, metric.text(self._values[key]))
            if step + 1 < len(STEPS):
                arrow(painter, left, box.bottom() + _BETWEEN / 2, -1, color("quiet"), 7)
                painter.setFont(font(CAPTION))
                painter.setPen(color("quiet"))
                room = int(self.width() - left - 14 - SPACE_2)
                words = elided(self.rate_words(step), room, CAPTION)
                painter.drawText(QRectF(left + 14, box.bottom(), room, _BETWEEN), LEFT, words)

    def _height(self) -> int:
        return len(STEPS) * (_ROW + _BETWEEN) - _BETWEEN + 4

    def _span(self) -> tuple[float, float]:
        """Left and right end of the longest bar."""
        names = max(width_of(str(METRICS[key].label), BODY) for key in STEPS)
        figures = max(width_of(METRICS[key].text(value), BODY, True) for key, value in self._values.items())
        return SPACE_2 + min(names, self.width() * 0.4) + 2 + SPACE_3, self.width() - SPACE_2 - figures - SPACE_3
