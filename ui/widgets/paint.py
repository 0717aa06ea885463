"""Small things painted in several widgets: sparkline, level mark, arrow, elided text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from ui.theme import font

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTER = Qt.AlignmentFlag.AlignCenter


@lru_cache(maxsize=256)
def metrics(size: int, strong: bool = False) -> QFontMetricsF:
    """Measures of the interface font; the object is shared."""
    return QFontMetricsF(font(size, strong))


@lru_cache(maxsize=4096)
def width_of(text: str, size: int, strong: bool = False) -> float:
    return metrics(size, strong).horizontalAdvance(text)


@lru_cache(maxsize=4096)
def elided(text: str, width: int, size: int, strong: bool = False) -> str:
    """The text, cut with … where it is wider than `width` pixels; line breaks become spaces.

    It is cut at its end, but before what stands in brackets there: that tells namesakes apart.
    """
    words, measure, mode = " ".join(text.split()), metrics(size, strong), Qt.TextElideMode
    opening = max(words.rfind("（"), words.rfind("("))
    if opening < 1 or not words.endswith(("）", ")")) or measure.horizontalAdvance(words) <= width:
        return measure.elidedText(words, mode.ElideRight, width)
    head, tail = words[:opening], words[opening:]
    room = int(width - measure.horizontalAdvance(tail))
    if room >= measure.horizontalAdvance(f"{head[0]}…"):
        return measure.elidedText(head, mode.ElideRight, room) + tail
    return head[0] + measure.elidedText(words[1:], mode.ElideLeft, int(width - measure.horizontalAdvance(head[0])))


@lru_cache(maxsize=4096)
def elided_name(text: str, width: int, size: int, strong: bool = False) -> str:
    """As `elided`, cut in the middle: names of one family begin alike, and are told apart by their ends."""
    return metrics(size, strong).elidedText(" ".join(text.split()), Qt.TextElideMode.ElideMiddle, width)


def polylines(values: Sequence[float | None], rect: QRectF) -> list[QPolygonF]:
    """Runs of known values as lines that fill `rect`; a gap where a value is None, a flat line at mid height where all are equal."""
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    step = rect.width() / max(1, len(values) - 1)
    scale = rect.height() / (high - low) if high > low else 0.0
    base = rect.bottom() if scale else rect.center().y()
    runs: list[list[QPointF]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append(QPointF(rect.left() + index * step, base - (value - low) * scale))
    return [QPolygonF(run) for run in runs if run]


def sparkline(painter: QPainter, rect: QRectF, lines: Sequence[QPolygonF], ink: QColor, area: QColor | None = None) -> None:
    """Paint the runs of `polylines`, with the area under them when given and a dot at the newest value."""
    if not lines:
        return
    for run in lines:
        if area is not None and run.size() > 1:
            # The line covers the edge of the area; smoothing it too would cost three times as much as all the rest.
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            closed = QPolygonF(run)
            closed.append(QPointF(run.last().x(), rect.bottom()))
            closed.append(QPointF(run.first().x(), rect.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(area))
            painter.drawPolygon(closed)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink, 1))
        if run.size() > 1:
            painter.drawPolyline(run)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawEllipse(lines[-1].last(), 2, 2)


def level_mark(painter: QPainter, x: float, middle: float, level: str, ink: QColor, size: float = 8) -> None:
    """The shape that says a level without colour, `size` wide from `x`: warn a hollow triangle, alarm a full one, others a dot."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if level in ("warn", "alarm"):
        painter.setPen(QPen(ink, 1.2))
        painter.setBrush(ink if level == "alarm" else Qt.BrushStyle.NoBrush)
        top, foot = middle - size * 0.46, middle + size * 0.42
        painter.drawPolygon(QPolygonF([QPointF(x + size / 2, top), QPointF(x + size, foot), QPointF(x, foot)]))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(x + size / 2, middle), size / 2, size / 2)


def arrow(painter: QPainter, x: float, middle: float, direction: int, ink: QColor, size: float = 7) -> None:
    """A filled triangle up (1) or down (-1), a bar for 0; `size` wide from `x`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    if direction == 0:
        painter.drawRect(QRectF(x, middle - 0.75, size, 1.5))
        return
    half = size * 0.42 * direction
    painter.drawPolygon(QPolygonF([QPointF(x, middle + half), QPointF(x + size, middle + half), QPointF(x + size / 2, middle - half)]))
