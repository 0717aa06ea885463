"""Pens and brushes of charts."""

from __future__ import annotations

from PySide6.QtGui import QBrush, QPen

from ui.theme.roles import Role, color

SERIES: tuple[Role, ...] = ("accent", "series_2", "series_3", "series_4", "series_5", "quiet")
AREA_OPACITY = 0.12


def line(role: Role, width: float = 1.0, dashed: bool = False) -> QPen:
    """A cosmetic pen. Wider than 1 px it must not be antialiased: that costs 5 to 38 times as much."""
    pen = QPen(color(role))
    pen.setCosmetic(True)
    pen.setWidthF(width)
    if dashed:
        pen.setDashPattern([4, 3])
    return pen


def area(role: Role) -> QBrush:
    return QBrush(color(role, AREA_OPACITY))


def guide() -> QPen:
    """The horizontal lines behind a chart."""
    pen = QPen(color("border"))
    pen.setCosmetic(True)
    return pen
