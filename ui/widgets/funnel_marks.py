"""How a point beyond the funnel's limits looks and reads, the same in every chart: hollow beyond 95 %, full beyond 99.8 %."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.domain.language import T
from app.domain.metrics import Metric
from app.domain.statistics import Mark
from ui.theme.roles import Role

_WORDS: dict[Mark, T] = {
    "": T("在随机波动范围内", "Within what chance explains"),
    "low95": T("低于 95% 界限", "Below the 95% limit"),
    "low99": T("低于 99.8% 界限", "Below the 99.8% limit"),
    "high95": T("高于 95% 界限", "Above the 95% limit"),
    "high99": T("高于 99.8% 界限", "Above the 99.8% limit"),
}


def beyond(mark: Mark) -> T:
    """Where a point lies, in a few words."""
    return _WORDS[mark]


def mark_role(mark: Mark, metric: Metric) -> Role:
    """Good beyond the limits on the better side, warn or alarm on the other, info where neither side is better."""
    if not mark:
        return "quiet"
    if not metric.better:
        return "info"
    if mark.startswith("high") == (metric.better == "up"):
        return "good"
    return "alarm" if mark.endswith("99") else "warn"


def draw_mark(painter: QPainter, at: QPointF, mark: Mark, ink: QColor, size: float = 5.0) -> None:
    """A triangle pointing up or down, hollow or full; a dot for a point within the limits. `size` is half its width."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if not mark:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(at, size * 0.7, size * 0.7)
        return
    tall = size * 0.9 * (-1 if mark.startswith("high") else 1)
    painter.setPen(QPen(ink, 1.4))
    painter.setBrush(ink if mark.endswith("99") else Qt.BrushStyle.NoBrush)
    corners = (QPointF(at.x() - size, at.y() - tall), QPointF(at.x() + size, at.y() - tall), QPointF(at.x(), at.y() + tall))
    painter.drawPolygon(QPolygonF(corners))
