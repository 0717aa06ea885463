"""A rate against its volume, with the limits within which chance explains the differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.domain.counters import Window
from app.domain.language import T, tr
from app.domain.metrics import METRICS, Metric
from app.domain.statistics import Funnel, Mark, sentence
from ui.theme import CAPTION, color, font
from ui.theme.pens import guide, line
from ui.widgets.chart_data import ChartData, Scale, Series, scale_of, spread
from ui.widgets.funnel_marks import beyond, draw_mark, mark_role
from ui.widgets.metric_text import metric_equation
from ui.widgets.paint import CENTER, LEFT, RIGHT, elided, width_of
from ui.widgets.painted import NOTHING_HERE, Entry, PaintedChart

_TOP, _FOOT, _LINE, _RADIUS = 30, 40, 18, 5.0
_LABEL_LONGEST = 120


class FunnelPlot(PaintedChart):
    """Points are agents: a dot within the limits, a hollow triangle beyond 95 %, a full one beyond 99.8 %, named where there is room.

    The arrows walk the points by volume.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(T("漏斗图", "Funnel plot"), NOTHING_HERE, parent)
        self._metric: Metric = METRICS["satisfaction"]
        self._window: Window = "24h"
        self._funnel = Funnel(None)
        self._entries: dict[str, Entry] = {}
        self._parts: dict[str, tuple[int, int]] = {}
        self._most = 1
        self._scale = Scale()
        self._rect = QRectF()
        self._points: dict[str, QPointF] = {}
        self._curves: tuple[list[QPointF], ...] = ()
        self._named: dict[str, QRectF] = {}

    def set_data(self, metric: Metric, entries: Sequence[Entry], funnel: Funnel, window: Window = "24h") -> None:
        """Show these against the funnel made of them. Who has no case, or counts that are no proportion, is left out.

        Ask `statistics.is_proportion(metric)` first: limits are not defined for means. The page that has no funnel for its metric shows
        the ranking.
        """
        self._metric, self._window, self._funnel = metric, window, funnel
        self._entries = {entry.key: entry for entry in entries}
        self._parts = {}
        for entry in entries:
            top, bottom = metric.parts(entry.numbers, window)
            if funnel.target is not None and bottom and 0 <= top <= bottom:
                self._parts[entry.key] = top, bottom
        self._most = max((n for _, n in self._parts.values()), default=1)
        self._scale = self._range()
        self.setAccessibleName(tr(f"{metric.label}漏斗图", f"Funnel plot of {metric.label}"))
        self._lay_out()
        self._show(sorted(self._parts, key=lambda key: (self._parts[key][1], self._parts[key][0], key)))

    def summary(self) -> str:
        marks = [mark for key in self._keys if (mark := self.mark_of(key))]
        return tr(
            f"{len(self._keys)} 人，团队 {self._metric.text(self._funnel.target)}，{len(marks)} 人超出界限。{self.verdict()}",
            f"{len(self._keys)} people, team {self._metric.text(self._funnel.target)}, {len(marks)} beyond the limits. {self.verdict()}",
        )

    def verdict(self) -> str:
        """Who differs by more than chance explains, in plain words: painted at the foot."""
        if not self._keys:
            return ""
        sides = (("low", tr("偏低", "low")), ("high", tr("偏高", "high")))
        found = [
            f"{side}{tr('：', ': ')}{tr('、', ', ').join(self._entries[key].name for key in names)}"
            for mark, side in sides
            if (names := [key for key in self._keys if self.mark_of(key).startswith(mark)])
        ]
        if not found:
            return tr("所有人与团队的差距都在随机波动范围内", "Nobody differs from the team by more than chance explains")
        return tr("超出随机波动范围 ", "Beyond chance, ") + tr("；", "; ").join(found)

    def sizeHint(self) -> QSize:
        return QSize(560, 360)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 220)

    def mark_of(self, key: str) -> Mark:
        return self._funnel.marks.get(key, "")

    def words_of(self, key: str) -> str:
        entry, mark = self._entries[key], self.mark_of(key)
        lines = [entry.name, f"{self._metric.label} {metric_equation(self._metric, entry.numbers, self._window)}"]
        if mark:
            lines.append(str(beyond(mark)))
        return "\n".join([*lines, str(sentence(mark, self._metric, self._funnel))])

    def label_boxes(self) -> dict[str, QRectF]:
        """Where the names of points are painted."""
        return dict(self._named)

    # Geometry

    def plot_rect(self) -> QRectF:
        return self._rect

    def _measured(self) -> QRectF:
        left = max(width_of(self._metric.text(tick), CAPTION) for tick in self._scale.ticks) + 14
        right = max(width_of(words, CAPTION) for words in self._ends()) + 16
        return QRectF(left, _TOP, max(10.0, self.width() - left - right), max(10.0, self.height() - _TOP - _FOOT))

    def point_of(self, key: str) -> QPointF:
        return self._points[key]

    def box_of(self, key: str) -> QRectF:
        at = self.point_of(key)
        return QRectF(at.x() - 7, at.y() - 7, 14, 14)

    def key_at(self, at: QPointF) -> str:
        """The nearest point within reach of the pointer."""
        near = [(math.dist(at.toTuple(), self.point_of(key).toTuple()), key) for key in self._keys]
        distance, key = min(near, default=(math.inf, ""))
        return key if distance <= 10 else ""

    def _pixel(self, n: float, rate: float, rect: QRectF) -> QPointF:
        x = rect.left() + n / self._span() * rect.width()
        return QPointF(x, rect.bottom() - (rate - self._scale.low) / (self._scale.high - self._scale.low) * rect.height())

    def _span(self) -> float:
        return max(2.0, self._most * 1.06)

    def _range(self) -> Scale:
        """Round rates that hold every point, the target, and the limits from a third of the largest volume on."""
        if self._funnel.target is None:
            return Scale()
        limits = self._funnel.limits(max(1, self._most // 3))
        rates = [top / n for top, n in self._parts.values()]
        held = [self._funnel.target, limits.low99, limits.high99, *rates]
        return scale_of(ChartData((Series("", held),), labels=[""] * len(held), format=self._metric.text, from_zero=False))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        rect, span = self._measured(), self._span()
        self._rect, self._curves, self._named = rect, (), {}
        self._points = {key: self._pixel(n, top / n, rect) for key, (top, n) in self._parts.items()}
        if not self._parts:
            return
        # The funnel bends at small volumes, so it is followed closely there.
        columns = [*range(40), *range(40, math.ceil(rect.width()), 4), rect.width()]
        volumes = sorted({max(1, round(column / rect.width() * span)) for column in columns})
        limits = [self._funnel.limits(n) for n in volumes]
        self._curves = tuple([self._pixel(n, limit[side], rect) for n, limit in zip(volumes, limits, strict=True)] for side in range(4))
        self._named = self._place_names(rect)

    def _place_names(self, rect: QRectF) -> dict[str, QRectF]:
        """A box for the name of each marked point, the furthest out first, clear of other names and of marked points."""
        target = self._funnel.target or 0.0

        def weight(key: str) -> tuple[bool, float]:
            top, n = self._parts[key]
            return self.mark_of(key).endswith("99"), abs(top / n - target) * math.sqrt(n)

        marked = sorted((key for key in self._parts if self.mark_of(key)), key=weight, reverse=True)
        points = {key: QRectF(at.x() - 6, at.y() - 6, 12, 12) for key in marked for at in (self.point_of(key),)}
        placed: dict[str, QRectF] = {}
        for key in marked:
            name = elided(self._entries[key].name, _LABEL_LONGEST, CAPTION)
            wide, at = width_of(name, CAPTION) + 4, self.point_of(key)
            for x, y in (
                (8.0, -8.0), (-8.0 - wide, -8.0), (-wide / 2, -24.0), (-wide / 2, 8.0),
                (6.0, -21.0), (6.0, 5.0), (-6.0 - wide, -21.0), (-6.0 - wide, 5.0),
            ):  # fmt: skip
                box = QRectF(at.x() + x, at.y() + y, wide, 16)
                taken = any(box.intersects(other) for other in placed.values())
                covers = any(box.intersects(point) for other, point in points.items() if other != key)
                if rect.adjusted(0, -6, 8, 6).contains(box) and not taken and not covers:
                    placed[key] = box
                    break
        return placed

    # Painting

    def paint(self, painter: QPainter, dirty: QRectF) -> None:
        rect = self.plot_rect()
        self._paint_axes(painter, rect)
        painter.save()
        painter.setClipRect(rect)
        self._paint_limits(painter)
        painter.restore()
        self._paint_ends(painter, rect)
        for key in sorted(self._keys, key=lambda key: len(self.mark_of(key))):
            mark = self.mark_of(key)
            ink = self._ink(mark_role(mark, self._metric)) if mark else color("quiet", 0.65)
            draw_mark(painter, self.point_of(key), mark, ink, _RADIUS)
        painter.setFont(font(CAPTION))
        for key, box in self._named.items():
            painter.setPen(self._ink("text"))
            painter.drawText(box, CENTER, elided(self._entries[key].name, _LABEL_LONGEST, CAPTION))
        for key in {self._hover, self._current} - {""}:
            self._paint_chosen(painter, key, rect)
        self._paint_legend(painter, rect)

    def _paint_axes(self, painter: QPainter, rect: QRectF) -> None:
        painter.setFont(font(CAPTION))
        for tick in self._scale.ticks:
            y = round(self._pixel(0, tick, rect).y())
            painter.setPen(guide())
            painter.drawLine(round(rect.left()), y, round(rect.right()), y)
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(0, y - 9, rect.left() - 8, _LINE), RIGHT, self._metric.text(tick))
        for volume in self._volumes(rect.width()):
            x = self._pixel(volume, self._scale.low, rect).x()
            painter.drawText(QRectF(x - 40, rect.bottom() + 4, 80, _LINE), CENTER, f"{volume:,}")
        foot, name = QRectF(rect.left(), rect.bottom() + 20, rect.width(), _LINE), self._volume_name()
        painter.drawText(foot, RIGHT, name)
        painter.setPen(self._ink("text"))
        room = rect.width() - width_of(name, CAPTION) - 16
        painter.drawText(foot, LEFT, elided(self.verdict(), round(room), CAPTION))

    def _paint_limits(self, painter: QPainter) -> None:
        low99, low95, high95, high99 = self._curves
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for low, high in ((low99, high99), (low95, high95)):
            painter.setBrush(self._ink("accent", 0.06))
            painter.drawPolygon(QPolygonF([*low, *reversed(high)]))
        for curve, dashed in ((low99, False), (high99, False), (low95, True), (high95, True)):
            painter.setPen(line("quiet", dashed=dashed))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(curve))

    def _paint_ends(self, painter: QPainter, rect: QRectF) -> None:
        """The target line, and at the right end of each line its name."""
        assert self._funnel.target is not None
        level = self._pixel(0, self._funnel.target, rect).y()
        painter.setPen(QPen(self._ink("accent"), 1))
        painter.drawLine(QPointF(rect.left(), level), QPointF(rect.right(), level))
        low99, low95, high95, high99 = (curve[-1].y() for curve in self._curves)
        wanted = [level, low99, low95, high95, high99]
        inside = [index for index, y in enumerate(wanted) if rect.top() - 1 <= y <= rect.bottom() + 1]
        heights = spread([wanted[index] for index in inside], 14, rect.top(), rect.bottom())
        painter.setFont(font(CAPTION))
        for index, y in zip(inside, heights, strict=True):
            painter.setPen(self._ink("accent" if index == 0 else "quiet"))
            painter.drawText(QRectF(rect.right() + 8, y - 9, self.width() - rect.right() - 8, _LINE), LEFT, self._ends()[index])

    def _paint_chosen(self, painter: QPainter, key: str, rect: QRectF) -> None:
        at = self.point_of(key)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("text"), 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, 9, 9)
        if key in self._named:
            return
        name = elided(self._entries[key].name, _LABEL_LONGEST, CAPTION)
        wide = width_of(name, CAPTION) + 10
        left = at.x() + 12 if at.x() + 12 + wide <= rect.right() else at.x() - 12 - wide
        chip = QRectF(left, min(max(at.y() - 9, rect.top() - 6), rect.bottom() - 12), wide, _LINE)
        painter.setPen(QPen(color("border"), 1))
        painter.setBrush(color("raised"))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(color("text"))
        painter.setFont(font(CAPTION))
        painter.drawText(chip, CENTER, name)

    def _paint_legend(self, painter: QPainter, rect: QRectF) -> None:
        """What the shapes say; the last words that do not fit are left away."""
        x, middle = rect.left() + 5, 13.0
        shapes: tuple[tuple[Mark, str], ...] = (
            ("", tr("随机范围内", "chance")), ("high95", tr("超出 95%", "beyond 95%")), ("high99", tr("超出 99.8%", "beyond 99.8%")),
        )  # fmt: skip
        painter.setFont(font(CAPTION))
        for mark, words in shapes:
            draw_mark(painter, QPointF(x, middle), mark, color("quiet"), 4)
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(x + 9, middle - 9, 200, _LINE), LEFT, words)
            x += width_of(words, CAPTION) + 26
        if self._funnel.overdispersed:
            note = tr("界限已按团队差异放宽", "limits widened: this team varies more")
            if x + width_of(note, CAPTION) <= self.width():
                painter.drawText(QRectF(x, middle - 9, self.width() - x, _LINE), LEFT, note)

    def _ends(self) -> tuple[str, ...]:
        """Names of the target and the four limits, in the order they are placed."""
        return tr("团队 ", "Team ") + self._metric.text(self._funnel.target), "99.8%", "95%", "95%", "99.8%"

    def _volumes(self, width: float) -> list[int]:
        """Round volumes along the foot, at least 64 pixels apart."""
        raw = max(1.0, self._span() / max(1.0, width / 64))
        power = 10 ** math.floor(math.log10(raw))
        step = next(round(factor * power) for factor in (1, 2, 5, 10) if factor * power >= raw)
        return list(range(0, math.floor(self._span()) + 1, step))

    def _volume_name(self) -> str:
        """The metric that the denominator is, where there is one."""
        bottom: Mapping[str, int] = self._metric.bottom
        named = next((metric.label for metric in METRICS.values() if dict(metric.top) == dict(bottom) and not metric.bottom), None)
        return str(named or T("分母", "Cases"))
