"""The plot of a chart card. Imported when the first chart is shown: it loads pyqtgraph.

pyqtgraph draws the curves only, in a range set by hand. Guide lines, words and the crosshair are painted around and above it with
QPainter, which costs a small part of pyqtgraph's axes and grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pyqtgraph
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QWidget

from ui.theme import CAPTION, CARD_RADIUS, CONTROL_RADIUS, color, font, level_color
from ui.theme.pens import SERIES, area, guide, line
from ui.theme.roles import Role
from ui.widgets.chart_data import Band, ChartData, Scale, foot_labels, runs, scale_of, spread
from ui.widgets.paint import CENTER, LEFT, RIGHT, elided, width_of

_TOP, _FOOT, _LINE = 12, 26, 18
_CARD_PADDING = 10
_NAMES = 0.28


class ChartPlot(QWidget):
    """Draws a ChartData. The pointer or the keys left, right, Home and End move the crosshair; Esc takes it away.

    A click, Enter or Space sends `clicked` with the position of the crosshair.
    """

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = ChartData()
        self._scale = Scale()
        self._stale = False
        self._cursor = -1
        self._view = pyqtgraph.GraphicsView(self, background=None)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        # What is painted under it, guide lines and threshold, has to be seen.
        self._view.setStyleSheet("background: transparent")
        self._view.viewport().setAutoFillBackground(False)
        self._view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pyqtgraph.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self._box.disableAutoRange()
        self._view.setCentralItem(self._box)
        self._curves: list[pyqtgraph.PlotCurveItem] = []
        self._over = _Crosshair(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(120)

    def set_data(self, data: ChartData) -> None:
        """The crosshair stays at its position where the new data still has it."""
        self._data, self._scale = data, scale_of(data)
        self._cursor = min(self._cursor, len(data.positions) - 1)
        self._lay_out()
        self._draw_curves()
        self.update()
        self._over.refresh()

    def set_stale(self, stale: bool) -> None:
        if stale != self._stale:
            self._stale = stale
            self._draw_curves()
            self.update()

    def cursor_index(self) -> int:
        """The position of the crosshair, -1 when there is none."""
        return self._cursor

    def set_cursor_index(self, index: int) -> None:
        index = max(-1, min(index, len(self._data.positions) - 1))
        if index != self._cursor:
            self._cursor = index
            self._over.refresh()
            self.setAccessibleDescription(" ".join(f"{name} {value}" for _, name, value in self.reading()))
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def reading(self) -> list[tuple[Role, str, str]]:
        """What the crosshair's card says: first the position, then (colour, name, value) of every series."""
        if self._cursor < 0:
            return []
        rows: list[tuple[Role, str, str]] = [("text", self._data.label(self._cursor), "")]
        for series, role in zip(self._data.series, self.roles(), strict=True):
            value = series.values[self._cursor] if self._cursor < len(series.values) else None
            rows.append((role, str(series.name), self._data.format(value)))
        if band := self._data.band:
            low, high = self._data.format(band.low[self._cursor]), self._data.format(band.high[self._cursor])
            rows.append(("quiet", str(band.name), "--" if low == high == "--" else f"{low} – {high}"))
        return rows

    def roles(self) -> list[Role]:
        """The colour of each series: accent and the series colours in turn, quiet for comparisons."""
        loud = iter(SERIES * (len(self._data.series) + 1))
        return ["quiet" if series.role in ("compare", "mean") else next(loud) for series in self._data.series]

    # Geometry

    def plot_rect(self) -> QRectF:
        return QRectF(self._view.geometry())

    def pixel(self, position: float, value: float) -> QPointF:
        """Where a value at a position is painted."""
        rect, positions = self.plot_rect(), self._data.positions
        span = max(1, positions[-1] - positions[0]) if positions else 1
        first = positions[0] if positions else 0
        height = self._scale.high - self._scale.low
        x = rect.left() + (position - first) / span * rect.width()
        return QPointF(x, rect.bottom() - (value - self._scale.low) / height * rect.height())

    def cursor_points(self) -> list[QPointF | None]:
        """Where the crosshair meets what `reading` tells, None at a gap and for the band."""
        index = self._cursor
        values = [series.values[index] if index < len(series.values) else None for series in self._data.series]
        if self._data.band:
            values.append(None)
        return [None if value is None else self.pixel(self._data.positions[index], value) for value in values]

    def cursor_x(self) -> float:
        """The middle of the pixel column the crosshair stands in."""
        return round(self.pixel(self._data.positions[self._cursor], self._scale.low).x()) + 0.5

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()
        self._over.setGeometry(self.rect())

    def _lay_out(self) -> None:
        data = self._data
        left = max((width_of(data.format(tick), CAPTION) for tick in self._scale.ticks), default=0) + 12
        names = [series.name for series in data.series] + ([data.band.name] if data.band else [])
        # A long name is cut at its end rather than the plot at its side.
        right = min(max((width_of(str(name), CAPTION) for name in names), default=0), self.width() * _NAMES) + 28
        self._view.setGeometry(round(left), _TOP, max(10, round(self.width() - left - right)), max(10, self.height() - _TOP - _FOOT))
        positions = data.positions
        if positions:
            across = (positions[0], max(positions[0] + 1, positions[-1]))
            self._box.setRange(xRange=across, yRange=(self._scale.low, self._scale.high), padding=0)

    # Painting

    def _draw_curves(self) -> None:
        data, used, filled = self._data, 0, False
        for series, role in zip(data.series, self.roles(), strict=True):
            fill = series.role == "today" and not filled
            filled = filled or fill
            pen = line("quiet" if self._stale else role, dashed=series.role == "compare")
            if series.role == "mean":
                pen.setDashPattern([1, 3])
            for xs, ys in runs(data.positions, series.values):
                if used == len(self._curves):
                    self._curves.append(pyqtgraph.PlotCurveItem(antialias=True))
                    self._box.addItem(self._curves[-1], ignoreBounds=True)
                curve = self._curves[used]
                brush = area("quiet" if self._stale else role) if fill else None
                curve.setData(xs, ys, pen=pen, fillLevel=self._scale.low if fill else None, brush=brush, antialias=True)
                curve.setZValue(0 if role == "quiet" else 1)
                curve.show()
                used += 1
        for curve in self._curves[used:]:
            curve.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        data = self._data
        if not data.positions:
            return
        painter = QPainter(self)
        painter.setFont(font(CAPTION))
        rect = self.plot_rect()
        for tick in self._scale.ticks:
            level = round(self.pixel(0, tick).y())
            painter.setPen(guide())
            painter.drawLine(round(rect.left()), level, round(rect.right()), level)
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(0, level - 9, rect.left() - 8, _LINE), RIGHT, data.format(tick))
        for position, words in foot_labels(data, rect.width()):
            x = self.pixel(position, self._scale.low).x()
            painter.drawText(QRectF(x - 60, rect.bottom() + 5, 120, _LINE), CENTER, words)
        if data.band:
            self._paint_band(painter, data.band)
        if data.threshold is not None and self._scale.low <= data.threshold <= self._scale.high:
            y = self.pixel(0, data.threshold).y()
            role = cast("Role", data.threshold_level or "warn")
            painter.setPen(line(role, dashed=True))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(color("accent"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)

    def _paint_band(self, painter: QPainter, band: Band) -> None:
        positions = self._data.positions
        for (xs, lows), (_, highs) in zip(runs(positions, band.low), runs(positions, band.high), strict=True):
            upper = [self.pixel(x, value) for x, value in zip(xs, highs, strict=True)]
            lower = [self.pixel(x, value) for x, value in zip(xs, lows, strict=True)]
            if len(xs) == 1:
                upper, lower = ([QPointF(line[0].x() + dx, line[0].y()) for dx in (-2, 2)] for line in (upper, lower))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(area("quiet"))
            painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))

    def paint_words(self, painter: QPainter) -> None:
        """The words that lie on the plot: the name of the threshold, and of each line where it ends."""
        data, rect = self._data, self.plot_rect()
        painter.setFont(font(CAPTION))
        if data.threshold is not None and data.threshold_name and self._scale.low <= data.threshold <= self._scale.high:
            words = f"{data.threshold_name} {data.format(data.threshold)}"
            y = self.pixel(0, data.threshold).y()
            above = y - _LINE if y - _LINE > rect.top() - 4 else y
            painter.setPen(level_color(data.threshold_level))
            painter.drawText(QRectF(rect.left() + 6, above, rect.width(), _LINE), LEFT, words)
        ends = [(self._end(series.values), str(series.name), role) for series, role in zip(data.series, self.roles(), strict=True)]
        if data.band:
            ends.append((self._end(data.band.high), str(data.band.name), "quiet"))
        shown = [(end, name, role) for end, name, role in ends if end is not None]
        at_edge = [entry for entry in shown if entry[0].x() > rect.right() - 8]
        heights = spread([end.y() for end, _, _ in at_edge], 16, rect.top() + 4, rect.bottom() - 4)
        for (_, name, role), y in zip(at_edge, heights, strict=True):
            painter.fillRect(QRectF(rect.right() + 8, y - 1, 8, 2), color(role))
            painter.setPen(self._ink(role))
            room = self.width() - rect.right() - 22
            painter.drawText(QRectF(rect.right() + 20, y - 9, room, _LINE), LEFT, elided(name, int(room), CAPTION))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for end, _, role in shown:
            if role != "quiet":
                painter.setBrush(color("quiet" if self._stale else role))
                painter.drawEllipse(end, 2.5, 2.5)
        for series, role in zip(data.series, self.roles(), strict=True):
            for xs, ys in runs(data.positions, series.values):
                if len(xs) == 1:  # a line needs two points: without a dot, a day between two gaps would not be seen
                    painter.setBrush(color("quiet" if self._stale else role))
                    painter.drawEllipse(self.pixel(xs[0], ys[0]), 2, 2)
        inside = [entry for entry in shown if entry not in at_edge]
        heights = spread([end.y() for end, _, _ in inside], _LINE, rect.top() + 4, rect.bottom() - 4)
        for (end, name, role), y in zip(inside, heights, strict=True):
            chip = name_place(QPointF(end.x(), y), width_of(name, CAPTION) + 8, rect)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("surface", 0.85))
            painter.drawRoundedRect(chip, 4, 4)
            painter.setPen(self._ink(role))
            painter.drawText(chip, CENTER, name)

    def _ink(self, role: Role) -> QColor:
        """The colour of a line's name: the series colours are too light for words."""
        if self._stale or role == "quiet":
            return color("quiet")
        return color("accent" if role == "accent" else "text")

    def _end(self, values: Sequence[float | None]) -> QPointF | None:
        """The pixel of the last known value."""
        positions = self._data.positions
        for index in range(min(len(positions), len(values)) - 1, -1, -1):
            if (value := values[index]) is not None:
                return self.pixel(positions[index], value)
        return None

    # Pointer and keyboard

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        positions, rect = self._data.positions, self.plot_rect()
        x = event.position().x()
        if not positions or not rect.left() - 8 <= x <= rect.right() + 8:
            self.set_cursor_index(-1)
            return
        wanted = positions[0] + (x - rect.left()) / rect.width() * max(1, positions[-1] - positions[0])
        self.set_cursor_index(min(range(len(positions)), key=lambda index: abs(positions[index] - wanted)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._cursor >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self._cursor)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self.set_cursor_index(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.set_cursor_index(-1)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._data.positions) - 1
        key = event.key()
        if last >= 0 and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = -1 if key == Qt.Key.Key_Left else 1
            start = self._newest() if self._cursor < 0 else self._cursor + step
            self.set_cursor_index(max(0, min(last, start)))
        elif last >= 0 and key == Qt.Key.Key_Home:
            self.set_cursor_index(0)
        elif last >= 0 and key == Qt.Key.Key_End:
            self.set_cursor_index(last)
        elif self._cursor >= 0 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self._cursor)
        elif key == Qt.Key.Key_Escape and self._cursor >= 0:
            self.set_cursor_index(-1)
        else:
            super().keyPressEvent(event)

    def _newest(self) -> int:
        """The last position at which the first series has a value: where the eye is."""
        values = self._data.series[0].values if self._data.series else ()
        return max((index for index, value in enumerate(values) if value is not None), default=len(self._data.positions) - 1)


