"""The seats for a wall: large type, nothing to click, the worst on top."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.domain.language import tr
from app.domain.metrics import METRICS
from ui.pages.seats.lines import Picture, aged
from ui.theme import color, font, level_color
from ui.widgets.metric_text import unit_of
from ui.widgets.paint import LEFT, RIGHT, elided, level_mark, width_of
from ui.widgets.table_model import Cell, Cells

_KEYS = ("active", "saturation", "waiting", "longest_wait", "consults", "answer_rate", "reply_30s_rate", "satisfaction")
_LOWEST, _HIGHEST = 44, 72
_MARGIN = 32
_SEVERITY = {"alarm": 100, "warn": 1}


@dataclass(frozen=True, slots=True)
class _Place:
    x: int
    width: int


def severity(cells: Cells) -> tuple[int, float]:
    """How much a seat needs somebody: alarms before warnings, then the longest wait."""
    levels = sum(_SEVERITY.get(cells[key].level, 0) for key in _KEYS)
    wait = cells["longest_wait"].value
    # The cell is sorted by minus the moment the wait began.
    return levels, wait if isinstance(wait, int | float) else float("-inf")


class SeatWall(QWidget):
    """Shows as many of the seats that are not offline as there is room for; a line at the foot tells how many are not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Cells] = []
        self._total: Cells = {}
        self._is_stale = False
        self.setAccessibleName(tr("坐席大屏", "Seats wallboard"))

    def show_picture(self, picture: Picture) -> None:
        now = picture.clock()
        rows = [aged(line, now) for line in picture.lines if line.state != "offline"]
        rows.sort(key=severity, reverse=True)
        total = aged(picture.total, now)
        if (rows, total) != (self._rows, self._total):
            self._rows, self._total = rows, total
            self.update()

    def set_stale(self, stale: bool) -> None:
        self._is_stale = stale
        self.update()

    def names(self) -> list[str]:
        """The agents shown, the worst first."""
        return [cells["agent"].text for cells in self._rows[: self._room()[1]]]

    def _room(self) -> tuple[int, int]:
        """(height of a row, rows of agents); titles and total take two rows, the foot half of one."""
        height = self.height() - _MARGIN
        row = max(_LOWEST, min(_HIGHEST, int(height / (len(self._rows) + 2.5))))
        return row, max(0, min(len(self._rows), int(height / row - 2.5)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row, count = self._room()
        places = self._places(row)
        self._titles(painter, places, QRect(0, _MARGIN // 2, self.width(), row))
        y = _MARGIN // 2 + row
        if self._total:
            painter.fillRect(QRect(_MARGIN // 2, y, self.width() - _MARGIN, row), color("surface"))
            self._row(painter, places, self._total, y, row, strong=True)
            y += row
        for cells in self._rows[:count]:
            self._row(painter, places, cells, y, row)
            painter.fillRect(QRect(_MARGIN // 2, y + row - 1, self.width() - _MARGIN, 1), color("border"))
            y += row
        if more := len(self._rows) - count:
            painter.setFont(font(row // 3))
            painter.setPen(color("quiet"))
            words = tr(f"另有 {more} 位客服，情况更好", f"{more} more agents, doing better")
            painter.drawText(QRect(_MARGIN, y, self.width() - 2 * _MARGIN, row // 2 + 4), LEFT, words)
        elif not self._rows:
            painter.setFont(font(row // 2))
            painter.setPen(color("quiet"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("现在没有客服在线", "Nobody is online now"))

    def _places(self, row: int) -> dict[str, _Place]:
        """Names and states take what they need, the figures share the rest."""
        width = self.width() - 2 * _MARGIN
        agent, state = int(width * 0.17), int(width * 0.16)
        bar = int(width * 0.13)
        figure = (width - agent - state - bar) // (len(_KEYS) - 1)
        found, x = {}, _MARGIN
        for key in ("agent", "state", *_KEYS):
            wide = {"agent": agent, "state": state, "saturation": bar}.get(key, figure)
            found[key] = _Place(x, wide)
            x += wide
        return found

    def _titles(self, painter: QPainter, places: dict[str, _Place], rect: QRect) -> None:
        size = max(16, rect.height() // 3)
        painter.setFont(font(size))
        painter.setPen(color("quiet"))
        titles = {"agent": tr("客服", "Agent"), "state": tr("接待状态", "State")}
        for key in _KEYS:
            unit = unit_of(METRICS[key])
            titles[key] = f"{METRICS[key].label} ({unit})" if unit else str(METRICS[key].label)
        for key, place in places.items():
            side = LEFT if key in ("agent", "state") else RIGHT
            box = QRect(place.x, rect.y(), place.width - 8, rect.height())
            if width_of(titles[key], size) <= box.width():
                painter.drawText(box, side, titles[key])
            else:
                painter.drawText(box, side | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere, titles[key])

    def _row(self, painter: QPainter, places: dict[str, _Place], cells: Cells, y: int, row: int, strong: bool = False) -> None:
        size = int(row * 0.46)
        for key, place in places.items():
            cell = cells.get(key)
            if cell is None:
                continue
            box = QRect(place.x, y, place.width - 8, row)
            if key == "agent":
                self._text(painter, box, cell.text, size, strong, self._ink("text"), LEFT)
            elif key == "state":
                self._state(painter, box, cell, size)
            else:
                self._figure(painter, box, cell, size, strong, key == "saturation")

    def _state(self, painter: QPainter, box: QRect, cell: Cell, size: int) -> None:
        ink = self._ink_of(cell.level)
        painter.setPen(QPen(ink, 2))
        painter.setBrush(ink if cell.level != "quiet" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(box.x() + size * 0.25, box.center().y()), size * 0.2, size * 0.2)
        shift = int(size * 0.75)
        self._text(painter, box.adjusted(shift, 0, 0, 0), cell.text, size, False, self._ink("text"), LEFT)
        shift += int(width_of(cell.text, size)) + size // 3
        self._text(painter, box.adjusted(shift, 0, 0, 0), cell.detail, int(size * 0.7), False, self._ink("quiet"), LEFT)

    def _figure(self, painter: QPainter, box: QRect, cell: Cell, size: int, strong: bool, bar: bool) -> None:
        ink = self._ink("quiet") if cell.text == "--" else self._ink_of(cell.level)
        taken = width_of(cell.text, size, strong)
        self._text(painter, box, cell.text, size, strong, ink, RIGHT)
        left = box.right() - taken - size * 0.75
        if cell.level in ("warn", "alarm") and left >= box.x():
            level_mark(painter, left, box.center().y(), cell.level, self._ink_of(cell.level), size * 0.5)
        if bar and isinstance(cell.value, int | float):
            long = box.width() - width_of("100.0%", size, strong) - size
            if long > 2 * size:
                track = QRectF(box.x() + size * 0.4, box.center().y() - size * 0.14, long - size * 0.4, size * 0.28)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color("track"))
                painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
                track.setWidth(max(track.height(), track.width() * min(1.0, max(0.0, cell.value))))
                painter.setBrush(self._ink("quiet") if self._is_stale else level_color(cell.level, "accent"))
                if cell.value > 0:
                    painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)

    def _text(self, painter: QPainter, box: QRect, text: str, size: int, strong: bool, ink: QColor, side: Qt.AlignmentFlag) -> None:
        if box.width() < size:
            return
        painter.setFont(font(size, strong))
        painter.setPen(ink)
        painter.drawText(box, side, elided(text, box.width(), size, strong))

    def _ink(self, role: str) -> QColor:
        return color("quiet") if self._is_stale or role == "quiet" else color("text")

    def _ink_of(self, level: str) -> QColor:
        return color("quiet") if self._is_stale else level_color(level)
