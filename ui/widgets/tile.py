"""One number and how it got there: caption, value, change, sparkline."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.domain.language import T, tr
from ui.theme import CAPTION, CARD_RADIUS, VALUE, color, level_color
from ui.theme.fonts import font
from ui.theme.roles import Level
from ui.widgets.flash import Flashes
from ui.widgets.paint import LEFT, RIGHT, arrow, elided, level_mark, metrics, polylines, sparkline, width_of

HEIGHT, DENSE_HEIGHT = 132, 92
_BASES = {
    "yesterday": (T("较昨日", "vs yesterday"), T("昨日", "1 d"), T("昨", "1d")),
    "week": (T("较上周", "vs last week"), T("上周", "7 d"), T("周", "7d")),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Against what, by how much as shown ("3.2%"), and whether up (1), down (-1) or the same (0)."""

    base: Literal["yesterday", "week"]
    text: str
    direction: int

    @property
    def words(self) -> str:
        way = {1: tr("上升", "up"), -1: tr("下降", "down")}.get(self.direction, tr("持平", "unchanged"))
        return f"{_BASES[self.base][0]} {way} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class TileData:
    """What a tile shows. Texts are formatted already; "--" stands for no value. `stale` is the age of old data, "" when it is live.

    `note` stands in the place of the changes where there are none.
    """

    value: str
    unit: str = ""
    level: Level = ""
    changes: tuple[Change, ...] = ()
    spark: tuple[float | None, ...] = ()
    tooltip: str = ""
    stale: str = ""
    note: str = ""


def height_of(scale: float, dense: bool) -> int:
    return round((DENSE_HEIGHT if dense else HEIGHT) * scale)