def name_place(end: QPointF, width: float, plot: QRectF) -> QRectF:
    """Where the name of a line that ends inside the plot stands: right of its end, or over it where the names at the edge begin."""
    if end.x() + 6 + width <= plot.right() + 4:
        return QRectF(end.x() + 6, end.y() - 9, width, _LINE)
    above = end.y() - 6 - _LINE
    return QRectF(plot.right() + 4 - width, above if above >= plot.top() - 4 else end.y() + 6, width, _LINE)


class _Crosshair(QWidget):
    """Lies over the plot; repaints only the strip and the card it leaves and the ones it moves to."""

    def __init__(self, plot: ChartPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self._painted = QRect()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def refresh(self) -> None:
        self.update(self._painted)
        self._painted = self._extent()
        self.update(self._painted)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        plot = self._plot
        plot.paint_words(painter)
        rows = plot.reading()
        if not rows:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, rect = plot.cursor_x(), plot.plot_rect()
        painter.setPen(QPen(color("quiet", 0.7), 1))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        for (role, _, _), point in zip(rows[1:], plot.cursor_points(), strict=True):
            if point is not None:
                painter.setPen(QPen(color("surface"), 1.5))
                painter.setBrush(color(role))
                painter.drawEllipse(point, 3.5, 3.5)
        card = self._card()
        painter.setPen(QPen(color("border"), 1))
        painter.setBrush(color("raised"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)
        y = card.top() + _CARD_PADDING - 2
        left, right = card.left() + _CARD_PADDING, card.right() - _CARD_PADDING
        for place, (role, name, value) in enumerate(rows):
            painter.setFont(font(CAPTION, place == 0))
            box = QRectF(left, y, right - left, _LINE)
            if place:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color(role))
                painter.drawRoundedRect(QRectF(left, y + 5, 8, 8), 2, 2)
                painter.setPen(color("quiet"))
                painter.drawText(box.adjusted(14, 0, 0, 0), LEFT, name)
                painter.setPen(color("text"))
                painter.drawText(box, RIGHT, value)
            else:
                painter.setPen(color("text"))
                painter.drawText(box, LEFT, name)
            y += _LINE

    def _card(self) -> QRectF:
        rows, rect = self._plot.reading(), self._plot.plot_rect()
        width = max(width_of(name, CAPTION, True) + width_of(value, CAPTION) for _, name, value in rows) + 2 * _CARD_PADDING + 38
        height = len(rows) * _LINE + 2 * _CARD_PADDING - 4
        x = self._plot.cursor_x() + 12
        if x + width > self.width() - 4:
            x = self._plot.cursor_x() - 12 - width
        return QRectF(max(2.0, x), rect.top(), width, height)

    def _extent(self) -> QRect:
        if self._plot.cursor_index() < 0:
            return QRect()
        rect, x = self._plot.plot_rect(), self._plot.cursor_x()
        strip = QRectF(x - 5, rect.top() - 5, 10, rect.height() + 10)
        return strip.united(self._card()).toAlignedRect().adjusted(-1, -1, 1, 1)