class MetricTile(QAbstractButton):
    """Paints itself; `set_data` repaints only when something shown changed.

    `scale` enlarges everything for a wallboard; a dense tile has its sparkline beside the value instead of under it.
    """

    opened = Signal(str)
    """The key, on click, Enter or Space."""

    def __init__(self, key: str, caption: str, scale: float = 1.0, parent: QWidget | None = None, dense: bool = False) -> None:
        super().__init__(parent)
        self.key, self.caption = key, caption
        self._scale, self._dense = scale, dense
        self._data = TileData("--")
        self._lines: list[QPolygonF] = []
        self._flashes = Flashes(self, self._flashed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.clicked.connect(self._open)
        self.set_size(scale, dense)
        self.set_data(self._data)

    def data(self) -> TileData:
        return self._data

    def set_size(self, scale: float, dense: bool) -> None:
        self._scale, self._dense = scale, dense
        self.setMinimumSize(round(120 * scale), height_of(scale, dense))
        self._lines = self._spark_lines()
        self.updateGeometry()
        self.update()

    def set_data(self, data: TileData) -> None:
        """A changed value flashes; the first one does not."""
        before, self._data = self._data, data
        if data == before and self.accessibleName():
            return
        if data.value != before.value and before.value != "--" and not data.stale:
            self._flashes.touch(("value",))
        if (data.tooltip, data.changes) != (before.tooltip, before.changes):
            # The tile itself drops words where it is narrow; here they are all.
            self.setToolTip("\n".join((data.tooltip, *(change.words for change in data.changes))).strip())
            self.setAccessibleDescription(data.tooltip)
        if replace(data, tooltip=before.tooltip) == before and self.accessibleName():
            return
        self._lines = self._spark_lines()
        self.setAccessibleName(self._spoken())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(168 * self._scale), height_of(self._scale, self._dense))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lines = self._spark_lines()

    def paintEvent(self, event: QPaintEvent) -> None:
        data, scale = self._data, self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        edge = level_color(data.level, "border") if data.level in ("warn", "alarm") and not data.stale else color("border")
        if self.hasFocus():
            edge = color("accent")
        elif self.underMouse() and data.level not in ("warn", "alarm"):
            edge = color("quiet", 0.5)
        painter.setPen(QPen(edge, 1))
        painter.setBrush(color("surface"))
        painter.drawRoundedRect(box, CARD_RADIUS, CARD_RADIUS)
        if strength := self._flashes.strength("value"):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent", round(0.14 * strength, 3)))
            painter.drawRoundedRect(box, CARD_RADIUS, CARD_RADIUS)

        left, width = self._padding(), self.width() - 2 * self._padding()
        caption_size = round(CAPTION * scale)
        top, line = (8 if self._dense else 11) * scale, 18 * scale
        painter.setFont(font(caption_size))
        painter.setPen(color("quiet"))
        room = width
        if data.stale:
            age = elided(data.stale, int(width / 2), caption_size)
            painter.drawText(QRectF(left, top, width, line), RIGHT, age)
            room -= width_of(age, caption_size) + 6 * scale
        elif data.level in ("warn", "alarm"):
            level_mark(painter, left + width - 9 * scale, top + line / 2, data.level, level_color(data.level), 9 * scale)
            room -= 14 * scale
            painter.setPen(color("quiet"))
        painter.drawText(QRectF(left, top, room, line), LEFT, elided(self.caption, int(room), caption_size))
        self._paint_value(painter, left, top + line + 1 * scale, width)
        self._paint_changes(painter, left, top + line + (39 if self._dense else 41) * scale, width)
        ink = color("quiet", 0.5) if data.stale else level_color(data.level if data.level in ("warn", "alarm") else "", "accent")
        spark = self._spark_rect()
        sparkline(painter, spark, self._lines, ink, None if data.stale else color("accent", 0.08) if not data.level else None)

    def _paint_value(self, painter: QPainter, left: float, top: float, width: float) -> None:
        data, scale = self._data, self._scale
        unit_size = round(CAPTION * scale)
        size, _ = self._value_size(width)
        painter.setFont(font(size, True))
        quiet = data.stale or data.value == "--"
        painter.setPen(color("quiet") if quiet else level_color(data.level))
        baseline = top + metrics(round(VALUE * scale), True).ascent() * 0.93
        painter.drawText(round(left), round(baseline), data.value)
        if data.unit:
            painter.setFont(font(unit_size))
            painter.setPen(color("quiet"))
            painter.drawText(round(left + width_of(data.value, size, True) + 4 * scale), round(baseline), data.unit)

    def _paint_changes(self, painter: QPainter, left: float, top: float, width: float) -> None:
        """Both changes with full words if they fit, else with shorter ones, else the first alone."""
        scale, size = self._scale, round(CAPTION * self._scale)
        line = 16 * scale
        painter.setFont(font(size))
        if not self._data.changes:
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(left, top, width, line), LEFT, elided(self._data.note, int(width), size))
            return
        both, first = self._data.changes, self._data.changes[:1]
        tries = ((2, both), (2, first)) if self._dense else ((0, both), (1, both), (2, both), (0, first), (1, first))
        for short, shown in tries:
            parts = [(change, str(_BASES[change.base][short])) for change in shown]
            widths = [width_of(word, size) + width_of(change.text, size) + 13 * scale for change, word in parts]
            if sum(widths) + 6 * scale * (len(parts) - 1) <= width:
                break
        else:
            return
        x = left
        for (change, word), taken in zip(parts, widths, strict=True):
            painter.setPen(color("quiet"))
            painter.drawText(QRectF(x, top, taken, line), LEFT, word)
            after = x + width_of(word, size) + 3 * scale
            arrow(painter, after, top + line / 2, change.direction, color("quiet"), 7 * scale)
            painter.setPen(color("quiet") if self._data.stale else color("text"))
            painter.drawText(QRectF(after + 10 * scale, top, taken, line), LEFT, change.text)
            x += taken + 6 * scale

    def _value_size(self, width: float) -> tuple[int, float]:
        """(font size, width with the unit) of the value, as large as fits."""
        data, scale = self._data, self._scale
        unit = width_of(data.unit, round(CAPTION * scale)) + 4 * scale if data.unit else 0.0
        size = round(VALUE * scale)
        while size > 14 * scale and width_of(data.value, size, True) + unit > width:
            size -= 2
        return size, width_of(data.value, size, True) + unit

    def _padding(self) -> float:
        return (16 if self.width() >= 170 * self._scale else 12) * self._scale

    def _spark_rect(self) -> QRectF:
        pad, scale = self._padding(), self._scale
        width = max(1.0, self.width() - 2 * pad)
        if not self._dense:
            return QRectF(pad, self.height() - 33 * scale, width, 22 * scale)
        left = max(width / 2, self._value_size(width)[1] + 12 * scale)
        return QRectF(pad + left, 34 * scale, width - left, 24 * scale)

    def _spark_lines(self) -> list[QPolygonF]:
        """None where a dense tile's value leaves no room."""
        rect = self._spark_rect()
        return polylines(self._data.spark, rect) if rect.width() >= 24 * self._scale else []

    def _spoken(self) -> str:
        data = self._data
        level = {"warn": tr("需注意", "warning"), "alarm": tr("告警", "alarm")}.get(data.level, "")
        parts = (f"{self.caption} {data.value}{data.unit}", level, *(change.words for change in data.changes), data.note, data.stale)
        return tr("，", ", ").join(part for part in parts if part)

    def _flashed(self, keys: Collection[Hashable]) -> None:
        self.update()

    def _open(self) -> None:
        self.opened.emit(self.key)
